import { scrub } from '../errors.ts';

const LONGEST = 300;

/** The error that a Python program ended with, in one line without SQL, values and secrets. */
export function readLastError(errors: string, output: string, secret: string): string {
  // What alembic itself refuses it says where it also prints its SQL.
  const refused = output.split('\n').findLast((line) => line.startsWith('FAILED: '));
  if (refused !== undefined) return scrubLine(refused, secret);
  const lines = errors.split('\n');
  const raised = lines.filter((line) =>
    /^(?:[\w.]+(?:Error|Exception|Exit|Interrupt|Warning|Violation)\b|ERROR )/.test(line),
  );
  const last = raised.at(-1) ?? lines.filter((line) => line.trim() !== '').at(-1) ?? 'it ended without saying why';
  return scrubLine(last, secret);
}

/** A line of a program that works on the database, short, without passwords and without values of records. */
export function scrubLine(line: string, secret: string): string {
  const known = [secret, encodeURIComponent(secret)].filter((text) => text !== '');
  const hidden = known.reduce((text, one) => text.replaceAll(one, '…hidden…'), line);
  const plain = scrub(hidden)
    .replace(/:\/\/[^\s@/]*@/g, '://…hidden…@')
    .replace(/\[(?:SQL|parameters):[\s\S]*$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
}
