import { z } from 'zod';
import type { JsonObject } from '../../shared/json.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Conflict } from '../system.ts';
import { type Encoded, sameValue } from './encode.ts';

/** An end of a relationship by label and key, since internal ids do not survive a restore. */
export interface EndImage {
  readonly label: string;
  readonly key: string;
  readonly value: string;
}

/** One relationship of a journaled node. */
export interface RelationshipImage {
  readonly type: string;
  /** As seen from the node. */
  readonly direction: 'out' | 'in';
  readonly other: EndImage;
  readonly properties: { readonly [property: string]: Encoded };
}

export interface NodeImage {
  /** Sorted. */
  readonly labels: readonly string[];
  readonly properties: { readonly [property: string]: Encoded };
  readonly relationships: readonly RelationshipImage[];
}

/** A relationship before or after a change. */
export interface RelationshipSide {
  readonly type: string;
  /** What tells it apart from others between the same ends (`_tas_id`); null where it has none. */
  readonly stamp: string | null;
  /** Without the bot's own. */
  readonly properties: { readonly [property: string]: Encoded };
}

/** What a batch did to one relationship; its ends stay the same. */
export interface RelationshipChange {
  readonly form: 'relationship';
  /** The key of the end that it begins at. */
  readonly key: string;
  readonly from: EndImage;
  readonly to: EndImage;
  readonly before: RelationshipSide | null;
  readonly after: RelationshipSide | null;
}

/** What a batch did to one record. null stands for "was not there": a property, the whole node or relationship. */
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
    }
  | RelationshipChange;

/** The sealed part of a batch: before and after image of each record, in key order. */
export interface BatchBody {
  readonly version: 1;
  /**
   * The label and the property that identify the records; for relationships their type, and the property that identifies
   * the end that they begin at; empty for changes of the schema.
   */
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
  changes: z.array(z.object({ form: z.enum(['fields', 'node', 'relationship']), key: z.string() }).loose()),
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

/** The properties of a relationship that a change wrote. */
export function relationshipFields({ before, after }: RelationshipChange): {
  [property: string]: { before: Encoded; after: Encoded };
} {
  const fields: { [property: string]: { before: Encoded; after: Encoded } } = Object.create(null);
  for (const name of new Set([before, after].flatMap((side) => Object.keys(side?.properties ?? {})))) {
    const images = { before: before?.properties[name] ?? null, after: after?.properties[name] ?? null };
    if (!sameValue(images.before, images.after)) fields[name] = images;
  }
  return fields;
}

/** The value that a change gave to a property; undefined where it did not write it. */
export function writtenValue(change: Change, property: string): Encoded | undefined {
  if (change.form === 'fields') return change.fields[property]?.after;
  if (change.form === 'relationship') return relationshipFields(change)[property]?.after;
  return change.after?.properties[property];
}

function namesOf(change: Change): string[] {
  if (change.form === 'fields') return Object.keys(change.fields);
  if (change.form === 'relationship') return Object.keys(relationshipFields(change));
  return Object.keys((change.after ?? change.before)?.properties ?? {});
}

/** The properties that any of the changes wrote, sorted. */
export function fieldsOf(changes: readonly Change[]): string[] {
  return [...new Set(changes.flatMap(namesOf))].sort();
}
