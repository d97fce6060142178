import type { StepKind } from '../../system.ts';
import type { Store } from '../batch.ts';
import { dropKind } from '../drop-element.ts';

/** Drops an index that no constraint owns. */
export function dropIndex(store: Store): StepKind {
  return dropKind(store, 'index');
}
