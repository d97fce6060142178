import { Failure } from '../shared/failure.ts';
import type { UndoContext } from '../systems/system.ts';
import type { PlanStep, TakenConflict } from './plan.ts';

/** Reads `<system>:<Collection>.<field>:<key>`, as the report of an undo names a conflict. Throws `wrong-use`. */
export function parseTake(text: string): TakenConflict {
  const match = /^(?<system>[a-z][a-z0-9-]*):(?<collection>[^.:]+)\.(?<field>[^:]+):(?<key>.+)$/s.exec(text);
  if (match?.groups) {
    const { system = '', collection = '', field = '', key = '' } = match.groups;
    return { system, collection, field, key };
  }
  throw new Failure({
    code: 'wrong-use',
    message: 'That does not name a conflict.',
    advice:
      'Write `take:<system>:<Collection>.<field>:<key>`; `/tas runs <run>` lists the conflicts. Nothing was done.',
  });
}

/** What a store's undo asks, field by field; absent where no conflict was taken. */
export function forceOf(
  takes: readonly TakenConflict[] | undefined,
  system: string | null,
): Pick<UndoContext, 'force'> {
  if (!takes || takes.length === 0) return {};
  const nameOf = (collection: string, key: string, field: string): string => JSON.stringify([collection, key, field]);
  const taken = new Set(
    takes.filter((take) => take.system === system).map((take) => nameOf(take.collection, take.key, take.field)),
  );
  return { force: (collection, key, field) => taken.has(nameOf(collection, key, field)) };
}

/**
 * Whether values that newer records refer to stay although their conflict was taken. Of a field people have read what
 * refers to it; a whole record that the run made would leave those records pointing at nothing.
 */
export function isHeldBack(step: Pick<PlanStep, 'effect'>): boolean {
  return step.effect === 'adds';
}
