import { checkExpression } from './expression.ts';

/**
 * A condition narrowed to a canary's records, as it stands in a migration file; null = all of them stay. Each is checked by
 * itself: `true) OR (true` would be sound once it stands beside the other, and let all records in.
 */
export function narrowWhere(where: string, canary: string | null): string {
  if (canary === null) return where;
  checkExpression('where', where);
  checkExpression('canary', canary);
  return `(${where}) AND (${canary})`;
}
