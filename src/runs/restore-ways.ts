import type { BackupSet } from '../backups/backup-set.ts';
import type { Environment } from '../plans/environment.ts';
import type { MeasuredRate } from '../plans/estimate.ts';
import { changedSteps } from '../plans/find-holds.ts';
import type { Estimate } from '../plans/plan.ts';
import { withinTime } from '../shared/within-time.ts';
import type { Fingerprint } from '../systems/system.ts';
import type { Advice, RestoreWay, RewoundSystem } from './advice.ts';
import type { BackupView } from './door.ts';
import { performedRun } from './performed-run.ts';
import type { Run } from './run.ts';
import type { RunRecords } from './run-records.ts';

interface Deps {
  readonly records: RunRecords;
  readonly listBackups: (environment: string) => Promise<readonly BackupView[]>;
  readonly readBackup: (environment: string, setId: string) => Promise<BackupSet>;
}

/** Sets that are shown beside the run's own. */
const mostSets = 3;
/** Milliseconds for which a store is counted; it is large where that is not enough, and nothing is said of it then. */
const fingerprintForMs = 60_000;
/** Bytes a second, where no set was restored yet: what the slowest store did on two shared cores, checksums included. */
const usualRestoreRate = 2_000_000;
const lookBack = 500;

/** Restores from the run's own set and the newest sets from before it that hold all that it changed. */
export async function weighRestores(
  deps: Deps,
  environment: Environment,
  run: Run,
  undo: Advice['undo'],
  now: ReadonlyMap<string, Content | null>,
): Promise<RestoreWay[]> {
  const sets = suitableSets(await deps.listBackups(environment.name), run);
  if (sets.length === 0) return [];
  const rates = (await environment.rates?.()) ?? [];
  const ways: RestoreWay[] = [];
  for (const set of sets) {
    const content = await deps.readBackup(environment.name, set.id);
    const rewinds = await runsSince(deps.records, environment, set, run);
    const systems = Object.entries(content.parts).map(([system, part]) =>
      rewoundSystem(system, part.fingerprint, now.get(system) ?? null, run, undo),
    );
    ways.push({
      set,
      own: set.id === run.backupId,
      estimate: estimateRestore(content, set, rates, environment.name),
      systems,
      rewinds,
      loses: worst([...systems.map(({ loses }) => loses), rewinds.length > 0 ? 'yes' : 'no']),
    });
  }
  return ways;
}

function suitableSets(sets: readonly BackupView[], run: Run): BackupView[] {
  const steps = changedSteps(performedRun(run));
  const changed = new Set(steps.flatMap((step) => (step.system === null ? [] : [step.system])));
  const holdsAll = (set: BackupView): boolean => [...changed].every((system) => set.systems.includes(system));
  const own = sets.filter((set) => set.id === run.backupId);
  const before = sets.filter((set) => set.id !== run.backupId && set.createdAt < (run.startedAt ?? ''));
  return [...own, ...before].filter(holdsAll).slice(0, mostSets);
}

/** What a store holds now; the hash is null where it would say nothing that the counts do not. */
type Content = Pick<Fingerprint, 'counts'> & { readonly hash: string | null };

/**
 * What each store holds now; null where it cannot tell, does not answer, or takes too long. Where the run wrote, the store
 * is another one than the set in any case: there counts are enough, and every record need not be read.
 */
export async function readContents(environment: Environment, run: Run): Promise<ReadonlyMap<string, Content | null>> {
  const wrote = systemsWritten(run);
  const read = [...environment.systems].map(async ([name, system]) => {
    const counted = wrote.has(name) ? system.counts?.().then((counts) => ({ counts, hash: null })) : undefined;
    const asked: Promise<Content> | undefined = counted ?? system.fingerprint?.();
    const found = await withinTime(asked?.catch(() => null) ?? Promise.resolve(null), fingerprintForMs, () => null);
    return [name, found] as const;
  });
  return new Map(await Promise.all(read));
}

/** Where it is known to have written records. */
function systemsWritten(run: Run): Set<string | null> {
  const done = new Map(run.steps.map((step) => [step.stepId, step.done]));
  const wrote = changedSteps(performedRun(run)).filter((step) => (done.get(step.id) ?? 0) > 0);
  return new Set(wrote.map(({ system }) => system));
}

