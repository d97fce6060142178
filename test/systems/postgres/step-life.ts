import type { Json, JsonObject } from '../../../src/shared/json.ts';
import type {
  BatchRequest,
  BatchResult,
  StepContext,
  StepKind,
  System,
  UndoBatchResult,
  UndoContext,
} from '../../../src/systems/system.ts';

/** Records of another system, by collection; each has its fields. */
export type OtherRecords = { [collection: string]: JsonObject[] };

/** A context as the engine gives it; the other system's records are those handed in. `where` is a field that is null. */
export function contextOf(runId: string, others: OtherRecords = {}, changes: Partial<UndoContext> = {}): UndoContext {
  return {
    runId,
    stepId: 'data.step',
    sequenceBase: '1700000000000000',
    fence: { environment: 'sandbox', token: 1 },
    cap: null,
    signal: new AbortController().signal,
    undoes: { runId: '', stepId: 'data.step' },
    coupled: [],
    held: async () => new Set(),
    async lookup(_system, query, keys) {
      const found = (others[query.collection] ?? []).filter((record) => keys.includes(String(record[query.by])));
      return new Map(found.map((record) => [String(record[query.by]), pick(record, query.fields)]));
    },
    async *scan(_system, query) {
      const sorted = (others[query.collection] ?? [])
        .map((record) => ({ key: String(record[query.key]), record }))
        .filter(({ record }) => query.where === undefined || (record[query.where] ?? null) === null)
        .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
      for (const { key, record } of sorted) {
        if (query.after === undefined || Buffer.compare(Buffer.from(key), Buffer.from(query.after)) > 0) {
          yield { key, values: pick(record, query.fields) };
        }
      }
    },
    ...changes,
  };
}

export function kindOf(system: System, name: string): StepKind {
  const kind = system.kinds.find((candidate) => candidate.name === name);
  if (!kind) throw new Error(`no kind ${name}`);
  return kind;
}

/** All batches of a step; returns each batch's result. */
export async function perform(kind: StepKind, input: Json, context: StepContext, size = 3): Promise<BatchResult[]> {
  const parsed = kind.input.parse(input);
  return eachBatch<BatchResult>(size, (batch) => kind.performBatch(parsed, batch, context));
}

/** All batches of the undo of `undone` under the run of the context. */
export async function undo(
  kind: StepKind,
  input: Json,
  context: UndoContext,
  undone: string,
): Promise<UndoBatchResult> {
  const parsed = kind.input.parse(input);
  const from = { ...context, undoes: { runId: undone, stepId: context.stepId } };
  const results = await eachBatch<UndoBatchResult>(3, async (batch) => {
    if (!kind.undoBatch) throw new Error('no undo');
    return kind.undoBatch(parsed, batch, from);
  });
  const sum = (pickOne: (result: UndoBatchResult) => number): number => results.reduce((n, r) => n + pickOne(r), 0);
  return { cursor: null, done: sum((r) => r.done), kept: sum((r) => r.kept), missing: sum((r) => r.missing) };
}

export const doneBy = (results: readonly BatchResult[]): number => results.reduce((n, result) => n + result.done, 0);

async function eachBatch<R extends BatchResult>(size: number, work: (batch: BatchRequest) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let cursor: Json = null;
  for (let index = 0; index < 1000; index += 1) {
    const done = results.reduce((n, result) => n + result.done, 0);
    const result: R = await work({ index, cursor, done, size });
    results.push(result);
    if (result.cursor === null) return results;
    cursor = result.cursor;
  }
  throw new Error('the step never ends');
}

function pick(record: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(fields.map((field) => [field, record[field] ?? null]));
}
