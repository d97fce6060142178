import { z } from 'zod';
import type { JsonObject } from '../../shared/json.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Conflict } from '../system.ts';
import type { Encoded } from './encode.ts';

/** One relationship of a journaled node; the other end by label and key, since internal ids do not survive a restore. */
export interface RelationshipImage {
  readonly type: string;
  /** As seen from the node. */
  readonly direction: 'out' | 'in';
  readonly other: { readonly label: string; readonly key: string; readonly value: string };
  readonly properties: { readonly [property: string]: Encoded };
}

export interface NodeImage {
  /** Sorted. */
  readonly labels: readonly string[];
  readonly properties: { readonly [property: string]: Encoded };
  readonly relationships: readonly RelationshipImage[];
}

/** What a batch did to one record. null stands for "was not there": a property, or the whole node. */
export type Change =
  | {
      readonly form: 'fields';
      readonly key: string;
      readonly fields: { readonly [property: string]: { readonly before: Encoded; readonly after: Encoded } };
    }
  | {
      readonly form: 'node';
      readonly key: string;
      readonly before: NodeImage | null;
      readonly after: NodeImage | null;
    };

/** The sealed part of a batch: before and after image of each record, in key order. */
export interface BatchBody {
  readonly version: 1;
  /** The label and the property that identify the records; empty for changes of the schema. */
  readonly collection: string;
  readonly key: string;
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  /** For changes of the schema: what was there before and after, in the kind's own form. */
  readonly schema?: { readonly before: JsonObject | null; readonly after: JsonObject | null };
}

const envelope = z.object({
  version: z.literal(1),
  collection: z.string(),
  key: z.string(),
  changes: z.array(z.object({ form: z.enum(['fields', 'node']), key: z.string() }).loose()),
  conflicts: z.array(z.object({ reason: z.string() }).loose()),
});

/** The journal key is the seal's label: a body moved to another batch does not open. */
export async function sealBody(seal: Seal, journalKey: string, body: BatchBody): Promise<Int8Array> {
  const sealed = await seal.seal(Buffer.from(JSON.stringify(body)), journalKey);
  return new Int8Array(sealed.buffer, sealed.byteOffset, sealed.byteLength);
}

/** Throws when the body was altered, moved, sealed with another key or written by a newer version. */
export async function openBody(seal: Seal, journalKey: string, sealed: Int8Array): Promise<BatchBody> {
  const bytes = new Uint8Array(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const body: unknown = JSON.parse((await seal.open(bytes, journalKey)).toString());
  envelope.parse(body);
  return body as BatchBody;
}

/** The value that a change gave to a property; undefined where it did not write it. */
export function writtenValue(change: Change, property: string): Encoded | undefined {
  if (change.form === 'fields') return change.fields[property]?.after;
  return change.after?.properties[property];
}

/** The properties that any of the changes wrote, sorted. */
export function fieldsOf(changes: readonly Change[]): string[] {
  const names = new Set<string>();
  for (const change of changes) {
    const fields = change.form === 'fields' ? change.fields : (change.after ?? change.before)?.properties;
    for (const name of Object.keys(fields ?? {})) names.add(name);
  }
  return [...names].sort();
}
