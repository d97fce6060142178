import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import type { Json } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type StepContext, type StepKind, type StepPreview, type UndoContext } from '../../system.ts';
import type { Store } from '../batch.ts';
import type { GraphTransaction } from '../connection.ts';
import { countAndSample } from '../count-and-sample.ts';
import { sameValue } from '../encode.ts';
import { changeFields, type FieldImages, type FieldWork } from '../field-changes.ts';
import { findLeftSchema, sampleHolders, selectHolding, verifyGone } from '../holding-selection.ts';
import { escapeName, graphName } from '../name.ts';
import { narrowWhere } from '../narrow-where.ts';
import { previewRecords } from '../preview-records.ts';
import { checkKeys, type Selection } from '../records.ts';
import { cypher } from '../statement.ts';
import { previewUndo } from '../undo/preview-undo.ts';
import { undoBatch } from '../undo/undo-batch.ts';
import { uniqueRules } from '../undo/value-holders.ts';

const input = z
  .strictObject({
    label: graphName.describe('Label of the nodes'),
    key: graphName.describe('Property that identifies them: text, unique'),
    from: graphName.describe('Property that holds the value now'),
    to: graphName.describe('Property that the value is moved to'),
    where: z.string().min(1).optional().describe('Condition over `n`; absent = all that have the old property'),
    whenTaken: z
      .enum(['keep-new', 'overwrite'])
      .optional()
      .describe('Where `to` holds another value already: keep that one, or overwrite it; absent = refuse'),
  })
  .refine((step) => step.from !== step.to, 'from and to are the same property')
  .refine((step) => step.from !== step.key && step.to !== step.key, 'the key itself cannot be renamed');
type Input = z.infer<typeof input>;

/** Whether `to` of a record holds another value than `from`. `1` and `1.0` are two values. */
function takenPredicate({ from, to }: Input): string {
  const [old, now] = [`n.${escapeName(from)}`, `n.${escapeName(to)}`];
  return `${now} IS NOT NULL AND NOT coalesce(${now} = ${old} AND valueType(${now}) = valueType(${old}), false)`;
}

function refuseTaken({ label, from, to, whenTaken }: Input): FieldWork['judge'] {
  if (whenTaken) return undefined;
  return (_, fields: FieldImages) => {
    const taken = fields[to]?.before ?? null;
    // Where both held the same value, `to` was not written.
    if (taken === null || sameValue(taken, fields[from]?.before ?? null)) return;
    throw new Failure({
      code: 'precondition-failed',
      message: `Some ${label} records hold another value in ${to} than in ${from}, so it cannot be renamed.`,
      advice:
        'This batch was rolled back. Correct the records, or say `whenTaken: keep-new` or `overwrite`; ask again.',
    });
  };
}

async function workOf(store: Store, step: Input): Promise<FieldWork> {
  const { label, key, from, to, where } = step;
  const selection = await selectHolding(store, { label, key, property: from, where });
  const value = step.whenTaken === 'keep-new' ? 'coalesce(_tas_before[1], _tas_before[0])' : '_tas_before[0]';
  const write = cypher`SET n.${escapeName(to)} = ${value}, n.${escapeName(from)} = null`;
  const judge = refuseTaken(step);
  return { selection, properties: [from, to], write, ...(judge ? { judge } : {}) };
}

async function findTaken(transaction: GraphTransaction, step: Input, selection: Selection): Promise<Finding[]> {
  const match = cypher`MATCH (n:${escapeName(step.label)}) WHERE ${takenPredicate(step)} AND ${selection.where}`;
  const { count, samples } = await countAndSample(transaction, match.text, `n.${escapeName(step.key)}`);
  if (count === 0) return [];
  const kept = step.whenTaken === 'keep-new' ? `${step.to} keeps its value` : `${step.to} is overwritten`;
  return [
    {
      check: 'new-property-free',
      title: `No ${step.label} holds another value in ${step.to} already`,
      status: step.whenTaken ? 'warning' : 'failed',
      count,
      samples,
      advice: step.whenTaken
        ? `In these ${kept}; the other value is in the journal only.`
        : `Give these records one value, or say \`whenTaken: keep-new\` (${step.from} goes) or \`overwrite\`.`,
    },
  ];
}

