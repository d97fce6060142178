import { isDeepStrictEqual } from 'node:util';
import type { Conflict } from '../system.ts';
import {
  type Change,
  type CreateChange,
  conflictOf,
  type FieldsChange,
  holdsAll,
  type RemoveChange,
  readNow,
} from './change.ts';
import type { Cluster } from './client.ts';
import { patchTo } from './fields.ts';

/** What came of one change: done, or left alone with the reason. */
export type Applied =
  | { readonly done: true; readonly made?: string }
  | { readonly done: false; readonly conflict: Conflict };

/** Objects that the bot makes name the part that made them, so that a second call knows its own. */
export const madeBy = 'tas-bot/made-by';

/** Brings one object to what the intent says; may be called again. `mark` names run, step and part. */
export function applyChange(cluster: Cluster, change: Change, mark: string): Promise<Applied> {
  switch (change.did) {
    case 'fields':
      return applyFields(cluster, change);
    case 'create':
      return applyCreate(cluster, change, mark);
    case 'remove':
      return applyRemove(cluster, change);
  }
}

/** All fields or none, on the version that was compared. */
async function applyFields(cluster: Cluster, change: FieldsChange): Promise<Applied> {
  const { object, uid, before, after } = change;
  for (;;) {
    const found = await cluster.get(object);
    if (found === null || found.metadata.uid !== uid) return gone(object);
    if (holdsAll(found, change, after)) return { done: true };
    for (const path of Object.keys(after)) {
      const theirs = readNow(found, change, path);
      const [base = null, ours = null] = [before[path], after[path]];
      // A field may stand at its new value already: a first call was killed, or somebody did the same by hand.
      if (isDeepStrictEqual(theirs, base) || isDeepStrictEqual(theirs, ours)) continue;
      return { done: false, conflict: conflictOf(object, path, 'changed-since', { base, ours, theirs }) };
    }
    const patched = await cluster.patch(object, found.metadata.resourceVersion, patchTo(found, after));
    if (patched) return { done: true };
  }
}

async function applyCreate(cluster: Cluster, { object, manifest }: CreateChange, mark: string): Promise<Applied> {
  const metadata = manifest.metadata as { readonly annotations?: { readonly [name: string]: string } } | undefined;
  const annotations = { ...metadata?.annotations, [madeBy]: mark };
  const named = { ...metadata, name: object.name, namespace: object.namespace, annotations };
  const made = await cluster.create(object.kind, object.namespace, { ...manifest, metadata: named });
  if (made) return { done: true, made: made.metadata.uid };
  const found = await cluster.get(object);
  if (found?.metadata.annotations?.[madeBy] === mark) return { done: true, made: found.metadata.uid };
  const conflict = conflictOf(object, '/metadata/name', 'value-taken', {
    base: null,
    ours: object.name,
    theirs: object.name,
  });
  return { done: false, conflict };
}

async function applyRemove(cluster: Cluster, { object, uid }: RemoveChange): Promise<Applied> {
  const found = await cluster.get(object);
  if (found !== null && found.metadata.uid === uid) await cluster.remove(object, uid);
  return { done: true };
}

function gone(object: FieldsChange['object']): Applied {
  const conflict = conflictOf(object, '/metadata/name', 'missing', {
    base: object.name,
    ours: object.name,
    theirs: null,
  });
  return { done: false, conflict };
}