function rewoundSystem(
  system: string,
  then: Fingerprint,
  now: Content | null,
  run: Run,
  undo: Advice['undo'],
): RewoundSystem {
  const changed = changedSteps(performedRun(run)).filter((step) => step.system === system);
  const done = new Map(run.steps.map((step) => [step.stepId, step.done]));
  const doneBy = (effect: string): number =>
    changed.filter((step) => step.effect === effect).reduce((sum, step) => sum + (done.get(step.id) ?? 0), 0);
  const addedByRun = doneBy('adds') - doneBy('destroys');
  const undone = undo.open ? undo.systems.find((one) => one.system === system) : undefined;
  const { missing = 0, ...reasons } = undone?.kept.counts ?? {};
  const changedSince = Object.values(reasons).reduce((sum, count) => sum + count, missing);
  const base = { system, addedByRun, changedSince, samples: undone?.kept.samples ?? [], collections: [] };
  if (now === null) return { ...base, loses: 'cannot-tell', unknown: 'it could not be counted now' };
  if (now.hash === then.hash) return { ...base, loses: 'no', unknown: null };
  const collections = differingCounts(then, now);
  if (changed.length === 0) return { ...base, collections, loses: 'yes', unknown: null };
  const net = collections.reduce((sum, each) => sum + each.now - each.inSet, 0);
  const loses = changedSince > 0 || net !== addedByRun ? 'yes' : 'cannot-tell';
  const unknown = 'changes in place to what the run did not write cannot be counted; a restore would lose those too';
  return { ...base, collections, loses, unknown };
}

function differingCounts(then: Fingerprint, now: Content): RewoundSystem['collections'] {
  const names = [...new Set([...Object.keys(then.counts), ...Object.keys(now.counts)])].sort();
  return names
    .map((collection) => ({ collection, inSet: then.counts[collection] ?? 0, now: now.counts[collection] ?? 0 }))
    .filter((each) => each.inSet !== each.now);
}

/** Other runs that changed something after the set was taken and still count. */
async function runsSince(records: RunRecords, environment: Environment, set: BackupView, run: Run): Promise<string[]> {
  const filter = {
    environment: environment.name,
    statuses: ['done', 'paused', 'parked', 'closed'] as const,
    limit: lookBack,
  };
  return (await records.list(filter))
    .filter((other) => other.id !== run.id && other.undoneBy === null && (other.startedAt ?? '') > set.createdAt)
    .filter((other) => changedSteps(performedRun(other)).length > 0)
    .map((other) => other.id);
}

/** The restore, and the safety set before it, which takes about as long as this one took. */
function estimateRestore(
  content: BackupSet,
  set: BackupView,
  rates: readonly MeasuredRate[],
  environment: string,
): Estimate {
  const parts = Object.entries(content.parts);
  const safety = parts.reduce((sum, [, part]) => sum + part.seconds, 0);
  if (set.proven !== null) return { seconds: round(set.proven.seconds + safety), from: 'measured' };
  const measured = parts.map(([system, part]) => {
    const rate = rates.find(
      (one) => one.environment === environment && one.system === system && one.use === 'backup.restore-part',
    );
    const records = Object.values(part.fingerprint.counts).reduce((sum, count) => sum + count, 0);
    if (!rate || rate.records === 0) return null;
    return (records * rate.seconds) / rate.records;
  });
  const bytes = parts.map(([, part]) => part.files.reduce((sum, file) => sum + file.bytes, 0));
  const seconds = measured.reduce<number>(
    (sum, one, index) => sum + (one ?? (bytes[index] ?? 0) / usualRestoreRate),
    0,
  );
  return {
    seconds: Math.max(1, round(seconds + safety)),
    from: measured.every((one) => one !== null) ? 'measured' : 'guessed',
  };
}

function worst(all: readonly RestoreWay['loses'][]): RestoreWay['loses'] {
  return (['yes', 'cannot-tell'] as const).find((one) => all.includes(one)) ?? 'no';
}

const round = (seconds: number): number => Math.round(seconds * 10) / 10;
