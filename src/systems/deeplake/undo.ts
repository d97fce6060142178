import { createHash } from 'node:crypto';
import { z } from 'zod';
import { digestOf } from '../../shared/json.ts';
import { KeptTally } from '../kept-tally.ts';
import type { BatchRequest, Conflict, Sample, StepPreview, UndoBatchResult, UndoContext } from '../system.ts';
import { carriedSchema, runBatch } from './batch.ts';
import {
  type AddFieldChange,
  type Change,
  type CopyRowsChange,
  type DropVersionChange,
  type Intent,
  imagesOf,
  type RemoveFieldChange,
  type SwapChange,
} from './change.ts';
import { conflictsOf, judgedSchema } from './field-removal.ts';
import { type KindSetting, messageOf, numbersOf } from './setting.ts';

interface Inverse {
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  readonly missing?: number;
}

const nothing: Inverse = { changes: [], conflicts: [] };
/** Vectors of one page of a copy that is made again. */
const page = 20_000;

/** Batch i undoes the original's last batch but i, and journals itself in the same form. */
export async function undoBatch(
  setting: KindSetting,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  const { runId, stepId } = context.undoes;
  const total = await setting.journal.countBatches(runId, stepId);
  if (batch.index >= total) return { cursor: null, done: 0, kept: 0, missing: 0 };
  return runBatch(setting, context, batch, async () => {
    const cursor = batch.index + 1 < total ? batch.index + 1 : null;
    const planned = await planUndo(setting, context, total - 1 - batch.index, batch.index);
    return { ...planned, cursor };
  });
}

/** Compares every dataset of the run's journal with what stands there now. */
export async function previewUndo(setting: KindSetting, context: UndoContext): Promise<StepPreview> {
  const total = await setting.journal.countBatches(context.undoes.runId, context.undoes.stepId);
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const kept = new KeptTally();
  let count = 0;
  for (let index = total - 1; index >= 0; index -= 1) {
    context.signal.throwIfAborted();
    const planned = await planUndo(setting, context, index, 0);
    for (const conflict of planned.conflicts) kept.add(conflict);
    for (const change of planned.changes) {
      count += change.count;
      keys.update(`${change.key}\n`);
      if (samples.length < 5) samples.push({ collection: change.key, key: change.key, ...imagesOf(change) });
    }
  }
  return {
    count,
    exact: true,
    keysHash: keys.digest('hex'),
    schemaHash: digestOf(context.undoes.stepId),
    samples,
    undoClass: 'reversible',
    locks: ['Writers of these datasets must be stopped: DeepLake finds its files by name.'],
    bytes: 10_000,
    findings: kept.findings(),
    kept: kept.kept(),
  };
}

async function planUndo(setting: KindSetting, context: UndoContext, index: number, own: number): Promise<Intent> {
  const key = { ...context.undoes, index };
  const original = await setting.journal.readIntent(key);
  if (!original) throw new Error(`the journal has no batch ${key.runId}/${key.stepId}/${index}`);
  const message = messageOf(context, own);
  const inverses: Inverse[] = [];
  for (const change of [...original.changes].reverse()) {
    context.signal.throwIfAborted();
    inverses.push(await invert(setting, context, change, message));
  }
  return {
    version: 1,
    changes: inverses.flatMap(({ changes }) => changes),
    conflicts: inverses.flatMap(({ conflicts }) => conflicts),
    cursor: null,
    missing: inverses.reduce((sum, { missing = 0 }) => sum + missing, 0),
  };
}

async function invert(setting: KindSetting, context: UndoContext, change: Change, message: string): Promise<Inverse> {
  switch (change.did) {
    case 'add-field':
      return invertAddField(setting, change, message);
    case 'remove-field':
      return invertRemoveField(setting, change, message);
    case 'copy-rows':
      // The page that was the first takes all of the version with it.
      return change.after === null ? invertCopy(setting, context, change) : nothing;
    case 'drop-version':
      return remake(setting, change, message);
    case 'swap':
      return invertSwap(setting, change, message);
    case 'catch-up':
    case 'release':
      return nothing;
  }
}

