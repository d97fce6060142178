import { z } from 'zod';
import type { Finding } from '../../finding.ts';
import type { StepContext, StepKind } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import type { Session } from '../database.ts';
import { dropEmptySchema, findKeptTable, moveAside } from '../deeds/kept-deeds.ts';
import { findMentions, findTableDependents } from '../dependents.ts';
import { parseTableName } from '../identifiers.ts';
import type { KeptTableChange } from '../journal-body.ts';
import { releaseOf, shortOf } from '../kept.ts';
import {
  defineSchemaKind,
  inTheWay,
  momentLock,
  refuseFailed,
  type SchemaLook,
  type SchemaOutcome,
  standing,
} from '../schema-kind.ts';
import { findTable, type Table } from '../table.ts';
import { mentioned } from './drop-column.ts';

const inputSchema = z.strictObject({
  table: z.string().describe('The table that the application no longer uses, as `table` or `schema.table`'),
});
type Input = z.infer<typeof inputSchema>;

/**
 * Takes a table away from the application and keeps it aside, with its indexes, triggers and sequences, in a schema of its
 * own until it is released: so its names are free meanwhile.
 */
export function dropTableKind(setting: KindSetting): StepKind {
  return defineSchemaKind<Input>(setting, {
    name: 'postgres.drop-table',
    effect: 'destroys',
    undoClass: 'reversible-until',
    input: inputSchema,
    describe: ({ table }) => `drops the table ${table}, kept aside until it is released`,
    table: ({ table }) => table,
    locks: ({ table }) => [table],
    rights: ({ table }) => [{ table, rights: ['OWN', 'SELECT', 'CREATE', 'SCHEMA'] }],
    look,
    perform: (session, input, _batch, context) => perform(session, input, context),
    async verify(session, input) {
      return [
        standing('table-gone', `There is no table ${input.table}`, (await findTable(session, input.table)) === null),
      ];
    },
    release: releaseOf<Input>(setting, {
      table: ({ table }) => table,
      async find(session, change) {
        const kept = await findKeptTable(session, change as KeptTableChange);
        return kept && { users: (await findTableDependents(session, kept)).map(({ words }) => words) };
      },
      async drop(session, change) {
        const kept = await findKeptTable(session, change as KeptTableChange);
        if (!kept) return;
        await session.rows(`DROP TABLE ${kept.sql} RESTRICT`, []);
        await dropEmptySchema(session, change.kept);
      },
    }),
  });
}

async function look(session: Session, input: Input): Promise<SchemaLook> {
  const table = await findTable(session, input.table);
  const locks = [momentLock([input.table], 'reads or writes')];
  if (!table) {
    const title = `There is no table ${input.table}: there is nothing to drop`;
    const finding = { check: 'table-there', title, status: 'warning' as const, count: 0, samples: [] };
    return { count: 0, key: [], relied: null, locks, findings: [finding] };
  }
  const [row] = await session.rows(`SELECT count(*) AS n FROM ${table.sql}`, []);
  const count = Number(row?.n ?? 0);
  const aside: Finding = {
    check: 'kept-aside',
    title: `${input.table} holds ${count} rows; they are kept aside`,
    status: count > 0 ? 'warning' : 'passed',
    count,
    samples: [],
  };
  const mentions = await findMentions(session, [parseTableName(input.table).name]);
  return {
    count: 1,
    // The table itself, not its rows: those may come and go.
    key: [input.table, table.oid],
    relied: { columns: [...table.columns.values()].map((column) => ({ ...column })) },
    locks,
    findings: [...(await findUsers(session, input, table)), aside, ...mentioned(mentions)],
  };
}

async function perform(session: Session, input: Input, context: StepContext): Promise<SchemaOutcome> {
  const table = await findTable(session, input.table);
  if (!table) return { changes: [], cursor: null, done: 0 };
  refuseFailed(await findUsers(session, input, table));
  const [place] = await session.rows<{ schema: string }>(
    `SELECT n.nspname AS schema FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = $1::oid`,
    [table.oid],
  );
  const kept = `tas_kept_${shortOf(context, 10)}`;
  await moveAside(session, table.sql, kept);
  const change = { did: 'set-aside-table' as const, name: input.table, kept, schema: place?.schema ?? 'public' };
  return { changes: [{ ...change, existed: false }], cursor: null, done: 1 };
}

async function findUsers(session: Session, input: Input, table: Table): Promise<Finding[]> {
  const users = (await findTableDependents(session, table)).map(({ words }) => words);
  if (users.length === 0) return [];
  const title = `${input.table} is used by ${users.slice(0, 5).join(', ')}`;
  return [inTheWay('nothing-depends', title, 'Change or drop them first; the table is as it was.', users)];
}
