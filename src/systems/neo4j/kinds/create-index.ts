import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf, type Json } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { awaitOnline } from '../await-online.ts';
import { keepUnderCap, type Store } from '../batch.ts';
import type { GraphTransaction } from '../connection.ts';
import { encodeValue } from '../encode.ts';
import { passFence } from '../fence.ts';
import { escapeName, graphName } from '../name.ts';
import { hashSchema } from '../records.ts';
import { runSchemaBatch, type SchemaIntent } from '../schema-batch.ts';
import {
  dropElement,
  type ElementState,
  type Index,
  makeElement,
  readElementState,
  showElement,
  toJson,
} from '../schema-elements.ts';
import { previewSchemaUndo, undoSchemaBatch } from '../undo-schema.ts';

const corner = z.array(z.number()).min(2).max(3).optional();

const options = z
  .strictObject({
    'vector.dimensions': z.number().int().min(1).max(4096).optional(),
    'vector.similarity_function': z.enum(['cosine', 'euclidean']).optional(),
    'vector.quantization.enabled': z.boolean().optional(),
    'vector.hnsw.m': z.number().int().min(1).max(512).optional(),
    'vector.hnsw.ef_construction': z.number().int().min(1).max(3200).optional(),
    'fulltext.analyzer': z.string().min(1).optional(),
    'fulltext.eventually_consistent': z.boolean().optional(),
    'spatial.cartesian.min': corner,
    'spatial.cartesian.max': corner,
    'spatial.cartesian-3d.min': corner,
    'spatial.cartesian-3d.max': corner,
    'spatial.wgs-84.min': corner,
    'spatial.wgs-84.max': corner,
    'spatial.wgs-84-3d.min': corner,
    'spatial.wgs-84-3d.max': corner,
  })
  .describe("The server's own settings of the index");

const names = z.union([graphName, z.array(graphName).min(1)]);
const PREFIX = { range: '', text: '', point: 'spatial.', fulltext: 'fulltext.', vector: 'vector.' } as const;

const input = z
  .strictObject({
    name: graphName.describe('Name of the index'),
    label: names.optional().describe('Label of the nodes; several for a full-text index'),
    type: names.optional().describe('Type of the relationships, instead of a label'),
    properties: z.array(graphName).min(1).describe('The properties, in order'),
    kind: z.enum(['range', 'text', 'point', 'fulltext', 'vector']).default('range'),
    options: options.default({}),
  })
  .refine(({ label, type }) => (label === undefined) !== (type === undefined), 'name either a label or a type')
  .refine(({ label, type, kind }) => kind === 'fulltext' || typeof (label ?? type) === 'string', {
    error: 'only a full-text index stands on several labels or types',
  })
  .refine(({ kind, properties }) => properties.length === 1 || kind === 'range' || kind === 'fulltext', {
    error: 'this kind of index takes one property',
  })
  .refine(
    ({ kind, options: given }) => Object.keys(given).every((key) => PREFIX[kind] && key.startsWith(PREFIX[kind])),
    {
      error: 'an option does not belong to this kind of index',
    },
  )
  .refine(({ kind, options: given }) => kind !== 'vector' || given['vector.dimensions'] !== undefined, {
    error: 'a vector index needs vector.dimensions',
  });
type Input = z.infer<typeof input>;

/** Whole numbers are integers to the server; those of a list are coordinates. */
function setting(value: Json): Json {
  return encodeValue(typeof value === 'number' ? BigInt(value) : value);
}

function indexOf({ name, label, type, properties, kind, options: given }: Input): Index {
  const config = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    name,
    type: kind.toUpperCase() as Index['type'],
    entity: label === undefined ? 'RELATIONSHIP' : 'NODE',
    labels: [label ?? type ?? []].flat(),
    properties,
    config: Object.fromEntries(config.map(([key, value]) => [key, setting(value as Json)])) as Index['config'],
  };
}

function findObstacles({ name }: Index, state: ElementState): Finding[] {
  const found: Finding[] = [];
  const add = (check: string, title: string, advice: string) =>
    found.push({ check, title, status: 'failed', count: 1, samples: [], advice });
  if (state.nameTaken)
    add('index-name-free', `The name ${name} is free`, 'Another index or constraint bears it: choose another name.');
  if (state.blockedBy !== null) {
    const advice = `${state.blockedBy} stands on the same with other settings: drop it first (neo4j.drop-index).`;
    add('no-index-in-the-way', `No other index stands where ${name} is wanted`, advice);
  }
  return found;
}

async function findUnknownAnalyzer(transaction: GraphTransaction, { options: given }: Input): Promise<Finding[]> {
  const analyzer = given['fulltext.analyzer'];
  if (analyzer === undefined) return [];
  const rows = await transaction.run('CALL db.index.fulltext.listAvailableAnalyzers() YIELD analyzer RETURN analyzer');
  if (rows.some(([name]) => name === analyzer)) return [];
  const title = `The server has the analyzer ${analyzer}`;
  const advice = 'CALL db.index.fulltext.listAvailableAnalyzers() names those that it has.';
  return [{ check: 'analyzer-known', title, status: 'failed', count: 1, samples: [], advice }];
}

