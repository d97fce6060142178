import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import { digestOf } from '../../shared/json.ts';
import type { Finding } from '../finding.ts';
import type { StepPreview } from '../system.ts';
import { type BatchRequest, type BatchResult, defineStepKind, type StepContext, type StepKind } from '../system.ts';
import { keepUnderCap, type Store } from './batch.ts';
import type { GraphTransaction } from './connection.ts';
import { graphName } from './name.ts';
import { hashSchema } from './records.ts';
import { runSchemaBatch, type SchemaIntent } from './schema-batch.ts';
import { dropElement, labelsOf, readElement, type SchemaElement, showElement, toJson } from './schema-elements.ts';
import { previewSchemaUndo, undoSchemaBatch } from './undo-schema.ts';

type What = 'index' | 'constraint';

const input = z.strictObject({ name: graphName.describe('Its name, as SHOW INDEXES or SHOW CONSTRAINTS gives it') });
type Input = z.infer<typeof input>;

const OTHER: { readonly [what in What]: What } = { index: 'constraint', constraint: 'index' };

function findProblems(what: What, { name }: Input, found: SchemaElement | null): Finding[] {
  if (found === null) {
    const title = `There is no ${what} ${name}`;
    return [{ check: `${what}-there`, title, status: 'warning', count: 1, samples: [], advice: 'Nothing is dropped.' }];
  }
  if (what in found) return [];
  const title = `${name} is an index of its own`;
  const advice = `It is ${what === 'index' ? 'a constraint' : 'an index'}: use neo4j.drop-${OTHER[what]}.`;
  return [
    {
      check: `${what}-not-${OTHER[what]}`,
      title: what === 'index' ? title : `${name} is a constraint`,
      status: 'failed',
      count: 1,
      samples: [],
      advice,
    },
  ];
}

async function preview(store: Store, what: What, step: Input): Promise<StepPreview> {
  const found = await store.connection.read((transaction) => readElement(transaction, step.name));
  const element = found && what in found ? found : null;
  const labels = element ? labelsOf(element) : [];
  return {
    count: element ? 1 : 0,
    exact: true,
    keysHash: digestOf(element ? [step.name] : []),
    schemaHash: await hashSchema(store.connection, labels),
    samples: element ? [{ collection: labels.join('|'), key: step.name, before: showElement(element), after: {} }] : [],
    undoClass: 'reversible',
    locks: [],
    bytes: 0,
    findings: findProblems(what, step, found),
  };
}

async function performBatch(
  store: Store,
  what: What,
  step: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const plan = async (transaction: GraphTransaction): Promise<SchemaIntent> => {
    const found = await readElement(transaction, step.name);
    const [problem] = findProblems(what, step, found);
    if (problem?.status === 'failed') {
      const message = `${problem.title}: this does not hold.`;
      throw new Failure({ code: 'precondition-failed', message, advice: problem.advice ?? '' });
    }
    if (found) keepUnderCap(context, batch.done, 1);
    return { before: found ? toJson(found) : null, after: null, done: found ? 1 : 0, conflicts: [] };
  };
  const act = async ({ before }: SchemaIntent) => {
    if (before) await dropElement(store.connection, before as unknown as SchemaElement);
  };
  const { cursor, done } = await runSchemaBatch(store, context, { index: batch.index, undoes: null }, plan, act);
  return { cursor, done };
}

async function verify(store: Store, what: What, { name }: Input): Promise<readonly Finding[]> {
  const found = await store.connection.read((transaction) => readElement(transaction, name));
  const title = `There is no ${what} ${name} any more`;
  const check = `${what}-dropped`;
  if (found === null) return [{ check, title, status: 'passed', count: 0, samples: [] }];
  return [{ check, title, status: 'failed', count: 1, samples: [], advice: 'Somebody made it again; ask again.' }];
}

/** Drops an index or a constraint by name; what it was is journaled, so that it can be made again. */
export function dropKind(store: Store, what: What): StepKind {
  return defineStepKind<Input>({
    name: `neo4j.drop-${what}`,
    effect: 'changes',
    input,
    describe: ({ name }) => `Drops the ${what} ${name}`,
    preview: (step) => preview(store, what, step),
    performBatch: (step, batch, context) => performBatch(store, what, step, batch, context),
    verify: (step) => verify(store, what, step),
    previewUndo: (_, context) => previewSchemaUndo(store, context),
    undoBatch: (_, batch, context) => undoSchemaBatch(store, batch, context),
    narrow: () => null,
  });
}
