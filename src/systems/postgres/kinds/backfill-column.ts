import { createHash } from 'node:crypto';
import { Failure } from '../../../shared/failure.ts';
import { digestOf, type Json } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type Sample,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { type BatchOutcome, type KindSetting, rowManner, runBatch } from '../batch.ts';
import { BoundedCount } from '../counting.ts';
import type { Session } from '../database.ts';
import type { RowChange } from '../journal-body.ts';
import { narrowSource, narrowWhere } from '../narrow.ts';
import { findMissingRights } from '../rights.ts';
import { updateRows } from '../rows.ts';
import { withoutLook } from '../schema-kind.ts';
import { findSideEffects } from '../side-effects.ts';
import { previewUndo, undoBatch } from '../undo.ts';
import { type BackfillInput, backfillSchema, fieldsOfColumns, type LookupInput } from './backfill-input.ts';
import {
  type Backfill,
  checkBackfill,
  composeBackfill,
  countMatching,
  type Filling,
  fillNext,
  findFillings,
  lockFillings,
  type NextRows,
  nextKeys,
} from './backfill-rows.ts';
import { scanSource, takePages } from './source.ts';

const PAGE = 5000;

/** Fills columns of existing rows, by an SQL expression or from another system. Rows without a new value stay. */
export function backfillColumnKind(setting: KindSetting): StepKind {
  return defineStepKind<BackfillInput>({
    name: 'postgres.backfill-column',
    effect: 'changes',
    input: backfillSchema,
    describe: (input) => {
      const from = 'lookup' in input ? ` from ${input.lookup.system} ${input.lookup.collection}` : '';
      return `fills ${Object.keys(input.columns).join(', ')} of ${input.table}${from}`;
    },
    writes: ({ table, columns }) => Object.keys(columns).map((field) => ({ collection: table, field })),
    preview: (input, context) => preview(setting, input, context),
    performBatch: (input, batch, context) => performBatch(setting, input, batch, context),
    verify: (input, context) => verify(setting, input, context),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context, rowManner),
    undoForces: true,
    narrow: (input, canaryOf) => ({
      ...(input as { [parameter: string]: Json }),
      where: narrowWhere(input.where, canaryOf(null, input.table)),
      ...('lookup' in input && input.previewFrom ? { previewFrom: narrowSource(input.previewFrom, canaryOf) } : {}),
    }),
  });
}

const read = <T>(
  setting: KindSetting,
  work: (session: Session) => Promise<T>,
  statementTimeout = 600_000,
): Promise<T> => setting.database.transact({ readOnly: true, statementTimeout }, work);

async function preview(setting: KindSetting, input: BackfillInput, context: StepContext): Promise<StepPreview> {
  const missing = await read(setting, (session) =>
    findMissingRights(session, [{ table: input.table, rights: ['SELECT', 'UPDATE'] }]),
  );
  if (missing.length > 0) return { ...withoutLook, findings: missing };
  const { backfill, findings } = await read(setting, async (session) => {
    const composed = await composeBackfill(session, input, true);
    await checkBackfill(session, composed);
    return { backfill: composed, findings: await lookAtTable(session, composed) };
  });
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const bound = new BoundedCount(context);
  let count = 0;
  for await (const fillings of allFillings(setting, input, backfill, context, bound)) {
    for (const { key, before, after } of fillings) {
      keys.update(`${key}\n`);
      if (samples.length < 5) samples.push({ collection: input.table, key, before, after });
    }
    count += fillings.length;
  }
  const later = 'lookup' in input ? await countLater(setting, input, backfill, context, bound) : 0;
  const relied = [input.key, ...backfill.targets, ...('lookup' in input ? [input.lookup.match] : [])];
  return {
    count: count + later,
    exact: bound.exact,
    keysHash: later > 0 || !bound.exact ? '' : keys.digest('hex'),
    schemaHash: digestOf(relied.map((name) => ({ ...backfill.table.columns.get(name) }))),
    samples,
    undoClass: 'reversible',
    locks: [],
    bytes: (count + later) * (250 + 160 * backfill.targets.length),
    findings,
  };
}

async function performBatch(
  setting: KindSetting,
  input: BackfillInput,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const after = typeof batch.cursor === 'string' ? batch.cursor : null;
  return runBatch(setting, context, batch, rowManner, async (session): Promise<BatchOutcome<BatchResult>> => {
    const backfill = await composeBackfill(session, input, false);
    const [finding] = await lookAtTable(session, backfill);
    if (finding) {
      throw new Failure({ code: 'precondition-failed', message: `${finding.title}.`, advice: finding.advice ?? '' });
    }
    const {
      found,
      lastKey,
      rows: changes,
    } = await fill(session, input, backfill, { after, size: batch.size }, context);
    return {
      body: { version: 1, table: input.table, keyColumn: input.key, changes, conflicts: [] },
      result: { cursor: found < batch.size ? null : lastKey, done: changes.length },
    };
  });
}

