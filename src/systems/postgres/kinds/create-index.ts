import { z } from 'zod';
import type { Finding } from '../../finding.ts';
import { type BatchRequest, type BatchResult, defineStepKind, type StepContext, type StepKind } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import { runConcurrently } from '../concurrent-batch.ts';
import type { Session } from '../database.ts';
import { canonicalExpression, placeOf, type ReadingPlace, readExpressions } from '../expressions.ts';
import { quoteName } from '../identifiers.ts';
import { previewIndexUndo, undoIndex } from '../index-undo.ts';
import { findIndex, findIndexes, indexStatement, makeIndex, type StandingIndex } from '../indexes.ts';
import type { IndexChange } from '../journal-body.ts';
import { findMissingRights } from '../rights.ts';
import { asPreview, inTheWay, refuseFailed, type SchemaLook, standing, withoutLook } from '../schema-kind.ts';
import { needTable, type Table } from '../table.ts';
import { columnToCome, keyText } from '../violations.ts';

const inputSchema = z
  .strictObject({
    table: z.string().describe('The table, as `table` or `schema.table`'),
    name: z.string().describe("The index's name"),
    columns: z.array(z.string()).min(1).optional().describe('Its columns, in order'),
    expressions: z.array(z.string()).min(1).optional().describe('Or SQL expressions over the columns, in order'),
    unique: z.boolean().default(false).describe('No two rows may hold the same values'),
    where: z.string().optional().describe('Only rows that fulfil this SQL condition'),
    method: z.enum(['btree', 'hash', 'gin', 'gist', 'spgist', 'brin']).default('btree').describe('How it is built'),
    mended: z
      .boolean()
      .default(false)
      .describe('An earlier step of this migration mends the duplicates: they are then a warning in the plan'),
  })
  .refine(({ columns, expressions }) => (columns === undefined) !== (expressions === undefined), {
    message: 'name either columns or expressions',
  })
  .refine(({ unique, method }) => !unique || method === 'btree', { message: 'only btree indexes can be unique' });
type Input = z.infer<typeof inputSchema>;

/** Makes an index while readers and writers go on (CONCURRENTLY). An equal one of this name is taken. */
export function createIndexKind(setting: KindSetting): StepKind {
  const read = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
    setting.database.transact({ readOnly: true, statementTimeout: 600_000 }, work);
  return defineStepKind<Input>({
    name: 'postgres.create-index',
    effect: 'adds',
    input: inputSchema,
    describe: ({ table, name, unique }) => `makes the ${unique ? 'unique ' : ''}index ${name} of ${table}`,
    preview: (input) =>
      read(async (session) => {
        const missing = await findMissingRights(session, [{ table: input.table, rights: ['OWN', 'SELECT', 'CREATE'] }]);
        return missing.length > 0
          ? { ...withoutLook, findings: missing }
          : asPreview(await look(session, input), 'reversible');
      }),
    performBatch: (input, batch, context) => performBatch(setting, input, batch, context),
    verify: (input) =>
      read(async (session) => {
        const { equal } = await compare(session, input);
        return [standing('index-valid', `${input.table} has the index ${input.name}, valid`, equal?.valid === true)];
      }),
    previewUndo: ({ table }, context) => previewIndexUndo(setting, context, table),
    undoBatch: ({ table }, batch, context) => undoIndex(setting, batch, context, table),
    narrow: () => null,
  });
}

async function performBatch(
  setting: KindSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  return runConcurrently<BatchResult>(setting, context, batch, {
    tables: [input.table],
    lockName: `index of ${input.table}`,
    async plan(session) {
      const { table, place, equal, findings } = await compare(session, input);
      refuseFailed(findings);
      refuseFailed(
        columnToCome(input.table, place.missing).map((finding) => ({ ...finding, status: 'failed' as const })),
      );
      if (!equal?.valid) refuseFailed(await findDuplicates(session, input, table, false));
      const definition = equal?.valid ? equal.definition : statementOf(input, table);
      // An invalid one serves nobody: what stands in its place afterwards is ours.
      const change: IndexChange = { did: 'create-index', name: input.name, definition, existed: equal?.valid === true };
      const body = { version: 1 as const, table: input.table, keyColumn: null, changes: [change], conflicts: [] };
      return { body, open: !change.existed, result: { cursor: null, done: change.existed ? 0 : 1 } };
    },
    async act(session, body) {
      const table = await needTable(session, input.table);
      const made = await makeIndex(session, table, input.name, statementOf(input, table));
      const change: IndexChange = {
        did: 'create-index',
        name: input.name,
        definition: made.definition,
        existed: false,
      };
      return { ...body, changes: [change] };
    },
  });
}

/** What stands in the database now under the index's name, and beside it. */
interface Standing {
  readonly table: Table;
  readonly place: ReadingPlace;
  /** Of the same meaning, whether valid or not. */
  readonly equal: StandingIndex | null;
  readonly findings: readonly Finding[];
}