async function invertAddField(
  { worker }: KindSetting,
  { key, spec, message: mine }: AddFieldChange,
  message: string,
): Promise<Inverse> {
  const judged = await worker.call('field-judge', { dataset: key, ...spec, mine: [mine] }, judgedSchema);
  if (judged.action === 'gone') return nothing;
  const change: RemoveFieldChange = { did: 'remove-field', key, spec, message, mine: [mine], count: judged.count };
  return { changes: [change], conflicts: conflictsOf(change, judged), missing: judged.missing };
}

/** By the same rule again; what the undo had kept has its values still. */
async function invertRemoveField(
  { worker }: KindSetting,
  { key, spec, count }: RemoveFieldChange,
  message: string,
): Promise<Inverse> {
  if ((await stateOf(worker, key)) === null) return { ...nothing, missing: count };
  return { changes: [{ did: 'add-field', key, spec, message, count, fill: true }], conflicts: [] };
}

const stateSchema = z
  .object({ messages: z.array(z.string().nullable()), count: z.number(), version: z.string() })
  .nullable();

/** What a dataset is like as a version; null = there is none. */
export function stateOf(worker: KindSetting['worker'], dataset: string): Promise<z.infer<typeof stateSchema>> {
  return worker.call('version-state', { dataset }, stateSchema);
}

const ofDeepLake = [null, 'Dataset created', 'Created initial schema'];

async function invertCopy(
  { worker }: KindSetting,
  { undoes }: UndoContext,
  { key, source, map }: CopyRowsChange,
): Promise<Inverse> {
  const state = await stateOf(worker, key);
  if (state === null) return nothing;
  const prefix = messageOf(undoes, 0).slice(0, -1);
  const foreign = state.messages.find((message) => !ofDeepLake.includes(message) && !message?.startsWith(prefix));
  if (foreign === undefined) {
    return { changes: [{ did: 'drop-version', key, source, map, count: state.count }], conflicts: [] };
  }
  const told = { collection: key, key, field: 'version', reason: 'changed-since' as const };
  return { changes: [], conflicts: [{ ...told, base: null, ours: null, theirs: state.version }] };
}

async function remake({ worker }: KindSetting, change: DropVersionChange, message: string): Promise<Inverse> {
  const { key, source, map } = change;
  const changes: CopyRowsChange[] = [];
  for (let after: string | null = null; ; ) {
    const planned = await planPage(worker, source, after, page);
    const { upTo, count } = planned;
    changes.push({ did: 'copy-rows', key, source, map, message, after, upTo, count });
    if (!planned.more) return { changes, conflicts: [] };
    after = upTo;
  }
}

const plannedSchema = z.strictObject({
  count: z.number(),
  upTo: z.string().nullable(),
  more: z.boolean(),
  total: z.number(),
});

/** The next vectors of a dataset in the order of their ids: how many, up to which. */
export function planPage(
  worker: KindSetting['worker'],
  source: string,
  after: string | null,
  limit: number,
): Promise<z.infer<typeof plannedSchema>> {
  return worker.call('version-plan', { source, after, limit }, plannedSchema);
}

/** Back under the name comes what was kept aside, with the vectors that were added since. */
async function invertSwap({ worker }: KindSetting, change: SwapChange, message: string): Promise<Inverse> {
  const { key, other, final, old, new: fresh } = change;
  const [standing, kept] = await numbersOf(worker, [key, final]);
  const conflict = (reason: 'changed-since' | 'missing', field: string, on = key): Conflict => {
    return { collection: key, key: on, field, reason, base: null, ours: null, theirs: null };
  };
  if (standing !== fresh) return { changes: [], conflicts: [conflict('changed-since', 'dataset')] };
  if (kept !== old) return { changes: [], conflicts: [conflict('missing', 'dataset')], missing: 1 };
  const since = (await stateOf(worker, final))?.version ?? '';
  const shared = {
    did: 'swap',
    key,
    other: final,
    final: other,
    old: fresh,
    new: old,
    since,
    message,
    count: 1,
  } as const;
  if (change.carrySince !== null) return { changes: [{ ...shared, carrySince: null, catchUp: false }], conflicts: [] };
  const params = { old: final, new: key, since: change.since, message, dry: true };
  const { unfit } = await worker.call('version-carry', params, carriedSchema);
  const conflicts = unfit.map((id) => conflict('changed-since', 'embedding', id));
  return { changes: [{ ...shared, carrySince: change.since, catchUp: false }], conflicts };
}