async function verify(setting: KindSetting, input: BackfillInput, context: StepContext): Promise<Finding[]> {
  const backfill = await read(setting, (session) => composeBackfill(session, input, false));
  const samples: string[] = [];
  let count = 0;
  for await (const fillings of allFillings(setting, input, backfill, context, new BoundedCount({}))) {
    count += fillings.length;
    samples.push(...fillings.slice(0, 5 - samples.length).map((filling) => filling.key));
  }
  const title = `${backfill.targets.join(', ')} of ${input.table} filled wherever there is a value`;
  const found = { check: 'column-filled', title, count, samples };
  if (count === 0) return [{ ...found, status: 'passed' }];
  return [{ ...found, status: 'failed', advice: 'Rows came in meanwhile: ask again, it fills only what is missing.' }];
}

async function fill(
  session: Session,
  input: BackfillInput,
  backfill: Backfill,
  { after, size }: { readonly after: string | null; readonly size: number },
  context: StepContext,
): Promise<NextRows<RowChange>> {
  if (!('lookup' in input)) return fillNext(session, backfill, after, size);
  const next = await lockFillings(session, input, backfill, after, size, context);
  return { ...next, rows: await write(session, backfill, next.rows) };
}

async function write(session: Session, backfill: Backfill, fillings: readonly Filling[]): Promise<RowChange[]> {
  const bySet = new Map<string, Filling[]>();
  for (const filling of fillings) {
    const name = JSON.stringify(Object.keys(filling.after));
    bySet.set(name, [...(bySet.get(name) ?? []), filling]);
  }
  const changes: RowChange[] = [];
  for (const group of bySet.values()) {
    const columns = Object.keys(group[0]?.after ?? {});
    const values = group.map(({ key, after }) => ({ key, values: after }));
    const rows = await updateRows(session, backfill.table, backfill.key, columns, values);
    for (const { key, before } of group) changes.push({ did: 'update', key, before, after: rows.get(key) ?? {} });
  }
  return changes;
}

/** Every row that would be changed now, a page at a time. */
async function* allFillings(
  setting: KindSetting,
  input: BackfillInput,
  backfill: Backfill,
  context: StepContext,
  bound: BoundedCount,
) {
  let after: string | null = null;
  while (!bound.isOver()) {
    context.signal.throwIfAborted();
    const from: string | null = after;
    const readPage = async (session: Session) => {
      const keys = await nextKeys(session, backfill, from, PAGE);
      return { keys, fillings: await findFillings(session, input, backfill, keys, context) };
    };
    const page = await bound.read(() => read(setting, readPage, bound.timeout));
    if (page === null) return;
    yield page.fillings;
    if (page.keys.length < PAGE) return;
    after = page.keys.at(-1) ?? null;
  }
}

/** Rows whose record an earlier step of the same migration will give a value to. */
async function countLater(
  setting: KindSetting,
  input: LookupInput,
  backfill: Backfill,
  context: StepContext,
  bound: BoundedCount,
): Promise<number> {
  if (!input.previewFrom) return 0;
  const { system, collection, by, match } = input.lookup;
  const fields = fieldsOfColumns(input);
  let count = 0;
  for await (const page of takePages(scanSource(input.previewFrom, context, [], null), 1000)) {
    if (bound.isOver()) break;
    const keys = [...new Set(page.map((row) => row.key))];
    const found = await context.lookup(system, { collection, by, fields }, keys);
    const empty = keys.filter((key) => fields.every((field) => (found.get(key)?.[field] ?? null) === null));
    const counted = (session: Session) => countMatching(session, backfill, match, empty);
    count += (await bound.read(() => read(setting, counted, bound.timeout))) ?? 0;
  }
  return count;
}

async function lookAtTable(session: Session, backfill: Backfill): Promise<Finding[]> {
  const { table, key, targets } = backfill;
  const wrong = targets.filter((name) => name === key.name || table.columns.get(name)?.generated);
  const findings = await findSideEffects(session, table, ['update'], targets);
  if (wrong.length === 0) return findings;
  const title = `${table.name}: these columns cannot be filled: the key, or computed by the server`;
  const advice = 'Correct the columns of the step.';
  const count = wrong.length;
  return [
    { check: 'columns-writable', title, status: 'failed', count, samples: wrong.slice(0, 5), advice },
    ...findings,
  ];
}
