/**
 * One word of a shell's command line, whatever it holds: it cannot end the word, begin a command or break the line. Always
 * printable ASCII on one line, so that what people copy from a message is what was meant.
 */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  // Messages fold spaces and cannot hold backticks; a shell reads their codes.
  if (/^(?!.* {2})[ -_a-~]*$/.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`;
  const coded = [...Buffer.from(text)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[\w@%+=:,./-]/.test(character) ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  // A digit behind a code would be read as part of it in some shells, so letters and digits behind one are coded too.
  return `$'${closeCodes(coded).join('')}'`;
}

function closeCodes(pieces: readonly string[]): readonly string[] {
  const closed: string[] = [];
  for (const piece of pieces) {
    const afterCode = closed.at(-1)?.startsWith('\\x') ?? false;
    const hexadecimal = /^[0-9a-fA-F]$/.test(piece);
    closed.push(afterCode && hexadecimal ? `\\x${piece.charCodeAt(0).toString(16)}` : piece);
  }
  return closed;
}

/** Words as a command line. */
export function shellCommand(...words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}

/** How `psql` asks one statement. It asks for the password, or takes it from `PGPASSWORD`. */
export function psqlCommand(
  place: { readonly host: string; readonly port: number; readonly user: string; readonly database: string },
  sql: string,
): string {
  const { host, port, user, database } = place;
  return shellCommand('psql', '-X', '-h', host, '-p', String(port), '-U', user, '-d', database, '-c', sql);
}

/** A text in SQL, as servers read it with `standard_conforming_strings`, which is the default. */
export function sqlText(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll("'", "''")}'`;
}
