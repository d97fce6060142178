import type { Conflict, UndoContext } from '../../system.ts';
import type { BatchBody, Change } from '../batch-body.ts';
import { sameValue } from '../encode.ts';
import { type Verdict, withdraw } from './judge-fields.ts';

type FieldsChange = Extract<Change, { form: 'fields' }>;
type Force = NonNullable<UndoContext['force']>;

/**
 * What people took of a batch: these properties and no others. A node that the run made or deleted is named by its key;
 * relationships cannot be taken. Without `force` it is the whole batch.
 */
export function takenOf(body: BatchBody, force: Force | undefined): BatchBody {
  if (!force) return body;
  const changes = body.changes.flatMap((change): Change[] => {
    if (change.form === 'relationship') return [];
    if (change.form === 'node') return force(body.collection, change.key, body.key) ? [change] : [];
    const fields = Object.entries(change.fields).filter(([name]) => force(body.collection, change.key, name));
    return fields.length > 0 ? [{ ...change, fields: Object.fromEntries(fields) }] : [];
  });
  return { ...body, changes };
}

/** Where people took it, only what others hang on a node or refer to keeps it; not what they changed in it. */
export function keepsTaken({ reason }: Conflict): boolean {
  return reason !== 'changed-since';
}

/**
 * Coupled properties go together or not at all: one may be taken where the others are, or stand as before the run.
 * `written` = all that the batch wrote, by record.
 */
export function withdrawTornApart(
  verdicts: readonly Verdict[],
  collection: string,
  groups: readonly (readonly string[])[],
  written: ReadonlyMap<string, FieldsChange['fields']>,
): void {
  for (const verdict of verdicts) {
    const { current, open, key } = verdict;
    for (const group of groups) {
      const left = group.filter((field) => !(field in verdict.written.fields));
      const torn = left.some((field) => {
        const images = written.get(key)?.[field];
        return images !== undefined && !sameValue(current.values[field] ?? null, images.before);
      });
      if (!torn) continue;
      for (const field of group) if (open.has(field)) withdraw(verdict, collection, field, 'coupled');
    }
  }
}
