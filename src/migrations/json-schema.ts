import type { Json, JsonObject } from '../shared/json.ts';
import type { StepKind } from '../systems/system.ts';
import { asWritten, inputSchemaOf, type JsonSchema } from './input-schema.ts';
import { migrationSchema } from './migration.ts';

/** In a text that a variable is part of, nothing can be said beforehand of what it will be. */
const variable = '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}';

/** The form of a migration file with the parameters of these step kinds, for editors: they complete and check it. */
export function migrationJsonSchema(kinds: readonly StepKind[]): JsonObject {
  const { definitions = {}, ...file } = asWritten(migrationSchema);
  const { step, field, ...rest } = definitions;
  if (!step || !field) throw new Error('the form of a migration has no step and no field');
  const sorted = kinds.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A migration of the TAS bot',
    ...file,
    definitions: { field, step: stepOf(step, sorted), ...withoutAny(rest), ...parametersOf(sorted) },
  };
  return acceptVariables(schema as unknown as Json) as JsonObject;
}

function stepOf(step: JsonSchema, kinds: readonly StepKind[]): JsonSchema {
  const { use, with: parameters, ...properties } = step.properties ?? {};
  return {
    ...step,
    properties: {
      ...properties,
      use: { description: use?.description ?? '', type: 'string', enum: kinds.map(({ name }) => name) },
      with: { description: parameters?.description ?? '', type: 'object' },
    },
    allOf: kinds.map(({ name }) => ({
      if: { properties: { use: { const: name } }, required: ['use'] },
      // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema
      then: { properties: { with: { $ref: `#/definitions/${name}` } } },
    })),
  } as JsonSchema;
}

/** Each kind's parameters under its name; what they define themselves goes under that name too. */
function parametersOf(kinds: readonly StepKind[]): { [name: string]: Json } {
  const found: { [name: string]: Json } = {};
  for (const kind of kinds) {
    const text = JSON.stringify(inputSchemaOf(kind)).replaceAll('"#/definitions/', `"#/definitions/${kind.name}:`);
    const { definitions = {}, ...schema } = JSON.parse(text) as JsonSchema;
    found[kind.name] = schema as Json;
    for (const [name, definition] of Object.entries(definitions)) found[`${kind.name}:${name}`] = definition;
  }
  return found;
}

/** The form allows any value as a parameter; here the kinds say which. */
function withoutAny(definitions: { readonly [name: string]: Json }): { [name: string]: Json } {
  return Object.fromEntries(Object.entries(definitions).filter(([name]) => !name.startsWith('__')));
}

function acceptVariables(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(acceptVariables);
  if (schema === null || typeof schema !== 'object') return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]): [string, Json] => {
      const isPattern = keyword === 'pattern' && typeof value === 'string';
      return [keyword, isPattern ? `${value}|${variable}` : acceptVariables(value)];
    }),
  );
}