async function compare(session: Session, input: Input): Promise<Standing> {
  const table = await needTable(session, input.table);
  quoteName(input.name);
  const keys = keysOf(input);
  const place = await readExpressions(session, table, [...keys, ...(input.where === undefined ? [] : [input.where])]);
  const findings: Finding[] = [];
  const refuse = (title: string, advice: string) => findings.push(inTheWay('index-possible', title, advice));
  const [kind] = await session.rows('SELECT relkind AS k FROM pg_catalog.pg_class WHERE oid = $1::oid', [table.oid]);
  if (kind?.k === 'p') {
    refuse(`${input.table} is partitioned: the server cannot index it while writers go on`, 'Index each partition.');
  }
  const there = await findIndex(session, table, input.name);
  if (there === null) return { table, place, equal: null, findings };
  const equal = place.missing.length === 0 && (await isEqual(session, input, table, there)) ? there : null;
  if (!equal) {
    const what = there.ofTable ? there.definition : `it is no index of ${input.table}`;
    refuse(`The name ${input.name} is taken: ${what}`, 'Choose another name, or drop that one first.');
  }
  if (there.inWork) refuse(`Somebody is building ${input.name} now`, 'Ask again when that is done.');
  return { table, place, equal, findings };
}

async function isEqual(session: Session, input: Input, table: Table, there: StandingIndex): Promise<boolean> {
  if (!there.ofTable || !there.plain || there.unique !== input.unique || there.method !== input.method) return false;
  const same = async (a: string, b: string): Promise<boolean> => {
    const [left, right] = [await canonicalExpression(session, table, a), await canonicalExpression(session, table, b)];
    return left !== null && left === right;
  };
  const keys = keysOf(input);
  if (keys.length !== there.keys.length) return false;
  for (const [n, key] of keys.entries()) if (!(await same(key, there.keys[n] ?? ''))) return false;
  if (input.where === undefined || there.predicate === null)
    return input.where === undefined && there.predicate === null;
  return same(input.where, there.predicate);
}

async function look(session: Session, input: Input): Promise<SchemaLook> {
  const { table, place, equal, findings } = await compare(session, input);
  const open = findings.length === 0 && place.missing.length === 0 && !equal?.valid;
  const [size] = await session.rows(
    'SELECT greatest(reltuples, 0)::bigint::text AS rows FROM pg_catalog.pg_class WHERE oid = $1::oid',
    [table.oid],
  );
  return {
    count: equal?.valid ? 0 : 1,
    key: [input.table, input.name],
    relied: { oid: table.oid, standing: equal?.valid ? equal.definition : null },
    locks: [`${input.table}: other changes of its schema wait while the index is built; reading and writing go on`],
    // The index itself, its log, and what is sorted beside it.
    bytes: Number(size?.rows ?? 0) * (40 + 24 * keysOf(input).length) * 2,
    findings: [
      ...findings,
      ...columnToCome(input.table, place.missing),
      ...(open ? await findDuplicates(session, input, table, input.mended) : []),
      ...(open ? await findTwins(session, input, table) : []),
    ],
  };
}

/** Values that stand in several rows; the rows are named by key, five groups at most. */
async function findDuplicates(session: Session, input: Input, table: Table, mended: boolean): Promise<Finding[]> {
  if (!input.unique) return [];
  const { from, alias } = placeOf(table);
  const list = keysOf(input);
  const key = await keyText(session, table, alias);
  // Rows with a NULL among the values never collide.
  const where = [...(input.where === undefined ? [] : [`(\n${input.where}\n)`]), `num_nulls(${list.join(', ')}) = 0`];
  const groups = `SELECT count(*) AS n, (array_agg(${key ?? 'NULL::text'} ORDER BY ${key ?? '1'}))[1:3] AS k ${from} WHERE ${where.join(' AND ')}
    GROUP BY ${list.join(', ')} HAVING count(*) > 1`;
  const [sum] = await session.rows(
    `SELECT count(*) AS groups, coalesce(sum(n), 0)::text AS rows FROM (${groups}) g`,
    [],
  );
  const count = Number(sum?.groups ?? 0);
  if (count === 0) return [];
  const samples = await session.rows(
    `SELECT n::text, array_to_string(k, ' | ') AS k FROM (${groups}) g ORDER BY n DESC, k LIMIT 5`,
    [],
  );
  const what = list.join(', ');
  return [
    {
      check: 'values-are-unique',
      title: `${what} of ${input.table} is unique: ${count} values stand in ${sum?.rows} rows`,
      status: mended ? 'warning' : 'failed',
      count,
      samples: samples.map((row) => (row.k ? `${row.n} rows: ${row.k}` : `${row.n} rows`)),
      advice: mended
        ? 'An earlier step mends them; the step itself refuses what is left then.'
        : 'Give all but one row of each group another value, or take them away; then ask again.',
    },
  ];
}

/** Another index that does the same is no reason to refuse, but people should know. */
async function findTwins(session: Session, input: Input, table: Table): Promise<Finding[]> {
  for (const other of await findIndexes(session, table)) {
    if (other.name === input.name || !other.valid || !(await isEqual(session, input, table, other))) continue;
    const title = `${input.table} has an equal index already, called ${other.name}`;
    const advice = 'Take the step out unless both are wanted.';
    return [{ check: 'index-is-new', title, status: 'warning', count: 1, samples: [other.name], advice }];
  }
  return [];
}

const statementOf = (input: Input, table: Table): string =>
  indexStatement(table, { ...input, keys: keysOf(input), predicate: input.where ?? null });

function keysOf(input: Input): string[] {
  return (input.columns ?? []).map(quoteName).concat((input.expressions ?? []).map((text) => `(\n${text}\n)`));
}
