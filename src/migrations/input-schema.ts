import { z } from 'zod';
import type { Json } from '../shared/json.ts';
import type { StepKind } from '../systems/system.ts';

/** A JSON Schema (draft 7: what editors know best), as far as it is looked into. */
export interface JsonSchema {
  readonly [keyword: string]: Json | undefined;
  readonly properties?: { readonly [parameter: string]: JsonSchema & Json };
  readonly definitions?: { readonly [name: string]: JsonSchema & Json };
  readonly required?: readonly string[];
}

/** What is written in a file: without what the schema makes of it, and with defaults left out. */
export function asWritten(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...written } = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
  });
  return written as JsonSchema;
}

/** The parameters of a step kind, with their descriptions. */
export function inputSchemaOf(kind: Pick<StepKind, 'input'>): JsonSchema {
  return asWritten(kind.input);
}
