import { z } from 'zod';
import type { Json } from '../shared/json.ts';
import type { StepKind } from '../systems/system.ts';

/** A JSON Schema, as far as it is looked into. */
export interface JsonSchema {
  readonly [keyword: string]: Json | undefined;
}

interface InputSchema extends JsonSchema {
  readonly properties?: { readonly [parameter: string]: Json };
}

/** The parameters of a step kind as they are written in a file: with their descriptions, defaults not required. */
export function inputSchemaOf(kind: Pick<StepKind, 'input'>): InputSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(kind.input, { io: 'input', unrepresentable: 'any' });
  return schema as InputSchema;
}
