import type { Conflict } from '../system.ts';

/** Values of one record as PostgreSQL's own text, which loses nothing; null is null. */
export type TextValues = { readonly [column: string]: string | null };

/** One thing that a batch did. Each kind has its opposite, so that what undoes is written down in the same form. */
export type Change =
  | { readonly did: 'insert'; readonly key: string; readonly after: TextValues }
  | { readonly did: 'update'; readonly key: string; readonly before: TextValues; readonly after: TextValues }
  | { readonly did: 'delete'; readonly key: string; readonly before: TextValues }
  | SchemaChange;

/** What every change of the schema says. Each `did` has its opposite, which undoes it. */
interface OfSchema {
  readonly name: string;
  /** It was so before, and nothing was done: then undo does nothing either. */
  readonly existed: boolean;
  /** It serves another change of the same step and is not counted by itself. */
  readonly part?: true;
}

export interface ColumnChange extends OfSchema {
  readonly did: 'add-column' | 'drop-column';
  readonly type: string;
}

export interface ConstraintChange extends OfSchema {
  readonly did: 'add-constraint' | 'drop-constraint';
  /** As `ALTER TABLE … ADD CONSTRAINT name` takes it, NOT VALID included. */
  readonly definition: string;
}

export interface ValidationChange extends OfSchema {
  readonly did: 'validate' | 'unvalidate';
}

export interface NotNullChange extends OfSchema {
  readonly did: 'set-not-null' | 'drop-not-null';
}

export interface IndexChange extends OfSchema {
  readonly did: 'create-index' | 'drop-index';
  /** A whole statement, as the catalog writes it once it is made. */
  readonly definition: string;
}

/** `name` leads: where the two columns differ, the follower takes its value. */
export interface MirrorChange extends OfSchema {
  readonly did: 'mirror' | 'unmirror';
  readonly follower: string;
  /** The follower is made with its mirror, and goes with it; absent = it is a column in its own right. */
  readonly type?: string;
}

/** From now on `name` leads and bears the default; `follower` follows and has none. */
export interface FlipChange extends OfSchema {
  readonly did: 'flip-mirror';
  readonly follower: string;
  readonly default: string | null;
}

/** Copies `source` into `name` for a range of keys: after the first, up to the last; null = no bound. */
export interface FillChange extends OfSchema {
  readonly did: 'fill-mirror' | 'leave-mirror';
  readonly source: string;
  readonly key: string;
  readonly after: string | null;
  readonly upTo: string | null;
}

/** `kept` = what the column is called meanwhile. */
export interface KeptColumnChange extends OfSchema {
  readonly did: 'set-aside-column' | 'bring-back-column';
  readonly kept: string;
}

/** `kept` = the schema in which the table lies meanwhile, under its own name; `schema` = where it belongs. */
export interface KeptTableChange extends OfSchema {
  readonly did: 'set-aside-table' | 'bring-back-table';
  readonly kept: string;
  readonly schema: string;
}

/** What was kept aside was given up for good; nothing undoes that. */
export interface ReleaseChange extends OfSchema {
  readonly did: 'release';
  readonly kept: string;
}

export type SchemaChange =
  | ColumnChange
  | ConstraintChange
  | ValidationChange
  | NotNullChange
  | IndexChange
  | MirrorChange
  | FlipChange
  | FillChange
  | KeptColumnChange
  | KeptTableChange
  | ReleaseChange;

export type RowChange = Exclude<Change, SchemaChange>;

/** What one batch wrote, and what it left as it was. Leaves the database sealed only. */
export interface JournalBody {
  readonly version: 1;
  readonly table: string;
  /** Null for changes of the schema. */
  readonly keyColumn: string | null;
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  /** For raw statements and programs, of which no changes are known: which of the two directions ran. */
  readonly ran?: 'forth' | 'back';
}

/** What may be read of a batch without the seal's key: counts, keys and names. */
export interface BatchSummary {
  readonly table: string;
  readonly keyColumn: string | null;
  readonly columns: readonly string[];
  /** First and last key of its records by code point; null where it wrote none. */
  readonly firstKey: string | null;
  readonly lastKey: string | null;
  readonly changes: number;
  readonly conflicts: number;
  /** What the caller was told. */
  readonly result: { readonly [name: string]: unknown };
}

export function isRowChange(change: Change): change is RowChange {
  return change.did === 'insert' || change.did === 'update' || change.did === 'delete';
}

/** What a change wrote to the fields of its record; null where it wrote none. */
export function writtenBy(change: Change): TextValues | null {
  return change.did === 'insert' || change.did === 'update' ? change.after : null;
}

export function encodeBody(body: JournalBody): Uint8Array {
  return Buffer.from(JSON.stringify(body));
}

/** Throws where the body is of a later form. */
export function decodeBody(bytes: Uint8Array): JournalBody {
  const body = JSON.parse(Buffer.from(bytes).toString()) as JournalBody;
  if (body.version !== 1) throw new Error(`journal body has version ${String(body.version)}, known is 1`);
  return body;
}

export function summarize(body: JournalBody, result: BatchSummary['result']): BatchSummary {
  const rows = body.changes.filter(isRowChange);
  const keys = rows.map((change) => change.key).sort(byCodePoint);
  const columns = new Set(
    rows.flatMap((change) => Object.keys(change.did === 'delete' ? change.before : change.after)),
  );
  return {
    table: body.table,
    keyColumn: body.keyColumn,
    columns: [...columns].sort(),
    firstKey: keys[0] ?? null,
    lastKey: keys.at(-1) ?? null,
    changes: body.changes.length,
    conflicts: body.conflicts.length,
    result,
  };
}

/** The order of COLLATE "C" in UTF-8. JavaScript's own puts surrogate pairs before U+E000. */
export function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