async function preview(store: Store, step: Input, context: StepContext): Promise<StepPreview> {
  const index = indexOf(step);
  const [state, unknown, records] = await store.connection.read(
    async (transaction) => {
      const labels = index.labels.map(escapeName).join('|');
      const pattern = index.entity === 'NODE' ? `(x:${labels})` : `()-[x:${labels}]->()`;
      const [row] = await transaction.run(`MATCH ${pattern} RETURN count(x)`);
      const found = await readElementState(transaction, { index });
      return [found, await findUnknownAnalyzer(transaction, step), Number(row?.[0] ?? 0)] as const;
    },
    { signal: context.signal },
  );
  const exists = state.stands || state.elsewhere !== null;
  const collection = index.labels.join('|');
  const dimensions = step.options['vector.dimensions'] ?? 0;
  return {
    count: exists ? 0 : 1,
    exact: true,
    keysHash: digestOf(exists ? [] : [step.name]),
    schemaHash: await hashSchema(store.connection, index.labels),
    samples: exists ? [] : [{ collection, key: step.name, before: {}, after: showElement({ index }) }],
    undoClass: 'reversible',
    locks: exists ? [] : [`writes to ${collection} wait for a moment; then the index is filled beside them`],
    bytes: exists ? 0 : records * (100 * step.properties.length + 8 * dimensions),
    findings: exists ? [] : [...findObstacles(index, state), ...unknown],
  };
}

/** Longest wait of one batch: then the run may be paused or stopped, and people see how far it is. */
const SLICE_MS = 5000;
/** An index that is not filled after this time is given up; the next retry waits anew. */
const LIMIT_MS = 6 * 60 * 60_000;

interface Waiting {
  readonly name: string;
  readonly waitedMs: number;
}

/** Where the next batch waits on; null when the index is online. */
async function wait(store: Store, { name, waitedMs }: Waiting, context: StepContext): Promise<Json> {
  const began = performance.now();
  const { online, percent } = await awaitOnline(store.connection, name, SLICE_MS, context.signal);
  if (online) return null;
  const waited = Math.round(waitedMs + performance.now() - began);
  if (waited < LIMIT_MS) return { name, waitedMs: waited, percent };
  throw new Failure({
    code: 'timed-out',
    message: `${store.name}: the index ${name} is filled to ${percent} % after ${Math.round(waited / 60_000)} minutes.`,
    advice: 'The server goes on filling it. Retry to wait on.',
    retryable: true,
  });
}

/** Makes again what an earlier try of the same batch made, if the server could not fill it. */
async function remake(store: Store, index: Index, context: StepContext): Promise<void> {
  const { connection } = store;
  const [row] = await connection.read((transaction) =>
    transaction.run('SHOW INDEXES YIELD name, state WHERE name = $name RETURN state', { name: index.name }),
  );
  if (row && row[0] !== 'FAILED') return;
  await connection.write((transaction) => passFence(transaction, context.fence, connection.place));
  await dropElement(connection, { index });
  await makeElement(connection, { index });
}

async function performBatch(
  store: Store,
  step: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const index = indexOf(step);
  if (batch.index > 0) return { cursor: await wait(store, batch.cursor as unknown as Waiting, context), done: 0 };
  const plan = async (transaction: GraphTransaction): Promise<SchemaIntent> => {
    const state = await readElementState(transaction, { index });
    const exists = state.stands || state.elsewhere !== null;
    const [obstacle] = exists ? [] : findObstacles(index, state);
    if (obstacle) {
      const message = `${obstacle.title}: this does not hold any more.`;
      throw new Failure({ code: 'precondition-failed', message, advice: obstacle.advice ?? '' });
    }
    if (!exists) keepUnderCap(context, batch.done, 1);
    const after = toJson({ index: { ...index, name: state.elsewhere ?? index.name } });
    return { before: exists ? after : null, after, done: exists ? 0 : 1, conflicts: [] };
  };
  const act = async ({ before }: SchemaIntent) => {
    if (before === null) await makeElement(store.connection, { index });
  };
  const { done } = await runSchemaBatch(store, context, { index: 0, undoes: null }, plan, act);
  if (done > 0) await remake(store, index, context);
  const name = done > 0 ? index.name : await existingName(store, index);
  return { cursor: name === null ? null : await wait(store, { name, waitedMs: 0 }, context), done };
}

/** What stood there before, under whatever name; null = it is gone since. */
async function existingName(store: Store, index: Index): Promise<string | null> {
  const state = await store.connection.read((transaction) => readElementState(transaction, { index }));
  return state.stands ? index.name : state.elsewhere;
}

async function verify(store: Store, step: Input): Promise<readonly Finding[]> {
  const index = indexOf(step);
  const name = await existingName(store, index);
  const online = name !== null && (await awaitOnline(store.connection, name, 0)).online;
  const title = `The index ${name ?? step.name} is there and online`;
  if (online) return [{ check: 'index-online', title, status: 'passed', count: 0, samples: [] }];
  const advice = 'Somebody dropped it since, or it is still being filled; retry the step.';
  return [{ check: 'index-online', title, status: 'failed', count: 1, samples: [], advice }];
}

/** Makes an index, unless one that does the same stands there already, and waits until it is filled. */
export function createIndex(store: Store): StepKind {
  return defineStepKind<Input>({
    name: 'neo4j.create-index',
    effect: 'changes',
    input,
    describe: ({ name, label, type, properties, kind }) =>
      `Makes the ${kind} index ${name} on ${[label ?? type ?? []].flat().join('|')}(${properties.join(', ')})`,
    preview: (step, context) => preview(store, step, context),
    performBatch: (step, batch, context) => performBatch(store, step, batch, context),
    verify: (step) => verify(store, step),
    previewUndo: (_, context) => previewSchemaUndo(store, context),
    undoBatch: (_, batch, context) => undoSchemaBatch(store, batch, context),
    narrow: () => null,
  });
}
