import { z } from 'zod';
import type { Failure } from '../shared/failure.ts';
import type { Json } from '../shared/json.ts';
import type { FieldRef } from '../systems/system.ts';

const id = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,59}$/, 'lower-case letters, digits and dashes, beginning with a letter, at most 60');

/** `system:Collection.field`, e.g. `graph:User.id`. */
const fieldRef = z
  .string()
  .regex(/^[a-z][a-z0-9-]*:[^.:]+\.[^.:]+$/, 'write system:Collection.field')
  .meta({
    id: 'field',
    description:
      'A field, as `system:Collection.field`: the configured system, the label or table, the property or column.',
  })
  .transform((text): FieldRef => {
    const [system, rest] = text.split(':') as [string, string];
    const [collection, field] = rest.split('.') as [string, string];
    return { system, collection, field };
  });

const version = z
  .string('write it in quotes, e.g. "1.0"')
  .regex(/^[0-9A-Za-z][0-9A-Za-z._-]{0,39}$/, 'letters, digits, dots, dashes, at most 40');

const step = z
  .strictObject({
    id: id.describe('Unique in the file. Journals are found by it: it never changes once the migration was applied.'),
    title: z.string().min(1).max(120).describe('What people read on the card: what it does, not how.'),
    system: z.string().min(1).describe('The configured name of the system that it works on.'),
    use: z
      .string()
      .regex(/^[a-z0-9]+\.[a-z-]+$/, 'write <system type>.<step kind>, e.g. neo4j.set-properties')
      .describe('The step kind.'),
    approval: z
      .enum(['plan', 'own'])
      .default('plan')
      .describe('`own` = the run stops before this step and asks for a vote on exactly what it would do then.'),
    with: z.record(z.string(), z.json()).describe('The parameters of the step kind.'),
  })
  .meta({ id: 'step' });

const stepsOf = (what: string) => z.array(step).min(1).optional().describe(what);

/** `system:Collection`, e.g. `graph:User`. */
const collectionRef = z.string().regex(/^[a-z][a-z0-9-]*:[^.:]+$/, 'write system:Collection');

const predicate = z
  .string()
  .min(1)
  .max(2000)
  .refine((text) => /\$canary\b/.test(text), 'name $canary in it: else it narrows nothing to the canary');

/** The phases, in the order in which they are carried out, whatever their order in the file. */
export const phases = ['infrastructure', 'data', 'storage', 'services', 'frontend'] as const;
export type Phase = (typeof phases)[number];

/** The form of a migration file. Its id never changes once it was applied anywhere. */
export const migrationSchema = z.strictObject({
  id: id.describe('Never changes once the migration was applied anywhere, and neither does anything else in the file.'),
  title: z.string().min(1).max(120),
  description: z.string().max(2000).describe('For those who vote: what it does to the data, and why.'),
  version: z
    .strictObject({
      from: version.describe('What every system that it touches must be at.'),
      to: version.describe('What is recorded in every system at its end.'),
    })
    .describe('Data-model versions.'),
  contact: z.string().describe('Whom to ask, e.g. a channel.'),
  requires: z.array(id).default([]).describe('Checks that must pass before anything changes.'),
  before: stepsOf(
    'What must stand still first: maintenance mode on, producers and services stopped, consumers drained. Carried out before the backup set is made.',
  ),
  phases: z
    .strictObject({
      infrastructure: stepsOf('What everything else stands on.'),
      data: stepsOf('Records: graph first, then tables.'),
      storage: stepsOf('Objects and vectors.'),
      services: stepsOf('Services.'),
      frontend: stepsOf('Frontends.'),
    })
    .refine((value) => Object.values(value).some((steps) => steps), 'name at least one phase with steps')
    .describe('Steps, phase by phase; the phases go in their fixed order, whatever the order in the file.'),
  after: stepsOf(
    'What goes on again: services started, workflows tried, maintenance mode off. Carried out when everything was verified.',
  ),
  verify: z.array(id).default([]).describe('Checks that must pass afterwards.'),
  references: z
    .array(z.strictObject({ from: fieldRef, to: fieldRef }))
    .default([])
    .describe('While a record holds a value in `from`, undo keeps the value in `to`.'),
  coupled: z
    .array(z.array(fieldRef).min(2).refine(ofOneCollection, 'couples fields of one collection'))
    .default([])
    .describe('Fields of one collection that undo restores together or not at all.'),
  flag: z
    .string()
    .min(1)
    .max(120)
    .optional()
    .describe('The feature flag that guards what the migration brings, for people: the run does not switch it.'),
  authors: z
    .array(z.string().regex(/^[UW][A-Z0-9]{1,39}$/, "a Slack user's id, such as U012AB3CD"))
    .max(50)
    .optional()
    .describe('Slack ids of those who wrote it: they may not approve it. Absent = only whoever asks may not.'),
  canary: z
    .record(collectionRef, predicate)
    .optional()
    .describe(
      "By `system:Collection`: the predicate, in the store's own language, that narrows it to one canary, whose name stands for `$canary`. Absent = no canary.",
    ),
});

function ofOneCollection(group: readonly FieldRef[]): boolean {
  return new Set(group.map(({ system, collection }) => `${system}:${collection}`)).size === 1;
}

/** Steps that go together, under the place where the file has them. */
export interface StepSection {
  readonly id: 'before' | Phase | 'after';
  readonly path: readonly string[];
  readonly steps: readonly MigrationStep[];
}

/** The sections of a migration that have steps, in the order in which they are carried out. */
export function sectionsOf(migration: Pick<Migration, 'before' | 'phases' | 'after'>): readonly StepSection[] {
  const sections: StepSection[] = [
    { id: 'before', path: ['before'], steps: migration.before ?? [] },
    ...phases.map((phase) => ({ id: phase, path: ['phases', phase], steps: migration.phases[phase] ?? [] })),
    { id: 'after', path: ['after'], steps: migration.after ?? [] },
  ];
  return sections.filter(({ steps }) => steps.length > 0);
}

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
  readonly before?: readonly MigrationStep[];
  readonly phases: { readonly [phase in Phase]?: readonly MigrationStep[] };
  readonly after?: readonly MigrationStep[];
  readonly verify: readonly string[];
  readonly references: readonly Reference[];
  readonly coupled: readonly (readonly FieldRef[])[];
  readonly flag?: string;
  /** Slack ids of those who wrote it. */
  readonly authors?: readonly string[];
  readonly canary?: { readonly [collection: string]: string };
  /** SHA-256 of the content as written, variables filled in: comments and white space do not count. */
  readonly contentHash: string;
  /** Why the environment that it was read for cannot carry it out, with the place in the file; absent = it can. */
  readonly problem?: Failure;
}
