import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import type { Finding } from '../../finding.ts';
import type { BatchRequest, StepContext, StepKind } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import {
  addNotValid,
  type Constraint,
  findConstraint,
  findConstraints,
  fullCheck,
  withoutNotValid,
} from '../constraints.ts';
import type { Session } from '../database.ts';
import { renameColumn } from '../deeds/kept-deeds.ts';
import { findDependents, findMentions, findTriggerMentions } from '../dependents.ts';
import { parseTableName, quoteName } from '../identifiers.ts';
import type { SchemaChange } from '../journal-body.ts';
import { releaseOf, shortOf } from '../kept.ts';
import {
  countDifferent,
  dropMirror,
  findDefault,
  findMirrors,
  flipMirror,
  type Mirror,
  pageOfKeys,
} from '../mirror.ts';
import {
  defineSchemaKind,
  inTheWay,
  momentLock,
  refuseFailed,
  type SchemaLook,
  type SchemaOutcome,
  standing,
} from '../schema-kind.ts';
import { type Column, needTable, type Table } from '../table.ts';
import { primaryKey } from './rename-column.ts';

const inputSchema = z.strictObject({
  table: z.string().describe('The table, as `table` or `schema.table`'),
  column: z.string().describe('The column that the application no longer uses'),
});
type Input = z.infer<typeof inputSchema>;

/** Where the walk through a mirrored table is. */
interface WalkCursor {
  readonly walk: string | null;
}

const LONGEST_NAME = 63;

/**
 * Takes a column away from the application and keeps it aside under another name until it is released. What would make
 * inserts fail without it goes too: NOT NULL where there is no default, and checks over it alone. A column whose second name
 * `postgres.rename-column` made hands its default over and its trigger goes; undo brings all of it back, with what was
 * written to the other name since.
 */
export function dropColumnKind(setting: KindSetting): StepKind {
  return defineSchemaKind<Input>(setting, {
    name: 'postgres.drop-column',
    effect: 'destroys',
    undoClass: 'reversible-until',
    input: inputSchema,
    describe: ({ table, column }) => `drops ${table}.${column}, kept aside until it is released`,
    writes: ({ table, column }) => [{ collection: table, field: column }],
    table: ({ table }) => table,
    locks: ({ table }) => [table],
    rights: ({ table }) => [{ table, rights: ['OWN', 'SELECT', 'UPDATE', 'CREATE'] }],
    look,
    perform,
    async verify(session, input) {
      const table = await needTable(session, input.table);
      return [
        standing('column-gone', `${input.table} has no column ${input.column}`, !table.columns.has(input.column)),
      ];
    },
    release: releaseOf<Input>(setting, {
      table: ({ table }) => table,
      async find(session, { kept }, input) {
        const table = await needTable(session, input.table);
        if (!table.columns.has(kept)) return null;
        return { users: (await findDependents(session, table, kept)).map(({ words }) => words) };
      },
      async drop(session, { kept }, input) {
        const table = await needTable(session, input.table);
        await session.rows(`ALTER TABLE ${table.sql} DROP COLUMN ${quoteName(kept)} RESTRICT`, []);
      },
    }),
  });
}

/** The column, and what goes with it. */
interface Standing {
  readonly table: Table;
  readonly column: Column;
  /** Our mirror of it, and the other name. */
  readonly mirror: Mirror | null;
  readonly other: string | null;
  readonly checks: readonly Constraint[];
  readonly findings: readonly Finding[];
}

