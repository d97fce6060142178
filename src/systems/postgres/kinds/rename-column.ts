import { z } from 'zod';
import type { Finding } from '../../finding.ts';
import type { BatchRequest, StepKind } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import type { Session } from '../database.ts';
import { findDependents } from '../dependents.ts';
import { quoteName } from '../identifiers.ts';
import type { FillChange } from '../journal-body.ts';
import { countDifferent, createMirror, fillRange, findMirror, type Mirror, pageOfKeys } from '../mirror.ts';
import {
  defineSchemaKind,
  inTheWay,
  momentLock,
  refuseFailed,
  type SchemaLook,
  type SchemaOutcome,
  standing,
} from '../schema-kind.ts';
import { findSideEffects } from '../side-effects.ts';
import { type Column, needColumn, needTable, type Table } from '../table.ts';

const inputSchema = z.strictObject({
  table: z.string().describe('The table, as `table` or `schema.table`'),
  from: z.string().describe('The name that old versions of the application use'),
  to: z.string().describe('The name that new versions use'),
  key: z.string().optional().describe('A unique column to go through the rows by; absent = the primary key'),
});
type Input = z.infer<typeof inputSchema>;

const BYTES_A_ROW = 300;

/**
 * The first half of a rename (expand): both names, kept equal by a trigger, so that old and new versions of the
 * application work at the same time. `postgres.drop-column` of the old name is the second half. The new column has no
 * default of its own meanwhile: it takes what the old one gets.
 */
export function renameColumnKind(setting: KindSetting): StepKind {
  return defineSchemaKind<Input>(setting, {
    name: 'postgres.rename-column',
    effect: 'changes',
    input: inputSchema,
    describe: ({ table, from, to }) => `gives ${table}.${from} the second name ${to} and keeps both equal`,
    writes: ({ table, from, to }) => [from, to].map((field) => ({ collection: table, field })),
    table: ({ table }) => table,
    locks: ({ table }) => [table],
    rights: ({ table }) => [{ table, rights: ['OWN', 'SELECT', 'UPDATE', 'CREATE'] }],
    look,
    changesRows: ({ cursor }) => cursor !== null,
    perform: (session, input, batch) =>
      batch.cursor === null ? expand(session, input) : fillNext(session, input, batch),
    async verify(session, input) {
      const table = await needTable(session, input.table);
      const mirror = await findMirror(session, table, input.from, input.to);
      const different = mirror ? await countDifferent(session, table, input.from, input.to) : 0;
      return [
        standing(
          'columns-mirrored',
          `${input.from} and ${input.to} of ${input.table} are kept equal`,
          mirror?.enabled === true,
        ),
        {
          check: 'columns-equal',
          title: `${input.from} and ${input.to} of ${input.table} are equal in every row`,
          status: different === 0 ? 'passed' : 'failed',
          count: different,
          samples: [],
        },
      ];
    },
  });
}

/** What stands in the database now about both names. */
interface Standing {
  readonly table: Table;
  readonly from: Column;
  readonly mirror: Mirror | null;
  readonly key: Column | null;
  readonly findings: readonly Finding[];
}

async function compare(session: Session, input: Input): Promise<Standing> {
  const table = await needTable(session, input.table);
  const from = needColumn(table, input.from);
  const mirror = await findMirror(session, table, input.from, input.to);
  const key = await keyOf(session, table, input);
  const findings: Finding[] = [];
  const refuse = (title: string, advice: string) => findings.push(inTheWay('rename-possible', title, advice));
  quoteName(input.to);
  if (table.columns.has(input.to) && !mirror) {
    refuse(
      `${input.table} has a column ${input.to} already`,
      'Choose another name, or fill that one by postgres.backfill-column.',
    );
  }
  if (from.generated || from.identity) {
    refuse(`The server computes ${input.table}.${input.from} itself`, 'Add the new column by a step of its own.');
  }
  if (!key) refuse(`${input.table} has no key of one column to go by`, 'Name a unique column as `key`.');
  return { table, from, mirror, key, findings };
}

