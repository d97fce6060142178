import fc from 'fast-check';
import { Failure } from '../../src/shared/failure.ts';
import { canonicalJson, type Json } from '../../src/shared/json.ts';
import type {
  BatchRequest,
  BatchResult,
  Conflict,
  OtherSystems,
  StepKind,
  System,
  UndoBatchResult,
} from '../../src/systems/system.ts';
import { kindOf, stepContext, undoContext } from '../systems/step-contexts.ts';

/**
 * The same scenes every time, so that a change is judged and not its luck. To look for faults: TAS_LAW_ROUNDS for more of them,
 * TAS_LAW_SEED for others.
 */
export const lottery = {
  numRuns: Number(process.env.TAS_LAW_ROUNDS ?? 40),
  seed: Number(process.env.TAS_LAW_SEED ?? 20_261_123),
  endOnFailure: true,
};

/** What a store holds: record (`<collection> <key>`) → field → the value's text. */
export type World = Map<string, Map<string, string>>;

/** What somebody else does to the store. A record is named by collection and key. */
export type Write =
  | { readonly does: 'set'; readonly record: string; readonly field: string; readonly value: string | null }
  | {
      readonly does: 'create';
      readonly record: string;
      readonly fields: { readonly [name: string]: string };
      /** What reading the record shows beside its fields. */
      readonly mark?: { readonly [name: string]: string };
    }
  | { readonly does: 'delete'; readonly record: string };

export interface Step {
  readonly use: string;
  readonly input: Json;
}

/** How the process that carries a batch out ends: it does not, its answer is lost, or it is killed within so many ms. */
type End = 'well' | 'answer-lost' | { readonly killedAfterMs: number };

/** What happens around one batch: writes of others before it, and how the process ends. */
interface Moment {
  readonly writes: readonly Write[];
  readonly end: End;
}

export interface Scene {
  readonly start: readonly Extract<Write, { does: 'create' }>[];
  readonly steps: readonly Step[];
  readonly batchSize: number;
  /** Taken in turn for each batch, of the run and of the undo; afterwards nothing more happens. */
  readonly during: readonly Moment[];
  readonly between: readonly Write[];
  readonly duringUndo: readonly Moment[];
}

/** A store under test. */
export interface Subject {
  /** Empties the store and fills in the records, as a user would. */
  begin(start: Scene['start']): Promise<void>;
  system(): System;
  /** The process dies: what it had open is gone, another takes its place. */
  crash(): Promise<void>;
  read(): Promise<World>;
  /** What steps read of other systems. */
  readonly others?: OtherSystems;
  /** As a user of the store; false where it changed nothing: no such record, that value already, or refused. */
  write(write: Write): Promise<boolean>;
  /** Whether a record goes with another one that somebody deletes: a relationship with its end. */
  goesWith?(record: string, deleted: string): boolean;
  close(): Promise<void>;
}

const quiet: Moment = { writes: [], end: 'well' };

/** Carries the scene out and says what breaks the law; empty = it holds. */
export async function breaches(subject: Subject, scene: Scene, round: string): Promise<string[]> {
  await subject.begin(scene.start);
  const expected = await subject.read();
  let meddled = false;
  const write = async (writes: readonly Write[]): Promise<void> => {
    for (const each of writes) {
      if (!(await subject.write(each))) continue;
      meddled = true;
      apply(expected, each);
      if (each.does === 'delete') takeAlong(subject, expected, each.record);
    }
  };
  const begun = await performSteps(subject, scene, `run-${round}`, write);
  await write(scene.between);
  const conflicts = await undoSteps(subject, scene, { round, begun }, write);
  return [...compare(await subject.read(), expected, conflicts), ...unfounded(conflicts, meddled)];
}

type WriteAll = (writes: readonly Write[]) => Promise<void>;

/** Answers how many steps were begun: one that the store refuses stops the run there. */
async function performSteps(subject: Subject, scene: Scene, runId: string, write: WriteAll): Promise<number> {
  const moments = scene.during[Symbol.iterator]();
  for (const [at, step] of scene.steps.entries()) {
    const context = stepContext({ ...subject.others, runId, stepId: `data.step-${at}` });
    const call = (batch: BatchRequest) => {
      const kind = kindOf(subject.system(), step.use);
      return kind.performBatch(kind.input.parse(step.input), batch, context);
    };
    if (!(await allBatches(subject, scene.batchSize, moments, call, write))) return at + 1;
  }
  return scene.steps.length;
}

