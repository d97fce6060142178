import { createHash } from 'node:crypto';
import { z } from 'zod';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  defineStepKind,
  type Sample,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { runBatch } from '../batch.ts';
import { type AddFieldChange, fieldSpecSchema, type Intent, imagesOf } from '../change.ts';
import {
  type Described,
  describeDataset,
  failed,
  globSchema,
  type KindSetting,
  listDatasets,
  messageOf,
} from '../setting.ts';
import { previewUndo, undoBatch } from '../undo.ts';

const inputSchema = z.strictObject({ datasets: globSchema, ...fieldSpecSchema.shape });
type Input = z.infer<typeof inputSchema>;

/** Gives the vectors of datasets a new field: a commit a dataset, which undo takes back. */
export function addFieldKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'deeplake.add-field',
    effect: 'adds',
    input: inputSchema,
    describe: ({ datasets, field, from, value }) =>
      `gives the vectors of ${datasets} the field ${field} (${from ? `from ${from}, else ` : ''}${JSON.stringify(value)})`,
    writes: ({ datasets, field }) => [{ collection: datasets, field }],
    preview: (input, context) => preview(setting, input, context),
    async performBatch(input, batch, context) {
      const { cursor, done } = await runBatch(setting, context, batch, () => planBatch(setting, input, batch, context));
      return { cursor, done };
    },
    verify: (input, context) => verify(setting, input, context),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
  });
}

function specOf({ datasets: _, ...spec }: Input): AddFieldChange['spec'] {
  return spec;
}

const has = (described: Described, field: string): boolean => described.columns.some(({ name }) => name === field);

async function preview(setting: KindSetting, input: Input, context: StepContext): Promise<StepPreview> {
  const { worker } = setting;
  const names = await listDatasets(worker, input.datasets, context.signal);
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const taken: string[] = [];
  const unknown: string[] = [];
  const columns: string[][] = [];
  let [count, bytes] = [0, 0];
  for (const name of names) {
    const described = await describeDataset(worker, name, context.signal);
    columns.push(described.columns.map((column) => `${column.name} ${column.type}`).sort());
    if (has(described, input.field)) {
      taken.push(name);
      continue;
    }
    if (input.from && !has(described, input.from.split('.')[0] ?? '')) unknown.push(name);
    const change = changeOf(input, name, described.count, '');
    count += change.count;
    bytes += 2_000 + described.count * 40;
    keys.update(`${name}\n`);
    if (samples.length < 5) samples.push({ collection: name, key: name, ...imagesOf(change) });
  }
  return {
    count,
    exact: true,
    keysHash: keys.digest('hex'),
    schemaHash: digestOf({ names, columns }),
    samples,
    undoClass: 'reversible',
    locks: [
      'No lock: one commit a dataset. Writers that began before it and commit after it leave the field empty in their vectors.',
    ],
    bytes,
    findings: [
      ...(names.length === 0 ? [noDatasets(input.datasets)] : []),
      ...valueFinding(input),
      ...(taken.length === 0
        ? []
        : [
            failed(
              'field-new',
              `The field ${input.field} is there already`,
              taken,
              'Choose another name, or leave these datasets out.',
            ),
          ]),
      ...(unknown.length === 0
        ? []
        : [failed('source-there', `There is no field ${input.from} to take values from`, unknown, 'Correct `from`.')]),
    ],
  };
}

export function noDatasets(glob: string): Finding {
  return failed(
    'datasets-there',
    `No dataset fits ${glob}`,
    [glob],
    'Correct the pattern; * does not stand for a slash.',
  );
}

function valueFinding({ type, value }: Input): Finding[] {
  const fits =
    type === 'text'
      ? typeof value === 'string'
      : type === 'bool'
        ? typeof value === 'boolean'
        : typeof value === 'number';
  if (fits && (type !== 'int' || Number.isSafeInteger(value))) return [];
  return [failed('value-fits', `The value is no ${type}`, [typeof value], 'Correct `value` or `type`.')];
}

function changeOf(input: Input, key: string, count: number, message: string): AddFieldChange {
  return { did: 'add-field', key, spec: specOf(input), message, count, fill: false };
}

/** Whole datasets, until there are as many vectors as the batch may take; at least one. */
async function planBatch(
  { worker }: KindSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<Intent> {
  const after = typeof batch.cursor === 'string' ? batch.cursor : '';
  const names = (await listDatasets(worker, input.datasets, context.signal)).filter((name) => name > after);
  const changes: AddFieldChange[] = [];
  let [count, last] = [0, ''];
  for (const name of names) {
    if (count >= batch.size) break;
    last = name;
    const described = await describeDataset(worker, name, context.signal);
    if (has(described, input.field)) continue;
    changes.push(changeOf(input, name, described.count, messageOf(context, batch.index)));
    count += described.count;
  }
  const cursor = last === '' || last === names.at(-1) ? null : last;
  return { version: 1, changes, conflicts: [], missing: 0, cursor };
}

async function verify({ worker }: KindSetting, input: Input, context: StepContext): Promise<Finding[]> {
  const lacking: string[] = [];
  for (const name of await listDatasets(worker, input.datasets, context.signal)) {
    const found = await worker.call(
      'violations',
      { datasets: name, must: { [input.field]: '.*' } },
      z.object({ count: z.number() }),
      { signal: context.signal },
    );
    if (found.count > 0) lacking.push(`${name}: ${found.count} vectors`);
  }
  const title = `Every vector has a value in ${input.field}`;
  const check = 'field-filled';
  if (lacking.length === 0) return [{ check, title, status: 'passed', count: 0, samples: [] }];
  return [failed(check, title, lacking, 'Writers added vectors meanwhile: stop them, undo this run and ask again.')];
}
