import { Failure } from '../shared/failure.ts';
import type { Json } from '../shared/json.ts';
import type { Finding } from '../systems/finding.ts';
import type { StepContext, StepKind, StepPreview, UndoContext } from '../systems/system.ts';
import { type Environment, findKind, otherSystems } from './environment.ts';
import { maskSample } from './mask.ts';
import type { PlanStep } from './plan.ts';

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

/** Looks at what a step would do here and now. Writes nothing. Throws `invalid-file` when the parameters do not fit. */
export async function planStep(environment: Environment, request: StepRequest): Promise<PlannedStep> {
  const kind = findKind(environment, request.system, request.use);
  const input = parseInput(kind, request);
  const preview = await kind.preview(input, previewContext(environment, request.id));
  return asPlanned(environment, request, kind, preview, 'perform', null);
}

/** The same for the undo of a step that another run carried out. */
export async function planUndoStep(
  environment: Environment,
  request: StepRequest,
  undo: Pick<UndoContext, 'undoes' | 'held' | 'coupled'>,
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
  const preview = await kind.previewUndo(input, { ...previewContext(environment, request.id), ...undo });
  return asPlanned(environment, request, kind, preview, 'undo', undo.undoes);
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
  mode: 'perform' | 'undo',
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
    findings,
  };
}

function previewContext(environment: Environment, stepId: string): StepContext {
  return {
    ...otherSystems(environment),
    runId: 'preview',
    stepId,
    // Only what generated ids will look like: the run gets a base of its own.
    sequenceBase: String(BigInt(Date.now()) * 1000n),
    fence: { environment: environment.name, token: 0 },
    cap: null,
    signal: AbortSignal.timeout(10 * 60_000),
  };
}
