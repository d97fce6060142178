import { Failure } from '../shared/failure.ts';
import type { Json } from '../shared/json.ts';
import type { Finding } from '../systems/finding.ts';
import type { ReleaseContext, StepContext, StepKind, StepPreview, UndoContext } from '../systems/system.ts';
import { type Environment, findKind, otherSystems } from './environment.ts';
import { maskSample } from './mask.ts';
import type { PlanStep, StepMode } from './plan.ts';

/**
 * Milliseconds for which a step is counted in a preview; after that people read "≥ N". Steps that destroy are counted to the
 * end, whatever it takes.
 */
const countForMs = 20_000;

/** One step as a plan's author names it, before it was looked at. */
export interface StepRequest {
  readonly id: string;
  readonly title: string;
  readonly system: string | null;
  readonly use: string;
  readonly input: Json;
  /** The step asks for a vote of its own before it is carried out. */
  readonly ownApproval?: boolean;
}

export interface PlannedStep {
  readonly step: PlanStep;
  readonly findings: readonly Finding[];
}

/**
 * Looks at what a step would do here and now. Writes nothing. Throws `invalid-file` when the parameters do not fit. Within a
 * run its id is given: what a step does may hang on what earlier ones have done.
 */
export async function planStep(
  environment: Environment,
  request: StepRequest,
  runId: string | null = null,
): Promise<PlannedStep> {
  const kind = findKind(environment, request.system, request.use);
  const input = parseInput(kind, request);
  const context = previewContext(environment, request.id, kind);
  const preview = await kind.preview(input, runId === null ? context : { ...context, runId });
  return asPlanned(environment, request, kind, preview, 'perform', null);
}

/** The same where what it would do is known without a look at the stores. */
export function plannedStep(environment: Environment, request: StepRequest, preview: StepPreview): PlannedStep {
  const kind = findKind(environment, request.system, request.use);
  parseInput(kind, request);
  return asPlanned(environment, request, kind, preview, 'perform', null);
}

/** The same for the undo of a step that another run carried out. */
export async function planUndoStep(
  environment: Environment,
  request: StepRequest,
  undo: Pick<UndoContext, 'undoes' | 'held' | 'coupled' | 'force'>,
): Promise<PlannedStep> {
  const kind = findKind(environment, request.system, request.use);
  if (!kind.previewUndo) {
    throw new Failure({
      code: 'precondition-failed',
      message: `“${request.title}” is one-way: it cannot be undone.`,
      advice: 'Restore from the backup set that was taken before it. Nothing was changed.',
    });
  }
  const input = parseInput(kind, request);
  const preview = await kind.previewUndo(input, { ...previewContext(environment, request.id, kind), ...undo });
  return asPlanned(environment, request, kind, preview, 'undo', undo.undoes);
}

/** The same for giving up what a step of another run kept aside: it destroys, whatever the step itself did. */
export async function planReleaseStep(
  environment: Environment,
  request: StepRequest,
  releases: ReleaseContext['releases'],
): Promise<PlannedStep> {
  const kind = findKind(environment, request.system, request.use);
  if (!kind.previewRelease) throw new Error(`${kind.name} keeps nothing aside`);
  const input = parseInput(kind, request);
  const { countForMs: _, ...context } = previewContext(environment, request.id, kind);
  const preview = await kind.previewRelease(input, { ...context, releases });
  const destroying: StepPreview = { ...preview, effect: 'destroys', undoClass: 'one-way' };
  return asPlanned(environment, request, kind, destroying, 'release', releases);
}

export function parseInput(kind: StepKind, request: Pick<StepRequest, 'id' | 'input'>): unknown {
  const parsed = kind.input.safeParse(request.input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Failure({
    code: 'invalid-file',
    message: `Step ${request.id} (${kind.name}): ${issue?.path.join('.') || 'the parameters'}: ${issue?.message ?? 'do not fit'}.`,
    advice: 'Correct the step and ask again. Nothing was changed.',
  });
}

function asPlanned(
  environment: Environment,
  request: StepRequest,
  kind: StepKind,
  preview: StepPreview,
  mode: StepMode,
  undoes: PlanStep['undoes'],
): PlannedStep {
  const { findings, samples, effect, ...rest } = preview;
  return {
    step: {
      id: request.id,
      title: request.title,
      system: request.system,
      use: request.use,
      mode,
      input: request.input,
      effect: effect ?? kind.effect,
      ...rest,
      ownApproval: request.ownApproval ?? false,
      estimate: null,
      samples: samples.map((sample) => maskSample(sample, environment.shown)),
      undoes,
    },
    findings: [...findings, ...uncounted(request, preview, effect ?? kind.effect)],
  };
}

/** People sign the very records that a step destroys: a lower bound is none. */
function uncounted(request: StepRequest, preview: StepPreview, effect: PlanStep['effect']): Finding[] {
  // With a vote of its own it is counted when it is its turn.
  if (effect !== 'destroys' || preview.exact || request.ownApproval) return [];
  return [
    {
      check: 'destroys-counted',
      title: `“${request.title}” destroys, and could not be counted to the end`,
      status: 'failed',
      count: preview.count,
      samples: [],
      advice:
        'Narrow it down, split it into several migrations, or give the step `approval: own`: then people vote on it when it is its turn.',
    },
  ];
}

function previewContext(environment: Environment, stepId: string, kind: StepKind): StepContext {
  return {
    ...otherSystems(environment),
    runId: 'preview',
    stepId,
    // Only what generated ids will look like: the run gets a base of its own.
    sequenceBase: String(BigInt(Date.now()) * 1000n),
    fence: { environment: environment.name, token: 0 },
    cap: null,
    signal: AbortSignal.timeout(10 * 60_000),
    ...(kind.effect === 'destroys' ? {} : { countForMs }),
  };
}
