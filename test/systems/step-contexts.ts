import type {
  BatchResult,
  StepContext,
  StepKind,
  System,
  UndoBatchResult,
  UndoContext,
} from '../../src/systems/system.ts';

/** What a step is carried out with in tests: no other systems, no cap, a fence with token 1. */
export function stepContext(over: Partial<StepContext> = {}): StepContext {
  return {
    runId: 'run-1',
    stepId: 'data.step',
    sequenceBase: '1700000000000000',
    fence: { environment: 'test', token: 1 },
    cap: null,
    signal: AbortSignal.timeout(120_000),
    lookup: async () => new Map(),
    async *scan() {},
    ...over,
  };
}

/** The same for an undo of another run's step. */
export function undoContext(undoes: UndoContext['undoes'], over: Partial<UndoContext> = {}): UndoContext {
  return {
    ...stepContext({ runId: `undo-of-${undoes.runId}` }),
    undoes,
    held: async () => new Set(),
    coupled: [],
    ...over,
  };
}

export function kindOf(system: System, name: string): StepKind {
  const kind = system.kinds.find((candidate) => candidate.name === name);
  if (!kind) throw new Error(`${system.name} has no kind ${name}`);
  return kind;
}

/** Carries a step out to its end, as the engine does, and answers what every batch answered. */
export async function performAll(
  kind: StepKind,
  input: unknown,
  context: StepContext,
  size: number,
): Promise<BatchResult[]> {
  const parsed = kind.input.parse(input);
  const results: BatchResult[] = [];
  let done = 0;
  for (let cursor: BatchResult['cursor'] = null, index = 0; ; index += 1) {
    const result = await kind.performBatch(parsed, { index, cursor, done, size }, context);
    results.push(result);
    done += result.done;
    cursor = result.cursor;
    if (cursor === null) return results;
    if (index > 10_000) throw new Error('the step does not end');
  }
}

/** Undoes a step to its end. */
export async function undoAll(kind: StepKind, input: unknown, context: UndoContext): Promise<UndoBatchResult[]> {
  const parsed = kind.input.parse(input);
  const results: UndoBatchResult[] = [];
  let done = 0;
  for (let cursor: BatchResult['cursor'] = null, index = 0; ; index += 1) {
    const result: UndoBatchResult | undefined = await kind.undoBatch?.(
      parsed,
      { index, cursor, done, size: 1000 },
      context,
    );
    if (!result) throw new Error(`${kind.name} cannot be undone`);
    results.push(result);
    done += result.done;
    cursor = result.cursor;
    if (cursor === null) return results;
    if (index > 10_000) throw new Error('the undo does not end');
  }
}

export function sumDone(results: readonly BatchResult[]): number {
  return results.reduce((sum, result) => sum + result.done, 0);
}
