import { z } from 'zod';
import type { JsonObject } from '../../shared/json.ts';
import type { Conflict } from '../system.ts';

export const fieldType = z.enum(['text', 'int', 'float', 'bool']);

const valueSchema = z.union([z.string().max(10_000), z.number(), z.boolean()]);

/** A field and how each vector gets its value. */
export const fieldSpecSchema = z.strictObject({
  field: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'letters, digits and underscores')
    .describe('The new field.'),
  type: fieldType.describe('Its type.'),
  value: valueSchema.describe(
    'What each vector gets; with `from` only those whose source has none or one of another type. Also what vectors get that are written later by writers that do not know the field.',
  ),
  from: z
    .string()
    .regex(/^[A-Za-z_][\w]*(\.[\w]+)*$/)
    .optional()
    .describe('A field of the same vector whose value it takes over, e.g. metadata.tenant_id.'),
});
export type FieldSpec = z.infer<typeof fieldSpecSchema>;

/** How old vectors become new ones. */
export const mapSchema = z.strictObject({
  rename: z.record(z.string(), z.string()).default({}).describe('Old name → new name.'),
  drop: z.array(z.string()).default([]).describe('Fields that the new version does not have.'),
  add: z.array(fieldSpecSchema).default([]).describe('Fields that only the new version has.'),
});
export type VersionMap = z.infer<typeof mapSchema>;

/** A field is added to a dataset in a commit with this message. */
export interface AddFieldChange {
  readonly did: 'add-field';
  readonly key: string;
  readonly spec: FieldSpec;
  readonly message: string;
  /** Vectors. */
  readonly count: number;
  /** It may be there already, with vectors that have no value in it (undo of an undo). */
  readonly fill: boolean;
}

/** It is taken away again; `mine` are the messages of the commits that made it. */
export interface RemoveFieldChange {
  readonly did: 'remove-field';
  readonly key: string;
  readonly spec: FieldSpec;
  readonly message: string;
  readonly mine: readonly string[];
  readonly count: number;
}

/** Vectors after one id, up to another, are brought into the new version. */
export interface CopyRowsChange {
  readonly did: 'copy-rows';
  readonly key: string;
  readonly source: string;
  readonly map: VersionMap;
  readonly message: string;
  readonly after: string | null;
  /** Null = the dataset holds none. */
  readonly upTo: string | null;
  readonly count: number;
}

/** What came, went or changed meanwhile is brought too. */
export interface CatchUpChange {
  readonly did: 'catch-up';
  readonly key: string;
  readonly source: string;
  readonly message: string;
  readonly count: 0;
}

/** The new version goes; `prefix` begins the messages of its own commits. */
export interface DropVersionChange {
  readonly did: 'drop-version';
  readonly key: string;
  readonly source: string;
  readonly map: VersionMap;
  readonly count: number;
}

/** Two datasets change places. `old` and `new` are the folders' own numbers; afterwards `old` lies under `final`. */
export interface SwapChange {
  readonly did: 'swap';
  readonly key: string;
  readonly other: string;
  readonly final: string;
  readonly old: string;
  readonly new: string;
  /** The version of the new one that came under the name. */
  readonly since: string;
  readonly message: string;
  readonly count: 1;
  /** What users did in the dataset under the name since this version of it is carried over first; null = nothing is. */
  readonly carrySince: string | null;
  /** The new one is brought up to date with the old one first. */
  readonly catchUp: boolean;
}

/** What a swap kept aside goes for good. */
export interface ReleaseChange {
  readonly did: 'release';
  readonly key: string;
  readonly aside: string;
  readonly old: string;
  readonly count: 1;
}

export type Change =
  | AddFieldChange
  | RemoveFieldChange
  | CopyRowsChange
  | CatchUpChange
  | DropVersionChange
  | SwapChange
  | ReleaseChange;

/** What a batch is going to do: written before anything is done, and never changed. */
export interface Intent {
  readonly version: 1;
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  /** Where the next batch begins; null = nowhere. */
  readonly cursor: string | number | null;
  readonly missing: number;
}

/** What came of it. */
export interface Outcome {
  readonly cursor: string | number | null;
  readonly done: number;
  readonly kept: number;
  readonly missing: number;
  /** In place of the intent's, where the deed met others. */
  readonly conflicts: readonly Conflict[];
}

/** A change before and after, for people. */
export function imagesOf(change: Change): { before: JsonObject; after: JsonObject } {
  switch (change.did) {
    case 'add-field':
      return {
        before: { [change.spec.field]: null },
        after: { [change.spec.field]: change.spec.from ?? change.spec.value },
      };
    case 'remove-field':
      return {
        before: { [change.spec.field]: change.spec.from ?? change.spec.value },
        after: { [change.spec.field]: null },
      };
    case 'copy-rows':
    case 'catch-up':
      return { before: { dataset: change.source }, after: { dataset: change.key } };
    case 'drop-version':
      return { before: { dataset: change.key }, after: { dataset: null } };
    case 'swap':
      return { before: { dataset: change.key }, after: { dataset: change.other } };
    case 'release':
      return { before: { dataset: change.aside }, after: { dataset: null } };
  }
}