async function undoSteps(
  subject: Subject,
  scene: Scene,
  { round, begun }: { round: string; begun: number },
  write: WriteAll,
): Promise<Conflict[]> {
  const moments = scene.duringUndo[Symbol.iterator]();
  const conflicts: Conflict[] = [];
  for (let at = begun - 1; at >= 0; at -= 1) {
    const step = scene.steps[at] as Step;
    const stepId = `data.step-${at}`;
    const context = undoContext({ runId: `run-${round}`, stepId }, { runId: `undo-${round}`, stepId: `undo.${at}` });
    const call = async (batch: BatchRequest): Promise<UndoBatchResult> => {
      const kind: StepKind = kindOf(subject.system(), step.use);
      if (!kind.undoBatch) throw new Error(`${kind.name} has no undo`);
      return kind.undoBatch(kind.input.parse(step.input), batch, context);
    };
    if (!(await allBatches(subject, 1000, moments, call, write)))
      throw new Error(`the undo of ${step.use} was refused`);
    const recorded = await subject.system().journal?.conflicts(`undo-${round}`, `undo.${at}`, 10_000);
    conflicts.push(...(recorded ?? []));
  }
  return conflicts;
}

/** False when the store refused a batch for a reason that an operator can act on. */
async function allBatches(
  subject: Subject,
  size: number,
  moments: Iterator<Moment>,
  call: (batch: BatchRequest) => Promise<BatchResult>,
  write: WriteAll,
): Promise<boolean> {
  let [cursor, done]: [Json, number] = [null, 0];
  for (let index = 0; ; index += 1) {
    const moment = moments.next().value ?? quiet;
    await write(moment.writes);
    const batch: BatchRequest = { index, cursor, done, size };
    const result: BatchResult | 'refused' = await endingAs(moment.end, subject, () => call(batch));
    if (result === 'refused') return false;
    done += result.done;
    cursor = result.cursor;
    if (cursor === null) return true;
    if (index > 2_000) throw new Error('the step does not end');
  }
}

async function endingAs<T>(end: End, subject: Subject, work: () => Promise<T>): Promise<T | 'refused'> {
  if (end === 'answer-lost') await work().catch(() => undefined);
  if (typeof end === 'object') {
    // Not waited for: what is cut off may never answer, as with a process that is dead.
    void work().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, end.killedAfterMs));
    await subject.crash();
  }
  return work().catch((error: unknown) => {
    // Constraints and rules of the data refuse a batch whole; anything else is a fault of the kind.
    if (error instanceof Failure && error.code !== 'unreachable') return 'refused' as const;
    throw error;
  });
}

/** What a user wrote counts as if the run had never been; on a record that only the run made it counts for nothing. */
function apply(world: World, write: Write): void {
  if (write.does === 'create') world.set(write.record, new Map(Object.entries({ ...write.fields, ...write.mark })));
  if (write.does === 'delete') world.delete(write.record);
  if (write.does === 'set') {
    if (write.value === null) world.get(write.record)?.delete(write.field);
    else world.get(write.record)?.set(write.field, write.value);
  }
}

function takeAlong(subject: Subject, world: World, deleted: string): void {
  for (const record of world.keys()) if (subject.goesWith?.(record, deleted)) world.delete(record);
}

/** Every difference between what is there and what would be there without the run has to be reported. */
function compare(actual: World, expected: World, conflicts: readonly Conflict[]): string[] {
  const broken: string[] = [];
  const reported = (record: string): Conflict[] =>
    conflicts.filter(
      // What is kept of the schema (a column) is reported once for all records.
      ({ collection, key, field }) =>
        record === `${collection} ${key}` || (key === field && record.startsWith(`${collection} `)),
    );
  for (const record of new Set([...actual.keys(), ...expected.keys()])) {
    const [is, ought] = [actual.get(record), expected.get(record)];
    const reports = reported(record);
    if (is === undefined || ought === undefined) {
      const kept = is !== undefined && endsOf(record, is).some((end) => !expected.has(end) && reported(end).length > 0);
      if (reports.length === 0 && !kept)
        broken.push(`${record} ${is ? 'is still there' : 'is gone'}, and nothing says so`);
      continue;
    }
    for (const field of new Set([...is.keys(), ...ought.keys()])) {
      if (is.get(field) === ought.get(field)) continue;
      if (reports.some((conflict) => conflict.field.split(', ').includes(field) || conflict.field === '')) continue;
      broken.push(`${record}.${field} is ${is.get(field)} instead of ${ought.get(field)}, and nothing says so`);
    }
  }
  return broken;
}

