import type { StepKind } from '../../system.ts';
import type { Store } from '../batch.ts';
import { dropKind } from '../drop-element.ts';

/** Drops a constraint of any sort. Undo makes it anew, unless values stand twice by then. */
export function dropConstraintByName(store: Store): StepKind {
  return dropKind(store, 'constraint');
}
