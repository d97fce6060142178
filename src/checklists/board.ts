import type { Notices } from '../notices/notice.ts';
import type { Clock } from '../shared/clock.ts';
import { digestOf, type Json } from '../shared/json.ts';
import type { ChecklistRecords } from './checklist-records.ts';
import { type ChecklistView, viewChecklist, waitsFor } from './checklist-view.ts';
import type { BackupFact, RunFacts } from './run-facts.ts';

/** Where checklists are read from. */
export interface ChecklistSources {
  readonly records: ChecklistRecords;
  readonly findRun: (runId: string) => Promise<RunFacts | null>;
  /** The environment's, newest first. */
  readonly listBackups: (environment: string) => Promise<readonly BackupFact[]>;
}

/** Keeps the messages of checklists true, and lets runs go on that waited for them. */
export interface ChecklistBoard {
  refresh(runId: string): Promise<void>;
  /** Every one that may look otherwise by now. */
  sweep(): Promise<void>;
}

/** The checklist as it is now; null where there is none. */
export async function readView(sources: ChecklistSources, runId: string): Promise<ChecklistView | null> {
  const stored = await sources.records.find(runId);
  if (stored === null) return null;
  const run = await sources.findRun(runId);
  return run === null ? null : viewChecklist(stored, run, await sources.listBackups(run.environment));
}

/** Any number of replicas may do it at once: a look is told once, and a run goes on once. */
export function createChecklistBoard(
  deps: ChecklistSources & {
    readonly notices: Notices;
    readonly clock: Clock;
    /** The channel in which an environment's runs are told. */
    readonly channelOf: (environment: string) => string;
  },
): ChecklistBoard {
  const { records, notices } = deps;

  async function refresh(runId: string, listBackups = deps.listBackups): Promise<void> {
    const stored = await records.find(runId);
    const run = stored === null ? null : await deps.findRun(runId);
    if (stored === null || run === null) return;
    const view = viewChecklist(stored, run, await listBackups(run.environment));
    if (view.waitsAt !== null && waitsFor(view, view.waitsAt).length === 0) {
      await records.resume(runId, 'what its checklist waited for is ticked');
    } else if (view.waitsAt === 'start' && isOutOfTime(run, deps.clock.now())) {
      // It comes to its gate once more, and ends there.
      await records.resume(runId, 'its time ran out while it waited for its checklist');
    }
    const shown = await records.shown(runId);
    const look = lookOf(view);
    const number = shown.number + 1;
    if (shown.look !== look) {
      // First told, then remembered: killed in between, the same look is told again under the same key, which is once.
      await notices.add([
        {
          topic: `checklist:${runId}`,
          to: { channel: deps.channelOf(run.environment) },
          thread: runId,
          anew: false,
          once: `checklist:${runId}:${number}:${look.slice(0, 16)}`,
          content: { kind: 'checklist', runId },
        },
      ]);
    }
    const next = shown.look === look ? shown : { number, look };
    await records.markShown(runId, shown.number, next, { status: run.status, undoneBy: run.undoneBy });
  }

  return {
    refresh: (runId) => refresh(runId),
    async sweep() {
      const read = new Map<string, ReturnType<ChecklistSources['listBackups']>>();
      const once: ChecklistSources['listBackups'] = (environment) => {
        const backups = read.get(environment) ?? deps.listBackups(environment);
        read.set(environment, backups);
        return backups;
      };
      // One that cannot be read keeps none of the others from going on.
      const failures: unknown[] = [];
      for (const runId of await records.restless()) {
        await refresh(runId, once).catch((error: unknown) => failures.push(error));
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** What people have voted for may no longer start. */
function isOutOfTime({ plan, votes, expiresAt }: RunFacts, now: Date): boolean {
  if (plan.window !== undefined) return now.getTime() >= Date.parse(plan.window.until);
  return votes.length > 0 && now.getTime() >= Date.parse(expiresAt);
}

/** Equal for what looks equal. */
function lookOf({ items, revision, waitsAt }: ChecklistView): string {
  return digestOf({ items, revision, waitsAt } as unknown as Json);
}
