import { z } from 'zod';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import { digestOf, type Json } from '../shared/json.ts';
import type { Finding } from '../systems/finding.ts';
import {
  type DataModel,
  type DataModelVersion,
  defineStepKind,
  type StepKind,
  type StepPreview,
  type System,
  type UndoBatchResult,
  type UndoContext,
} from '../systems/system.ts';
import type { MigrationLedger } from './ledger.ts';

interface Deps {
  readonly systems: ReadonlyMap<string, System>;
  readonly ledger: Pick<MigrationLedger, 'lineage'>;
  readonly clock: Clock;
}

const inputSchema = z.strictObject({
  system: z.string(),
  /** The version to record. */
  version: z.string(),
  /** What was recorded when the plan was made; null = nothing. Undo writes it back. */
  from: z.strictObject({ version: z.string(), runId: z.string(), at: z.string() }).nullable(),
});
type Input = z.infer<typeof inputSchema>;

export const recordVersion = 'migrations.record-version';

/** The step kind that records the data-model version in a system itself, so that a restore rewinds it with the data. */
export function createMigrationKinds(deps: Deps): readonly StepKind[] {
  return [
    defineStepKind<Input>({
      name: recordVersion,
      effect: 'adds',
      input: inputSchema,
      describe: ({ system, version }) => `record data model ${version} in ${system}`,
      async preview({ system, version }) {
        const now = await dataModelOf(deps, system).read();
        return previewOf(system, now, now?.version === version ? 0 : 1);
      },
      async performBatch({ system, version, from }, _batch, context) {
        const model = dataModelOf(deps, system);
        const now = await model.read();
        // Asked again after a crash, it finds its own record; an earlier run's counts as nothing done.
        if (now?.version === version) return { cursor: null, done: now.runId === context.runId ? 1 : 0 };
        if (!isSame(now, from)) throw moved(system, from, now);
        await model.write({ version, runId: context.runId, at: deps.clock.now().toISOString() }, context.fence);
        return { cursor: null, done: 1 };
      },
      async previewUndo(input, context) {
        const { now, state } = await lookBack(deps, input, context);
        const preview = previewOf(input.system, now, state === 'ours' ? 1 : 0);
        if (state !== 'theirs') return preview;
        return {
          ...preview,
          findings: [staysAt(input.system, now)],
          kept: { counts: { 'changed-since': 1 }, samples: [input.system] },
        };
      },
      undoBatch: (input, _batch, context) => undo(deps, input, context),
    }),
  ];
}

async function undo(deps: Deps, input: Input, context: UndoContext): Promise<UndoBatchResult> {
  const { state, target } = await lookBack(deps, input, context);
  const result = { cursor: null, done: 0, kept: 0, missing: 0 };
  if (state === 'untouched') return result;
  if (state === 'theirs') return { ...result, kept: 1 };
  if (state === 'ours') await dataModelOf(deps, input.system).write(target, context.fence);
  return { ...result, done: 1 };
}

interface Back {
  readonly now: DataModelVersion | null;
  /** What the undo would write. */
  readonly target: DataModelVersion | null;
  /** `untouched` = the run had nothing to write; `back` = the undo was here before; `theirs` = somebody wrote since. */
  readonly state: 'untouched' | 'ours' | 'back' | 'theirs';
}

/** Where an undo stands. The undo of an undo brings the version forward again, in the name of the run that was first. */
async function lookBack(deps: Deps, { system, version, from }: Input, context: UndoContext): Promise<Back> {
  const now = await dataModelOf(deps, system).read();
  const { origin, undone } = await deps.ledger.lineage(context.undoes.runId);
  const isForward = now?.version === version && now.runId === origin;
  const isBack = isSame(now, from);
  const forward = { version, runId: origin, at: deps.clock.now().toISOString() };
  if (from?.version === version) return { now, target: now, state: 'untouched' };
  if (undone) return { now, target: forward, state: isBack ? 'ours' : isForward ? 'back' : 'theirs' };
  return { now, target: from, state: isForward ? 'ours' : isBack ? 'back' : 'theirs' };
}

function dataModelOf(deps: Deps, name: string): DataModel {
  const model = deps.systems.get(name)?.dataModel;
  if (model) return model;
  throw new Failure({
    code: 'invalid-file',
    message: `There is no system ${name} that records a data-model version.`,
    advice: `Known are: ${[...deps.systems.keys()].join(', ')}. Nothing was changed.`,
  });
}

function previewOf(system: string, now: DataModelVersion | null, count: number): StepPreview {
  return {
    count,
    exact: true,
    keysHash: '',
    // Another version under a signed plan is another plan.
    schemaHash: digestOf({ system, recorded: now as unknown as Json }),
    samples: [],
    undoClass: 'reversible',
    locks: [],
    bytes: 0,
    findings: [],
  };
}

function staysAt(system: string, now: DataModelVersion | null): Finding {
  return {
    check: 'data-model-stays',
    title: `${system} stays at data model ${now?.version ?? 'unknown'}: it was recorded by another run since`,
    status: 'warning',
    count: 1,
    samples: now === null ? [] : [now.runId],
    advice: 'Undo the runs that came after this one first, newest first.',
  };
}

function moved(system: string, from: DataModelVersion | null, now: DataModelVersion | null): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${system} was at data model ${from?.version ?? 'unknown'} when this was planned, and is at ${now?.version ?? 'unknown'} now.`,
    advice:
      'The version was left alone; the data is as the steps before left it, all of it journaled. Find out who recorded it, then retry or undo the run.',
  });
}

function isSame(a: DataModelVersion | null, b: DataModelVersion | null): boolean {
  return a?.version === b?.version && a?.runId === b?.runId;
}
