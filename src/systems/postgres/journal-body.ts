import type { Conflict } from '../system.ts';

/** Values of one record as PostgreSQL's own text, which loses nothing; null is null. */
export type TextValues = { readonly [column: string]: string | null };

/** One thing that a batch did. Each kind has its opposite, so that what undoes is written down in the same form. */
export type Change =
  | { readonly did: 'insert'; readonly key: string; readonly after: TextValues }
  | { readonly did: 'update'; readonly key: string; readonly before: TextValues; readonly after: TextValues }
  | { readonly did: 'delete'; readonly key: string; readonly before: TextValues }
  | SchemaChange;

/** A change of the schema. `existed` = it was so before, and nothing was done: then undo does nothing either. */
export type SchemaChange =
  | {
      readonly did: 'add-column' | 'drop-column';
      readonly name: string;
      readonly type: string;
      readonly existed: boolean;
    }
  | {
      readonly did: 'add-constraint' | 'drop-constraint';
      readonly name: string;
      /** As `ALTER TABLE … ADD CONSTRAINT name` takes it, NOT VALID included. */
      readonly definition: string;
      readonly existed: boolean;
    }
  | { readonly did: 'validate' | 'unvalidate'; readonly name: string; readonly existed: boolean };

export type RowChange = Exclude<Change, SchemaChange>;

/** What one batch wrote, and what it left as it was. Leaves the database sealed only. */
export interface JournalBody {
  readonly version: 1;
  readonly table: string;
  /** Null for changes of the schema. */
  readonly keyColumn: string | null;
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
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