/** Null where there is no such column. */
async function compare(session: Session, input: Input, counts = true): Promise<Standing | null> {
  const table = await needTable(session, input.table);
  const column = table.columns.get(input.column);
  if (!column) return null;
  const mirrors = await findMirrors(session, table);
  const mirror = mirrors.find(({ leader, follower }) => leader === column.name || follower === column.name) ?? null;
  const other = mirror && (mirror.leader === column.name ? mirror.follower : mirror.leader);
  const dependents = await findDependents(session, table, column.name);
  const users = dependents.filter(({ check }) => check === null).map(({ words }) => words);
  users.push(...(await findTriggerMentions(session, table, column.name)));
  const names = new Set(dependents.map(({ check }) => check));
  const checks = (await findConstraints(session, table.oid)).filter(({ name }) => names.has(name));
  const findings: Finding[] = [];
  if (users.length > 0) {
    const shown = users.slice(0, 5).join(', ');
    const advice = 'Change or drop them first; the column is as it was.';
    findings.push(inTheWay('nothing-depends', `${input.table}.${input.column} is used by ${shown}`, advice, users));
  }
  if (await isInherited(session, table, column.name)) {
    const advice = 'Name the parent table in the step.';
    findings.push(inTheWay('column-own', `${input.table} inherits ${input.column} from another table`, advice));
  }
  if (mirror && !(await primaryKey(session, table))) {
    const advice = 'Undo the rename and do without its trigger.';
    findings.push(inTheWay('key-of-one-column', `${input.table} has no primary key of one column to go by`, advice));
  }
  const different = counts && mirror && other ? await countDifferent(session, table, column.name, other) : 0;
  if (different > 0) {
    const title = `${input.column} and ${other} of ${input.table} differ in ${different} rows`;
    findings.push(
      inTheWay('columns-equal', title, 'Somebody wrote past the trigger: make them equal, then ask again.'),
    );
  }
  return { table, column, mirror, other, checks, findings };
}

async function look(session: Session, input: Input): Promise<SchemaLook> {
  const found = await compare(session, input);
  const locks = [momentLock([input.table], 'reads or writes')];
  if (!found) {
    const title = `${input.table} has no column ${input.column}: there is nothing to drop`;
    const finding = { check: 'column-there', title, status: 'warning' as const, count: 0, samples: [] };
    return { count: 0, key: [], relied: null, locks, findings: [finding] };
  }
  const { table, column, other, findings } = found;
  const [row] = await session.rows(
    `SELECT count(*) AS n, count(r.${quoteName(column.name)}) AS filled FROM ${table.sql} r`,
    [],
  );
  const filled = Number(row?.filled ?? 0);
  const aside: Finding = {
    check: 'kept-aside',
    title: `${filled} of ${row?.n ?? 0} rows hold a value in ${input.table}.${input.column}; they are kept aside`,
    status: filled > 0 ? 'warning' : 'passed',
    count: filled,
    samples: [],
    ...(other ? { advice: `The same values stand in ${other}.` } : {}),
  };
  const mentions = await findMentions(session, [parseTableName(input.table).name, input.column]);
  return {
    count: 1,
    // The column itself, not its rows: those may come and go.
    key: [input.table, input.column, table.oid, column.type],
    relied: { column: { ...column }, other },
    locks,
    findings: [...findings, aside, ...mentioned(mentions)],
  };
}

/** What a function's text means is not known; it may speak of another table's column of this name. */
export function mentioned(functions: readonly string[]): Finding[] {
  if (functions.length === 0) return [];
  return [
    {
      check: 'functions-mention',
      title: 'These functions seem to use it, by their text',
      status: 'warning',
      count: functions.length,
      samples: functions.slice(0, 5),
      advice: 'Look at them before you approve: the server does not know what their text refers to.',
    },
  ];
}