/** Values that a uniqueness constraint over the new property would refuse. */
async function findCollisions(transaction: GraphTransaction, step: Input, selection: Selection): Promise<Finding[]> {
  const rules = await uniqueRules(transaction, [step.to]);
  if (!rules.some(({ label }) => label === step.label)) return [];
  const [label, from, to] = [step.label, step.from, step.to].map(escapeName);
  // Who is overwritten himself may be in nobody's way; then the constraint decides.
  const held =
    step.whenTaken === 'overwrite'
      ? 'false'
      : `EXISTS { MATCH (m:${label}) WHERE m.${to} = _tas_value AND NOT coalesce(m.${from} = _tas_value, false) }`;
  const statement = cypher`MATCH (n:${label as string}) WHERE ${selection.where}
    WITH n.${from as string} AS _tas_value, min(n.${escapeName(step.key)}) AS _tas_key, count(*) AS _tas_times
    WHERE _tas_times > 1 OR ${held} WITH *`;
  const { count, samples } = await countAndSample(transaction, statement.text, '_tas_key');
  if (count === 0) return [];
  return [
    {
      check: 'moved-values-unique',
      title: `The values of ${step.label}.${step.from} are unique, as the constraint over ${step.to} wants`,
      status: 'failed',
      count,
      samples,
      advice: 'Give the records other values, or drop the constraint first.',
    },
  ];
}

async function preview(store: Store, step: Input, context: StepContext): Promise<StepPreview> {
  const { selection, properties } = await workOf(store, step);
  const read = await store.connection.read(async (transaction) => ({
    samples: await sampleHolders(transaction, { selection, properties }, ([old, now]) => ({
      [step.from]: null,
      [step.to]: step.whenTaken === 'keep-new' ? (now ?? old ?? null) : (old ?? null),
    })),
    findings: [
      ...(await checkKeys(transaction, selection)),
      ...(await findTaken(transaction, step, selection)),
      ...(await findCollisions(transaction, step, selection)),
      ...(await findLeftSchema(transaction, { label: step.label, property: step.from })),
    ],
  }));
  return previewRecords(store, selection, read, context);
}

/** The two properties are one value: it moves back only where both are still as the run left them. */
function coupling(store: Store, { label, from, to }: Input, context: UndoContext): UndoContext {
  const group = [from, to].map((field) => ({ system: store.name, collection: label, field }));
  return { ...context, coupled: [...context.coupled, group] };
}

/** Moves a value from one property to another. */
export function renameProperty(store: Store): StepKind {
  return defineStepKind<Input>({
    name: 'neo4j.rename-property',
    effect: 'changes',
    input,
    describe: ({ label, from, to, where }) => `Renames ${from} of ${label} to ${to}${where ? ` where ${where}` : ''}`,
    writes: ({ label, from, to }) => [from, to].map((field) => ({ collection: label, field })),
    preview: (step, context) => preview(store, step, context),
    performBatch: async (step, batch, context) => changeFields(store, await workOf(store, step), batch, context),
    verify: ({ label, key, from, where }, context) => verifyGone(store, { label, key, property: from, where }, context),
    previewUndo: (step, context) => previewUndo(store, coupling(store, step, context)),
    undoBatch: (step, batch, context) => undoBatch(store, batch, coupling(store, step, context)),
    undoForces: true,
    narrow: (step, canaryOf) => {
      const where = narrowWhere(step.where ?? 'true', canaryOf(null, step.label));
      return { ...step, where } as { [parameter: string]: Json };
    },
  });
}