async function look(session: Session, input: Input): Promise<SchemaLook> {
  const { table, from, mirror, findings } = await compare(session, input);
  const rows = mirror
    ? await countDifferent(session, table, input.from, input.to)
    : await countFilled(session, table, input.from);
  const effects = await findSideEffects(session, table, ['update'], [input.to]);
  const users = mirror ? [] : await findDependents(session, table, input.from);
  return {
    count: rows + (mirror ? 0 : 1),
    key: [input.table, input.from, input.to],
    relied: { oid: table.oid, from: { ...from }, mirror: mirror ? mirror.leader : null },
    locks: [momentLock([input.table], 'reads or writes')],
    bytes: 1000 + rows * BYTES_A_ROW,
    findings: [
      ...findings,
      ...effects,
      ...notCopied(
        input,
        users.map(({ words }) => words),
      ),
    ],
  };
}

/** What stands on the old name has to be made for the new one, by steps of its own. */
function notCopied(input: Input, users: readonly string[]): Finding[] {
  if (users.length === 0) return [];
  return [
    {
      check: 'not-copied',
      title: `These stand on ${input.table}.${input.from} and not on ${input.to}`,
      status: 'warning',
      count: users.length,
      samples: users.slice(0, 5),
      advice: `Make what ${input.to} needs by steps of their own (postgres.create-index, postgres.add-check …) before ${input.from} is dropped.`,
    },
  ];
}

async function expand(session: Session, input: Input): Promise<SchemaOutcome> {
  const { table, from, mirror, findings } = await compare(session, input);
  refuseFailed([...findings, ...(await findSideEffects(session, table, ['update'], [input.to]))]);
  const type = `${from.type}${await collationOf(session, table, input.from)}`;
  const existed = mirror !== null;
  if (!mirror) {
    await session.rows(`ALTER TABLE ${table.sql} ADD COLUMN ${quoteName(input.to)} ${type}`, []);
    await createMirror(session, table, input.from, input.to);
  }
  return {
    changes: [{ did: 'mirror', name: input.from, follower: input.to, type, existed }],
    // Where the new name leads already, it holds newer values: nothing is copied over them.
    cursor: mirror?.leader === input.to ? null : { after: null },
    done: existed ? 0 : 1,
  };
}

async function fillNext(session: Session, input: Input, batch: BatchRequest): Promise<SchemaOutcome> {
  const { table, key } = await compare(session, input);
  if (!key) throw new Error('the key is gone since the first batch');
  const { after } = batch.cursor as { readonly after: string | null };
  const keys = await pageOfKeys(session, table, key, after, batch.size);
  // Rows that come in later are the trigger's.
  const upTo = keys.length < batch.size ? null : (keys.at(-1) ?? null);
  const range = { did: 'fill-mirror', name: input.to, source: input.from, key: key.name, after, upTo } as const;
  const change: FillChange = { ...range, existed: false, part: true };
  const done = await fillRange(session, table, change);
  return { changes: [change], cursor: upTo === null ? null : { after: upTo }, done };
}

async function keyOf(session: Session, table: Table, input: Input): Promise<Column | null> {
  if (input.key !== undefined) {
    const named = needColumn(table, input.key);
    return named.unique ? named : null;
  }
  return primaryKey(session, table);
}

/** The primary key where it is one column; null otherwise. */
export async function primaryKey(session: Session, table: Table): Promise<Column | null> {
  const [row] = await session.rows<{ name: string }>(
    `SELECT a.attname AS name FROM pg_catalog.pg_index i
       JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
     WHERE i.indrelid = $1::oid AND i.indisprimary AND i.indnkeyatts = 1`,
    [table.oid],
  );
  return row ? (table.columns.get(row.name) ?? null) : null;
}

async function collationOf(session: Session, table: Table, column: string): Promise<string> {
  const [row] = await session.rows<{ name: string }>(
    `SELECT quote_ident(n.nspname) || '.' || quote_ident(c.collname) AS name FROM pg_catalog.pg_attribute a
       JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
       JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
     WHERE a.attrelid = $1::oid AND a.attname = $2 AND a.attcollation <> t.typcollation`,
    [table.oid, column],
  );
  return row ? ` COLLATE ${row.name}` : '';
}

async function countFilled(session: Session, table: Table, column: string): Promise<number> {
  const [row] = await session.rows(`SELECT count(r.${quoteName(column)}) AS n FROM ${table.sql} r`, []);
  return Number(row?.n ?? 0);
}
