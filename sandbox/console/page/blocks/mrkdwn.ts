/** A piece of a line of mrkdwn. */
export type Piece =
  | { readonly kind: 'text' | 'code'; readonly text: string }
  | { readonly kind: 'bold' | 'italic' | 'strike'; readonly pieces: readonly Piece[] }
  | { readonly kind: 'link'; readonly url: string; readonly label: string }
  | { readonly kind: 'user' | 'channel' | 'group'; readonly id: string; readonly label: string | null }
  | { readonly kind: 'everybody'; readonly word: string }
  | { readonly kind: 'date'; readonly seconds: number; readonly format: string; readonly fallback: string }
  | { readonly kind: 'emoji'; readonly name: string };

export type Passage =
  | { readonly kind: 'code-block'; readonly text: string }
  | { readonly kind: 'lines' | 'quote'; readonly lines: readonly (readonly Piece[])[] };

/** mrkdwn as a tree. Nothing in it is markup: whoever draws it decides what each kind looks like. */
export function parseMrkdwn(text: string): Passage[] {
  return text.split(/(```[\s\S]*?```)/).flatMap((part, at): Passage[] => {
    if (at % 2 === 1) return [{ kind: 'code-block', text: plain(part.slice(3, -3).replace(/^\n|\n$/g, '')) }];
    const lines = part.replace(at > 0 ? /^\n/ : /^/, '').split('\n');
    return part === '' || (at > 0 && part === '\n') ? [] : passages(lines);
  });
}

const quoteMark = /^(&gt;|>) ?/;

function passages(lines: readonly string[]): Passage[] {
  const found: { kind: 'lines' | 'quote'; lines: Piece[][] }[] = [];
  for (const line of lines) {
    const kind = quoteMark.test(line) ? 'quote' : 'lines';
    const pieces = parseLine(kind === 'quote' ? line.replace(quoteMark, '') : line);
    const last = found.at(-1);
    if (last?.kind === kind) last.lines.push(pieces);
    else found.push({ kind, lines: [pieces] });
  }
  return found;
}

/** Marks count only around whole words, as in Slack. */
const marked = (mark: string): string =>
  `(?<![\\p{L}\\p{N}_${mark}])${mark}(?=\\S)([^\\n]*?\\S)${mark}(?![\\p{L}\\p{N}_${mark}])`;
const special = new RegExp(
  ['`([^`\\n]+)`', '<([^<>\\n]+)>', marked('\\*'), marked('_'), marked('~'), ':([a-z0-9_+-]{1,40}):'].join('|'),
  'u',
);

function parseLine(line: string): Piece[] {
  const pieces: Piece[] = [];
  let rest = line;
  for (;;) {
    const match = special.exec(rest);
    if (!match) break;
    if (match.index > 0) pieces.push({ kind: 'text', text: plain(rest.slice(0, match.index)) });
    pieces.push(pieceOf(match));
    rest = rest.slice(match.index + match[0].length);
  }
  if (rest !== '') pieces.push({ kind: 'text', text: plain(rest) });
  return pieces;
}

function pieceOf([, code, reference, bold, italic, strike, emoji]: RegExpExecArray): Piece {
  if (code !== undefined) return { kind: 'code', text: plain(code) };
  if (reference !== undefined) return referenceOf(reference);
  if (bold !== undefined) return { kind: 'bold', pieces: parseLine(bold) };
  if (italic !== undefined) return { kind: 'italic', pieces: parseLine(italic) };
  if (strike !== undefined) return { kind: 'strike', pieces: parseLine(strike) };
  return { kind: 'emoji', name: emoji ?? '' };
}

/** What stands between angle brackets. */
function referenceOf(inner: string): Piece {
  const bar = inner.indexOf('|');
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? null : plain(inner.slice(bar + 1));
  if (target.startsWith('@')) return { kind: 'user', id: target.slice(1), label };
  if (target.startsWith('#')) return { kind: 'channel', id: target.slice(1), label };
  if (target.startsWith('!subteam^')) return { kind: 'group', id: target.slice('!subteam^'.length), label };
  const date = /^!date\^(\d{1,11})\^([^^]*)/.exec(target);
  if (date) return { kind: 'date', seconds: Number(date[1]), format: date[2] ?? '', fallback: label ?? '' };
  if (target.startsWith('!')) return { kind: 'everybody', word: target.slice(1) };
  const url = plain(target);
  return isWebAddress(url) ? { kind: 'link', url, label: label ?? url } : { kind: 'text', text: label ?? url };
}

/** The same without any form, for what is read out: `*A* <https://…|link>` is “A link”. */
export function withoutForm(text: string): string {
  const wordsOf = (piece: Piece): string => {
    if ('pieces' in piece) return piece.pieces.map(wordsOf).join('');
    if ('text' in piece) return piece.text;
    if (piece.kind === 'date') return piece.fallback;
    if (piece.kind === 'emoji') return '';
    return piece.kind === 'everybody' ? piece.word : (piece.label ?? '');
  };
  const passages = parseMrkdwn(text).map((passage) =>
    passage.kind === 'code-block' ? passage.text : passage.lines.map((line) => line.map(wordsOf).join('')).join(' '),
  );
  return passages.join(' ').trim();
}

/** Only these may become links: `javascript:` and the like stay text. */
export function isWebAddress(url: string): boolean {
  return /^(https?|mailto):/i.test(url) && URL.canParse(url);
}

/** Slack's three escapes; what cannot be seen is shown as a replacement character. */
export function plain(text: string): string {
  const shown = text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return shown.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
