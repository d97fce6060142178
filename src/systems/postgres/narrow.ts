import { Failure } from '../../shared/failure.ts';
import type { Json } from '../../shared/json.ts';
import type { CanaryOf } from '../system.ts';
import type { Source } from './kinds/source.ts';
import { checkExpression } from './statements.ts';

/**
 * A condition of this system narrowed to a canary's records; null = all of them stay. Each is checked by itself: `true) OR
 * (true` would be sound once it stands beside the other, and let all records in.
 */
export function narrowWhere(where: string, canary: string | null): string {
  if (canary === null) return where;
  return `(\n${checkExpression(where)}\n) AND (\n${checkExpression(canary)}\n)`;
}

/** A source narrowed in its own system's language. */
export function narrowSource(source: Source, canaryOf: CanaryOf): { readonly [name: string]: Json } {
  const { system, collection, key, where } = source;
  const canary = canaryOf(system, collection);
  const narrowed = [where, canary].filter((part) => part !== undefined && part !== null).map(inParentheses);
  return { system, collection, key, ...(narrowed.length > 0 ? { where: narrowed.join(' AND ') } : {}) };
}

function inParentheses(part: string, _index: number, parts: readonly string[]): string {
  if (parts.length === 1) return part;
  // The other system checks what it is asked as one condition: so no part may end a parenthesis that it did not begin.
  let depth = 0;
  for (const [sign] of part.matchAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|[()]/g)) {
    if (sign === '(') depth += 1;
    if (sign === ')') depth -= 1;
    if (depth < 0) break;
  }
  if (depth === 0) return `(\n${part}\n)`;
  throw new Failure({
    code: 'invalid-statement',
    message: `The parentheses of this condition do not balance: ${part.slice(0, 200)}.`,
    advice: 'Correct the canary or the condition in the migration.',
  });
}
