import type { PlanStep } from '../plans/plan.ts';
import type { Finding } from '../systems/finding.ts';
import type { EvidenceName } from './checklist-item.ts';
import type { Evidence, RunFacts, StepFact } from './run-facts.ts';

type StepEvidence = Exclude<
  EvidenceName,
  'backup' | 'backup-proven' | 'version-recorded' | 'rehearsed' | 'way-back' | 'consistency' | 'validation'
>;

const changesCode = 'kubernetes.set-image';
const aroundData = ['before', 'after', 'backup', 'validate', 'version'];

/** Which steps of a run show what. */
const showing: Readonly<Record<StepEvidence, (step: PlanStep, stageId: string) => boolean>> = {
  'maintenance-on': (step) => step.use === 'kubernetes.set-maintenance' && maintenance(step) === true,
  'maintenance-off': (step) => step.use === 'kubernetes.set-maintenance' && maintenance(step) === false,
  'services-stopped': ({ use }) => use === 'kubernetes.stop-services',
  'migrations-run': isMigration,
  'code-updated': ({ use }) => use === changesCode,
  'integration-tests': ({ use }) => use === 'kubernetes.run-job',
  health: ({ use }) => ['http.await-healthy', 'kubernetes.await-rollout', 'checks.health'].includes(use),
  logs: ({ use }) => use === 'kubernetes.check-logs' || use === 'kubernetes.check-events',
  workflows: ({ use }) => use === 'http.run-workflow' || use === 'http.compare-responses',
  metrics: ({ use }) => use === 'prometheus.compare-metrics' || use === 'prometheus.await-quiet',
};

/** What the steps of a run show: all that are meant have ended well. */
export function seeSteps(name: StepEvidence, run: RunFacts): Evidence {
  return judgeSteps(run, stepsOf(run, showing[name]));
}

/** The data as a whole: every changing step has read back what it wrote, and no finding of the run failed. */
export function seeConsistency(run: RunFacts): Evidence {
  const seen = judgeSteps(run, stepsOf(run, isMigration));
  if (seen.seen !== true) return seen;
  const failed = run.findings.filter(({ status }) => status === 'failed');
  if (failed.length > 0) return { seen: false, lost: true, text: sayFailed(failed) };
  return { ...seen, text: `${seen.text}, each read back; no finding failed` };
}

/** The checks that the run was to carry out have run, and none failed. */
export function seeValidation(run: RunFacts): Evidence {
  const steps = stepsOf(run, ({ use }) => use === 'checks.run');
  const ids = new Set(steps.flatMap(({ step }) => checksOf(step)));
  const found = run.findings.filter(({ check }) => ids.has(check));
  const failed = found.filter(({ status }) => status === 'failed');
  if (failed.length > 0) return { seen: false, lost: true, text: sayFailed(failed) };
  const seen = judgeSteps(run, steps);
  if (seen.seen !== true) return seen;
  const skipped = found.filter(({ status }) => status === 'skipped').length;
  const passed = `${found.length - skipped} of ${ids.size} checks passed`;
  return { ...seen, text: skipped === 0 ? passed : `${passed}, ${skipped} skipped` };
}

interface Walked {
  readonly step: PlanStep;
  readonly fact: StepFact | undefined;
}

function stepsOf(run: RunFacts, wanted: (step: PlanStep, stageId: string) => boolean): Walked[] {
  const facts = new Map(run.steps.map((fact) => [fact.stepId, fact]));
  return run.plan.stages.flatMap((stage) =>
    stage.steps
      .filter((step) => step.mode === 'perform' && wanted(step, stage.id))
      .map((step) => ({ step, fact: facts.get(step.id) })),
  );
}

function judgeSteps(run: RunFacts, steps: readonly Walked[]): Evidence {
  if (steps.length === 0) return { seen: 'absent' };
  const begun = steps.some(({ fact }) => fact !== undefined && fact.state !== 'waiting');
  if (run.undoneBy !== null && begun) return { seen: false, lost: true, text: `undone by ${run.undoneBy}` };
  const failed = steps.find(({ fact }) => fact?.state === 'failed');
  if (failed !== undefined) return { seen: false, lost: true, text: `failed: ${failed.step.title}` };
  const done = steps.filter(({ fact }) => fact?.state === 'done' || fact?.state === 'skipped');
  if (done.length < steps.length) {
    const text = steps.length === 1 ? 'not yet' : `${done.length} of ${steps.length} steps are done`;
    return { seen: false, lost: false, text };
  }
  const at = done.map(({ fact }) => fact?.endedAt ?? '').toSorted();
  return {
    seen: true,
    at: at.at(-1) || null,
    text: steps.length === 1 ? (steps[0]?.step.title ?? '') : `${steps.length} steps`,
  };
}

function isMigration({ effect, use }: PlanStep, stageId: string): boolean {
  return effect !== 'reads' && use !== changesCode && !aroundData.includes(stageId);
}

/** Null where the step says nothing of the sort. */
function maintenance({ input }: PlanStep): boolean | null {
  return isRecord(input) && typeof input.on === 'boolean' ? input.on : null;
}

function checksOf({ input }: PlanStep): readonly string[] {
  if (!isRecord(input) || !Array.isArray(input.checks)) return [];
  return input.checks.filter((check): check is string => typeof check === 'string');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sayFailed(failed: readonly Finding[]): string {
  return `failed: ${failed
    .slice(0, 3)
    .map(({ title }) => title)
    .join('; ')}${failed.length > 3 ? ` and ${failed.length - 3} more` : ''}`;
}
