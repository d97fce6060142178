import { z } from 'zod';
import { defineStepKind, type StepContext, type StepKind, type StepPreview } from '../../system.ts';
import type { Store } from '../batch.ts';
import { changeFields, type FieldWork } from '../field-changes.ts';
import { findLeftSchema, sampleHolders, selectHolding, verifyGone } from '../holding-selection.ts';
import { escapeName, graphName } from '../name.ts';
import { narrowWhere } from '../narrow-where.ts';
import { previewRecords } from '../preview-records.ts';
import { checkKeys } from '../records.ts';
import { cypher } from '../statement.ts';
import { previewUndo } from '../undo/preview-undo.ts';
import { undoBatch } from '../undo/undo-batch.ts';

const input = z
  .strictObject({
    label: graphName.describe('Label of the nodes'),
    key: graphName.describe('Property that identifies them: text, unique'),
    property: graphName.describe('Property that is removed'),
    where: z.string().min(1).optional().describe('Condition over `n`; absent = all that have the property'),
  })
  .refine((step) => step.property !== step.key, 'the key itself cannot be removed');
type Input = z.infer<typeof input>;

async function workOf(store: Store, step: Input): Promise<FieldWork> {
  const selection = await selectHolding(store, step);
  const write = cypher`SET n.${escapeName(step.property)} = null`;
  return { selection, properties: [step.property], write };
}

async function preview(store: Store, step: Input, context: StepContext): Promise<StepPreview> {
  const { selection, properties } = await workOf(store, step);
  const read = await store.connection.read(async (transaction) => ({
    samples: await sampleHolders(transaction, { selection, properties }, () => ({ [step.property]: null })),
    findings: [...(await checkKeys(transaction, selection)), ...(await findLeftSchema(transaction, step))],
  }));
  // Whoever signs a step that destroys signs its keys: it is counted to the end.
  return previewRecords(store, selection, read, { signal: context.signal });
}

/** Removes a property; its values are kept in the journal, and undo puts them back where nobody wrote it since. */
export function removeProperty(store: Store): StepKind {
  return defineStepKind<Input>({
    name: 'neo4j.remove-property',
    effect: 'destroys',
    input,
    describe: ({ label, property, where }) => `Removes ${property} of ${label}${where ? ` where ${where}` : ''}`,
    writes: ({ label, property }) => [{ collection: label, field: property }],
    preview: (step, context) => preview(store, step, context),
    performBatch: async (step, batch, context) => changeFields(store, await workOf(store, step), batch, context),
    verify: (step, context) => verifyGone(store, step, context),
    previewUndo: (_, context) => previewUndo(store, context),
    undoBatch: (_, batch, context) => undoBatch(store, batch, context),
    undoForces: true,
    narrow: (step, canaryOf) => ({ ...step, where: narrowWhere(step.where ?? 'true', canaryOf(null, step.label)) }),
  });
}
