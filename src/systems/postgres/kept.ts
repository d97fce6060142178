import { digestOf } from '../../shared/json.ts';
import type { BatchRequest, BatchResult, ReleaseContext, StepContext, StepPreview } from '../system.ts';
import { type KindSetting, runBatch, schemaMannerFor } from './batch.ts';
import type { Session } from './database.ts';
import type { KeptColumnChange, KeptTableChange, ReleaseChange } from './journal-body.ts';
import { countBatches, readBody } from './journal-store.ts';

type KeptChange = KeptColumnChange | KeptTableChange;

/** How one sort of thing that is kept aside is given up. */
export interface Keeping<Input> {
  table(input: Input): string;
  /** Whether it still lies there, and who came to use it since, in words. */
  find(session: Session, change: KeptChange, input: Input): Promise<{ readonly users: readonly string[] } | null>;
  drop(session: Session, change: KeptChange, input: Input): Promise<void>;
}

/** Six or more letters that tell one step's things from another's. */
export function shortOf(context: Pick<StepContext, 'runId' | 'stepId'>, letters: number): string {
  return digestOf([context.runId, context.stepId]).slice(0, letters);
}

/** What a kind that keeps aside does to give up for good what a step of it kept. */
export function releaseOf<Input>(setting: KindSetting, keeping: Keeping<Input>) {
  return {
    async previewRelease(input: Input, context: ReleaseContext): Promise<StepPreview> {
      return setting.database.transact({ readOnly: true }, async (session) => {
        const change = await findSetAside(session, setting, context.releases);
        const found = change && (await keeping.find(session, change, input));
        const table = keeping.table(input);
        const findings = (found?.users ?? []).map((user) => ({
          check: 'kept-unused',
          title: `${user} has come to use what was kept of ${table}`,
          status: 'failed' as const,
          count: 1,
          samples: [user],
          advice: 'Take that away first; then ask again.',
        }));
        return {
          count: found ? 1 : 0,
          exact: true,
          keysHash: digestOf(found && change ? [table, change.name, change.kept] : []),
          schemaHash: digestOf([table]),
          samples: [],
          undoClass: 'one-way',
          locks: found ? [`${table}: nobody reads or writes for a moment, after a wait of at most 2 s`] : [],
          bytes: 1000,
          findings,
        };
      });
    },
    async releaseBatch(input: Input, batch: BatchRequest, context: ReleaseContext): Promise<BatchResult> {
      const table = keeping.table(input);
      return runBatch(setting, context, batch, schemaMannerFor(setting, [table]), async (session) => {
        const change = await findSetAside(session, setting, context.releases);
        const found = change && (await keeping.find(session, change, input));
        if (found && change) await keeping.drop(session, change, input);
        const released: ReleaseChange[] = change
          ? [{ did: 'release', name: change.name, kept: change.kept, existed: !found }]
          : [];
        const body = { version: 1 as const, table, keyColumn: null, changes: released, conflicts: [] };
        return { body, result: { cursor: null, done: found ? 1 : 0 } };
      });
    },
  };
}

async function findSetAside(
  session: Session,
  setting: KindSetting,
  step: { readonly runId: string; readonly stepId: string },
): Promise<KeptChange | null> {
  for (let index = (await countBatches(session, step.runId, step.stepId)) - 1; index >= 0; index -= 1) {
    const body = await readBody(session, setting.seal, { ...step, index });
    for (const change of body?.changes ?? []) {
      if ((change.did === 'set-aside-column' || change.did === 'set-aside-table') && !change.existed) return change;
    }
  }
  return null;
}
