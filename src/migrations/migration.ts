import { z } from 'zod';
import type { Json } from '../shared/json.ts';
import type { FieldRef } from '../systems/system.ts';

const id = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,59}$/, 'lower-case letters, digits and dashes, beginning with a letter, at most 60');

/** `system:Collection.field`, e.g. `graph:User.id`. */
const fieldRef = z
  .string()
  .regex(/^[a-z][a-z0-9-]*:[^.:]+\.[^.:]+$/, 'write system:Collection.field')
  .transform((text): FieldRef => {
    const [system, rest] = text.split(':') as [string, string];
    const [collection, field] = rest.split('.') as [string, string];
    return { system, collection, field };
  });

const step = z.strictObject({
  id,
  title: z.string().min(1).max(120),
  system: z.string().min(1),
  use: z.string().regex(/^[a-z0-9]+\.[a-z-]+$/, 'write <system type>.<step kind>, e.g. neo4j.set-properties'),
  /** `own` = the run stops before this step and asks for a vote on exactly what it would do then. */
  approval: z.enum(['plan', 'own']).default('plan'),
  with: z.record(z.string(), z.json()),
});

/** `system:Collection`, e.g. `graph:User`. */
const collectionRef = z.string().regex(/^[a-z][a-z0-9-]*:[^.:]+$/, 'write system:Collection');

/** The phases, in the order in which they are carried out, whatever their order in the file. */
export const phases = ['infrastructure', 'data', 'storage', 'services', 'frontend'] as const;
export type Phase = (typeof phases)[number];

/** The form of a migration file. Its id never changes once it was applied anywhere. */
export const migrationSchema = z.strictObject({
  id,
  title: z.string().min(1).max(120),
  description: z.string().max(2000),
  version: z.strictObject({ from: z.string(), to: z.string() }),
  contact: z.string(),
  /** Checks that must pass before anything changes. */
  requires: z.array(id).default([]),
  phases: z
    .partialRecord(z.enum(phases), z.array(step).min(1))
    .refine((value) => Object.keys(value).length > 0, 'name at least one phase with steps'),
  /** Checks that must pass afterwards. */
  verify: z.array(id).default([]),
  /** While a record holds a value in `from`, undo keeps the value in `to`. */
  references: z.array(z.strictObject({ from: fieldRef, to: fieldRef })).default([]),
  /** Fields of one collection that undo restores together or not at all. */
  coupled: z.array(z.array(fieldRef).min(2)).default([]),
  /** The feature flag that guards what the migration brings, for people; it is not switched by the run. */
  flag: z.string().min(1).max(120).optional(),
  /** Per collection the predicate that narrows it to one canary, whose name stands for `$canary`. Absent = no canary. */
  canary: z.record(collectionRef, z.string().min(1).max(2000)).optional(),
});

/** A field that refers to another: while a record holds a value in `from`, the value in `to` must stay. */
export interface Reference {
  readonly from: FieldRef;
  readonly to: FieldRef;
}

export interface MigrationStep {
  readonly id: string;
  readonly title: string;
  readonly system: string;
  readonly use: string;
  readonly approval?: 'plan' | 'own';
  readonly with: { readonly [parameter: string]: Json };
}

/** A migration as read from its file, variables filled in. */
export interface Migration {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly version: { readonly from: string; readonly to: string };
  readonly contact: string;
  readonly requires: readonly string[];
  readonly phases: { readonly [phase in Phase]?: readonly MigrationStep[] };
  readonly verify: readonly string[];
  readonly references: readonly Reference[];
  readonly coupled: readonly (readonly FieldRef[])[];
  readonly flag?: string;
  readonly canary?: { readonly [collection: string]: string };
  /** SHA-256 of the parsed content: comments and white space do not count. */
  readonly contentHash: string;
}
