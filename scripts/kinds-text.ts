import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { inputSchemaOf, type JsonSchema } from '../src/migrations/input-schema.ts';
import type { StepKind } from '../src/systems/system.ts';

interface Example {
  readonly use: string;
  readonly file: string;
  readonly text: string;
}

/** The step kinds as a chapter of Markdown: what each does to the data, its parameters, and a use of it in the packs. */
export async function kindsText(root: string, kinds: readonly StepKind[], packs: readonly string[]): Promise<string> {
  const examples = await readExamples(root, packs);
  return `${kinds.map((kind) => kindText(kind, examples)).join('\n\n')}\n`;
}

function kindText(kind: StepKind, examples: readonly Example[]): string {
  const example = examples.find(({ use }) => use === kind.name);
  const schema = inputSchemaOf(kind);
  return [
    `### \`${kind.name}\``,
    '',
    `${[kind.effect, undoWords(kind), ...(kind.narrow ? ['canary'] : [])].join(' · ')}${schema.description ? `. ${schema.description}` : ''}`,
    '',
    '| parameter | | |',
    '| --- | --- | --- |',
    ...parameterRows(schema),
    ...(example ? ['', `From \`${example.file}\`:`, '', '```yaml', example.text.trimEnd(), '```'] : []),
  ].join('\n');
}

function undoWords(kind: StepKind): string {
  if (!kind.undoBatch) return '**one-way**';
  return kind.previewRelease ? 'undone until the hold ends' : 'undone at any time';
}

function parameterRows(schema: JsonSchema): string[] {
  // A choice between forms lists the parameters of each.
  const forms = (schema.anyOf ?? schema.oneOf ?? [schema]) as readonly JsonSchema[];
  const rows = new Map<string, string>();
  for (const form of forms) {
    for (const [name, parameter] of Object.entries(form.properties ?? {})) {
      const need = form.required?.includes(name) ? 'required' : '';
      const cells = [`\`${name}\``, need, sayParameter(schema, parameter)];
      if (!rows.has(name)) rows.set(name, `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
    }
  }
  return [...rows.values()];
}

function sayParameter(root: JsonSchema, schema: JsonSchema): string {
  const standard = schema.default === undefined ? [] : [`\`${JSON.stringify(schema.default)}\` unless it is given`];
  const said = typeof schema.description === 'string' ? [schema.description] : [];
  return [sayType(root, schema), ...said, ...standard].filter((part) => part !== '').join('. ');
}

function sayType(root: JsonSchema, schema: JsonSchema, depth = 0): string {
  if (typeof schema.$ref === 'string') {
    const found = root.definitions?.[schema.$ref.replace('#/definitions/', '')];
    return found && depth < 3 ? sayType(root, found, depth + 1) : 'any value';
  }
  const { const: constant, enum: choices, anyOf, allOf, items, type } = schema;
  if (constant !== undefined) return `\`${JSON.stringify(constant)}\``;
  if (Array.isArray(choices)) return choices.map((choice) => `\`${String(choice)}\``).join(' or ');
  const forms = (anyOf ?? schema.oneOf ?? allOf) as readonly JsonSchema[] | undefined;
  if (forms) return [...new Set(forms.map((form) => sayType(root, form, depth + 1)))].join(' or ');
  if (type === 'array') return `list of ${sayType(root, (items ?? {}) as JsonSchema, depth + 1)}`;
  if (type === 'object') return sayMap(root, schema, depth);
  if (type === 'string') return 'text';
  if (type === 'integer') return 'whole number';
  return typeof type === 'string' ? type : 'any value';
}

function sayMap(root: JsonSchema, schema: JsonSchema, depth: number): string {
  const names = Object.keys(schema.properties ?? {});
  if (names.length > 0) {
    const required = new Set(schema.required ?? []);
    return `{ ${names.map((name) => (required.has(name) ? name : `${name}?`)).join(', ')} }`;
  }
  const values = schema.additionalProperties;
  if (typeof values !== 'object' || values === null || depth > 2) return 'map';
  return `map of name to ${sayType(root, values as JsonSchema, depth + 1)}`;
}

interface Sections {
  readonly before?: readonly ExampleStep[];
  readonly phases?: { readonly [phase: string]: readonly ExampleStep[] };
  readonly after?: readonly ExampleStep[];
}

type ExampleStep = { readonly use: string };

/** Every step of the packs' migrations, files in order of their names. */
async function readExamples(root: string, packs: readonly string[]): Promise<Example[]> {
  const examples: Example[] = [];
  for (const pack of packs) {
    for (const file of (await readdir(join(root, pack, 'migrations'))).filter((name) => /\.ya?ml$/.test(name)).sort()) {
      const content = parse(await readFile(join(root, pack, 'migrations', file), 'utf8')) as Sections;
      for (const step of [
        ...(content.before ?? []),
        ...Object.values(content.phases ?? {}).flat(),
        ...(content.after ?? []),
      ]) {
        const text = stringify([step], { lineWidth: 110, aliasDuplicateObjects: false });
        examples.push({ use: step.use, file: `${pack}/migrations/${file}`, text });
      }
    }
  }
  return examples;
}
