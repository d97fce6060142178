import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '../../shared/json.ts';
import type { Conflict } from '../system.ts';
import { type FieldPath, type Fields, readField } from './fields.ts';
import type { Manifest } from './manifest.ts';
import type { ObjectRef } from './resources.ts';

/** Fields of one object, before and after. Done only while the object is the same one and holds what was before. */
export interface FieldsChange {
  readonly did: 'fields';
  readonly object: ObjectRef;
  readonly uid: string;
  readonly before: Fields;
  readonly after: Fields;
  /** Values that the server takes where a field is absent, and may put there by itself. */
  readonly absent?: Fields;
  /** What goes along with the step's own objects and is not counted: suspending an autoscaler, a mark on a workload. */
  readonly aside?: true;
}

/** An object is made. Its manifest may hold secrets: it lies sealed in the journal only. */
export interface CreateChange {
  readonly did: 'create';
  readonly object: ObjectRef;
  readonly manifest: JsonObject;
  readonly aside?: true;
}

/** Exactly this object is removed. */
export interface RemoveChange {
  readonly did: 'remove';
  readonly object: ObjectRef;
  readonly uid: string;
  /** As it was, without what the server fills in: what an undo makes again. */
  readonly manifest: JsonObject;
  readonly aside?: true;
}

export type Change = FieldsChange | CreateChange | RemoveChange;

/** The field as it is now, or what the server takes where it is absent. */
export function readNow(manifest: Manifest, { absent }: FieldsChange, path: FieldPath): Json {
  return readField(manifest, path) ?? absent?.[path] ?? null;
}

/** True where all fields of the change have these values now. */
export function holdsAll(manifest: Manifest, change: FieldsChange, values: Fields): boolean {
  return Object.keys(change.after).every((path) =>
    isDeepStrictEqual(readNow(manifest, change, path), values[path] ?? null),
  );
}

/** What a part of a step is going to do: written before anything is done, and never changed. */
export interface Intent {
  readonly version: 1;
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
}

/** What came of it. */
export interface Outcome {
  /** Changes that are not `aside`. */
  readonly done: number;
  readonly kept: number;
  readonly missing: number;
  /** By number of the change: what somebody changed between intent and deed was left alone. */
  readonly lost: readonly { readonly change: number; readonly conflict: Conflict }[];
  /** UIDs of objects that were made, by number of the change. */
  readonly made: { readonly [change: string]: string };
}

/** A field of an object that an undo, or a step, leaves as somebody made it since. */
export function conflictOf(
  object: ObjectRef,
  field: string,
  reason: Conflict['reason'],
  values: Pick<Conflict, 'base' | 'ours' | 'theirs'>,
): Conflict {
  return {
    collection: `${object.namespace}/${object.kind}`,
    key: object.name,
    field: plainField(field),
    reason,
    ...values,
  };
}

/** `/spec/replicas` as people say it: `spec.replicas`. */
export function plainField(path: string): string {
  return path.slice(1).split('/').join('.').replaceAll('~1', '/').replaceAll('~0', '~');
}
