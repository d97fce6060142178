import { digestOf, type Json, type JsonObject } from '../../shared/json.ts';
import { KeptTally } from '../kept-tally.ts';
import type { BatchRequest, Conflict, StepPreview, UndoBatchResult, UndoContext } from '../system.ts';
import { journalKey, type Store } from './batch.ts';
import type { GraphTransaction } from './connection.ts';
import { hashSchema } from './records.ts';
import { runSchemaBatch, type SchemaIntent } from './schema-batch.ts';
import {
  countDuplicates,
  dropElement,
  type ElementState,
  labelsOf,
  makeElement,
  nameOf,
  propertiesOf,
  readElementState,
  type SchemaElement,
  showElement,
  toJson,
} from './schema-elements.ts';
import { readBody } from './undo/undo-batch.ts';

/** What undoing a step's change of the schema means now. */
interface SchemaUndo {
  readonly action: 'drop' | 'make' | 'nothing';
  readonly element: SchemaElement | null;
  readonly conflicts: readonly Conflict[];
}

const NOTHING: SchemaUndo = { action: 'nothing', element: null, conflicts: [] };

function elementOf(image: JsonObject): SchemaElement {
  return image as unknown as SchemaElement;
}

/** What stands in its place; empty = nothing does, null = it stands there still. */
function judgeDrop(state: ElementState): string | null {
  if (state.stands) return null;
  if (state.nameTaken) return 'another index or constraint bears the name';
  return state.elsewhere === null ? '' : `now called ${state.elsewhere}`;
}

/** Why it cannot be made anew; null = it can. */
async function judgeMake(
  transaction: GraphTransaction,
  element: SchemaElement,
  state: ElementState,
): Promise<string | null> {
  if (state.nameTaken) return 'another index or constraint bears the name';
  if (state.blockedBy !== null) return `${state.blockedBy} stands in the way`;
  if ('index' in element) return null;
  const count = await countDuplicates(transaction, element.constraint);
  return count > 0 ? `${count} values stand in more than one record by now` : null;
}

async function judge(store: Store, transaction: GraphTransaction, context: UndoContext): Promise<SchemaUndo> {
  const body = await readBody(store, transaction, journalKey(context.undoes.runId, context.undoes.stepId, 0));
  const { before, after } = body?.schema ?? { before: null, after: null };
  // Existed before, or was kept by the undo that is undone: not ours to touch.
  if ((before === null) === (after === null)) return NOTHING;
  const element = elementOf((before ?? after) as JsonObject);
  const state = await readElementState(transaction, element);
  const conflict = (reason: Conflict['reason'], theirs: Json): SchemaUndo => {
    const [collection, field] = [labelsOf(element).join('|'), propertiesOf(element).join(', ')];
    const shown = showElement(element);
    const [base, ours] = before === null ? [null, shown] : [shown, null];
    return { ...NOTHING, conflicts: [{ collection, key: nameOf(element), field, reason, base, ours, theirs }] };
  };
  if (after !== null) {
    const theirs = judgeDrop(state);
    if (theirs === null) return { ...NOTHING, action: 'drop', element };
    return theirs === '' ? conflict('missing', null) : conflict('changed-since', theirs);
  }
  if (state.stands || state.elsewhere !== null) return NOTHING;
  const theirs = await judgeMake(transaction, element, state);
  return theirs === null ? { ...NOTHING, action: 'make', element } : conflict('value-taken', theirs);
}

/** What undoing a step that made or dropped an index or constraint would do here and now. */
export async function previewSchemaUndo(store: Store, context: UndoContext): Promise<StepPreview> {
  const { action, element, conflicts } = await store.connection.read((transaction) =>
    judge(store, transaction, context),
  );
  const kept = new KeptTally();
  for (const conflict of conflicts) kept.add(conflict);
  const image = element ? showElement(element) : {};
  const labels = element ? labelsOf(element) : [];
  return {
    count: action === 'nothing' ? 0 : 1,
    exact: true,
    keysHash: digestOf(element ? [nameOf(element)] : []),
    schemaHash: await hashSchema(store.connection, labels),
    samples: element
      ? [
          {
            collection: labels.join('|'),
            key: nameOf(element),
            before: action === 'drop' ? image : {},
            after: action === 'drop' ? {} : image,
          },
        ]
      : [],
    undoClass: 'reversible',
    locks: action === 'make' ? [`writes to ${labels.join(', ')} may wait while the records are read`] : [],
    bytes: 0,
    findings: kept.findings(),
    kept: kept.kept(),
  };
}

/** Carries it out. An index is not waited for: it fills itself, and nothing after an undo relies on it. */
export async function undoSchemaBatch(
  store: Store,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  const undoes = journalKey(context.undoes.runId, context.undoes.stepId, 0);
  const plan = async (transaction: GraphTransaction): Promise<SchemaIntent> => {
    const { action, element, conflicts } = await judge(store, transaction, context);
    const image = element ? toJson(element) : null;
    return {
      before: action === 'drop' ? image : null,
      after: action === 'make' ? image : null,
      done: action === 'nothing' ? 0 : 1,
      conflicts,
    };
  };
  const act = async ({ before, after }: SchemaIntent) => {
    if (before) await dropElement(store.connection, elementOf(before));
    if (after) await makeElement(store.connection, elementOf(after));
  };
  return runSchemaBatch(store, context, { index: batch.index, undoes }, plan, act);
}