async function perform(
  session: Session,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<SchemaOutcome> {
  const walks = batch.cursor !== null && batch.cursor !== 'aside';
  const found = await compare(session, input, !walks);
  if (!found && batch.cursor === null) return { changes: [], cursor: null, done: 0 };
  if (!found) {
    throw new Failure({
      code: 'conflict',
      message: `${input.table}.${input.column} is gone since the step began.`,
      advice: 'Somebody else took it away. Undo the step, then look.',
    });
  }
  refuseFailed(found.findings);
  if (batch.cursor === null) return prepare(session, found);
  if (walks) return walk(session, found, (batch.cursor as unknown as WalkCursor).walk, batch.size);
  return setAside(session, input, found, context);
}

/** What has to be so before the column goes, and so again after it came back: the order of an undo is the reverse. */
async function prepare(session: Session, found: Standing): Promise<SchemaOutcome> {
  const { table, column, mirror, other, checks } = found;
  const changes: SchemaChange[] = [];
  const moved =
    mirror && other && mirror.leader === column.name ? await findDefault(session, table, column.name) : null;
  if (mirror && other && mirror.leader === column.name) {
    await flipMirror(session, table, { leader: other, follower: column.name, default: moved });
    changes.push({
      did: 'flip-mirror',
      name: other,
      follower: column.name,
      default: moved,
      existed: false,
      part: true,
    });
  }
  if (column.notNull && (!column.hasDefault || moved !== null)) {
    const check = fullCheck(column.name);
    const there = await findConstraint(session, table.oid, check.name);
    if (!there) changes.push({ ...(await addNotValid(session, table, check.name, check.definition)), part: true });
    await session.rows(`ALTER TABLE ${table.sql} ALTER COLUMN ${quoteName(column.name)} DROP NOT NULL`, []);
    changes.push({ did: 'drop-not-null', name: column.name, existed: false, part: true });
    changes.push({ did: 'unvalidate', name: check.name, existed: false, part: true });
  }
  for (const { name, validated } of checks) {
    if (validated) changes.push({ did: 'unvalidate', name, existed: false, part: true });
  }
  return { changes, cursor: mirror ? { walk: null } : 'aside', done: 0 };
}

/** Writes down ranges of keys only: undo goes through them to copy back what was written to the other name since. */
async function walk(session: Session, found: Standing, after: string | null, size: number): Promise<SchemaOutcome> {
  const { table, column, other } = found;
  const key = await primaryKey(session, table);
  if (!key || !other) throw new Error('the mirror or the key is gone since the first batch');
  const keys = await pageOfKeys(session, table, key, after, size);
  const upTo = keys.length < size ? null : (keys.at(-1) ?? null);
  const range = { name: column.name, source: other, key: key.name, after, upTo };
  const change: SchemaChange = { did: 'leave-mirror', ...range, existed: false, part: true };
  return { changes: [change], cursor: upTo === null ? 'aside' : { walk: upTo }, done: 0 };
}

async function setAside(session: Session, input: Input, found: Standing, context: StepContext): Promise<SchemaOutcome> {
  const { table, column, mirror } = found;
  const changes: SchemaChange[] = [];
  for (const { name, definition } of found.checks) {
    await session.rows(`ALTER TABLE ${table.sql} DROP CONSTRAINT ${quoteName(name)} RESTRICT`, []);
    const notValid = `${withoutNotValid(definition)} NOT VALID`;
    changes.push({ did: 'drop-constraint', name, definition: notValid, existed: false, part: true });
  }
  if (mirror) {
    await dropMirror(session, table, mirror);
    const { leader, follower } = mirror;
    changes.push({ did: 'unmirror', name: leader, follower, existed: false, part: true });
  }
  const name = `_tas_kept_${shortOf(context, 6)}_${input.column}`;
  const kept = Buffer.from(name)
    .subarray(0, LONGEST_NAME)
    .toString()
    .replace(/\ufffd+$/, '');
  await renameColumn(session, table.sql, column.name, kept);
  changes.push({ did: 'set-aside-column', name: column.name, kept, existed: false });
  return { changes, cursor: null, done: 1 };
}

async function isInherited(session: Session, table: Table, column: string): Promise<boolean> {
  const [row] = await session.rows(
    'SELECT attinhcount > 0 AS inherited FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attname = $2',
    [table.oid, column],
  );
  return row?.inherited === 't';
}