/** The records that a relationship ties together; a node that the run made and that is kept keeps its own. */
function endsOf(record: string, held: ReadonlyMap<string, string>): string[] {
  const [, from, to] = /^\S+ (\S+) → (\S+)$/.exec(record) ?? [];
  if (from === undefined) return [];
  return [...held.keys()].flatMap((name) => {
    const [start, end] = name.split('→');
    return end === undefined ? [] : [`${start} ${from}`, `${end} ${to}`];
  });
}

/** A conflict is somebody else's doing: where nobody else wrote there is none, and what they wrote is another value. */
function unfounded(conflicts: readonly Conflict[], meddled: boolean): string[] {
  const text = canonicalJson;
  return conflicts
    .filter(({ reason, ours, theirs }) => !meddled || (reason === 'changed-since' && text(ours) === text(theirs)))
    .map(
      ({ collection, key, field, reason }) => `${collection} ${key}.${field} is reported as ${reason}: nobody did it`,
    );
}

/** Scenes over records `<collection> k0 … k9` with a few fields, and steps out of a list. */
export function scenes(options: {
  readonly collections: readonly string[];
  /** Relationships are named `<type> <from key> → <to key>`. */
  readonly relationships?: readonly string[];
  readonly fields: readonly string[];
  readonly steps: fc.Arbitrary<Step>;
}): fc.Arbitrary<Scene> {
  const key = fc.integer({ min: 0, max: 9 }).map((at) => `k${at}`);
  const node = fc.tuple(fc.constantFrom(...options.collections), key).map((parts) => parts.join(' '));
  const types = options.relationships ?? [];
  const ties = types.map((type) => fc.tuple(key, key).map(([from, to]) => `${type} ${from} → ${to}`));
  const record = types.length === 0 ? node : fc.oneof({ weight: 2, arbitrary: node }, fc.oneof(...ties));
  const field = fc.constantFrom(...options.fields);
  const value = fc.constantFrom('red', 'green', 'blue', '12', 'Ärger\u2028 "\'\\', '');
  const fields = fc.dictionary(field, value, { maxKeys: options.fields.length });
  const set = fc.record({ does: fc.constant('set' as const), record, field, value: fc.option(value) });
  const create = fc.record({ does: fc.constant('create' as const), record, fields }).map((each) => {
    return each.record.includes('→') ? { ...each, mark: { 'Thing→Other': '|' } } : each;
  });
  const remove = fc.record({ does: fc.constant('delete' as const), record });
  const write: fc.Arbitrary<Write> = fc.oneof({ weight: 5, arbitrary: set }, { weight: 2, arbitrary: create }, remove);
  const end: fc.Arbitrary<End> = fc.oneof(
    { weight: 5, arbitrary: fc.constant('well' as const) },
    { weight: 1, arbitrary: fc.constant('answer-lost' as const) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }).map((killedAfterMs) => ({ killedAfterMs })) },
  );
  const moments = fc.array(fc.record({ writes: fc.array(write, { maxLength: 2 }), end }), { maxLength: 8 });
  return fc.record({
    // Nodes before the relationships between them.
    start: fc
      .uniqueArray(create, { maxLength: 24, minLength: 3, selector: (each) => each.record })
      .map((all) => all.toSorted((a, b) => Number(a.record.includes('→')) - Number(b.record.includes('→')))),
    steps: fc.array(options.steps, { minLength: 1, maxLength: 3 }),
    batchSize: fc.integer({ min: 1, max: 5 }),
    during: moments,
    between: fc.array(write, { maxLength: 5 }),
    duringUndo: moments,
  });
}
