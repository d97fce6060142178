import type { z } from 'zod';
import type { Failure } from '../shared/failure.ts';
import { suggest } from '../shared/suggest.ts';
import { tellingIssue, type YamlFile } from '../shared/yaml-file.ts';
import type { StepKind, System } from '../systems/system.ts';
import { inputSchemaOf } from './input-schema.ts';
import { type Migration, type MigrationStep, sectionsOf } from './migration.ts';

/** What a file is held against: the environment that would carry it out. */
export interface Surroundings {
  readonly environment: string;
  /** By configured name. */
  readonly systems: ReadonlyMap<string, Pick<System, 'type' | 'kinds'>>;
  /** Ids of the checks that there are. */
  checks(): Promise<Iterable<string>>;
}

type Path = readonly PropertyKey[];
type Refuse = (path: Path, what: string) => Failure;

/** The first thing of a migration that these surroundings cannot carry out, with its place in the file; null when it fits. */
export async function findMisfit(
  file: Pick<YamlFile<unknown>, 'refuse' | 'refuseIssue'>,
  migration: Migration,
  surroundings: Surroundings,
): Promise<Failure | null> {
  for (const { path, steps } of sectionsOf(migration)) {
    for (const [index, step] of steps.entries()) {
      const misfit = stepMisfit(file, [...path, index], step, surroundings);
      if (misfit) return misfit;
    }
  }
  return (
    systemMisfit(file.refuse, migration, surroundings) ?? (await checkMisfit(file.refuse, migration, surroundings))
  );
}

function stepMisfit(
  file: Pick<YamlFile<unknown>, 'refuse' | 'refuseIssue'>,
  path: Path,
  step: MigrationStep,
  surroundings: Surroundings,
): Failure | null {
  const system = surroundings.systems.get(step.system);
  if (!system) return noSystem(file.refuse, [...path, 'system'], step.system, surroundings);
  const kind = system.kinds.find(({ name }) => name === step.use);
  if (!kind) return file.refuse([...path, 'use'], noKind(step, system));
  const issue = tellingIssue(kind.input.safeParse(step.with).error);
  return issue ? file.refuseIssue([...path, 'with'], withNearest(kind, issue)) : null;
}

function noKind(step: MigrationStep, system: Pick<System, 'type' | 'kinds'>): string {
  const type = step.use.split('.')[0] ?? '';
  if (type !== system.type) {
    return `${step.use} is for a ${type} system, and ${step.system} is a ${system.type} system`;
  }
  const names = system.kinds.map(({ name }) => name);
  return `there is no step kind ${step.use}${meant(step.use, names)} Known are ${names.join(', ')}`;
}

/** A parameter that nobody knows is most often one that is misspelt. */
function withNearest(kind: StepKind, issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'unrecognized_keys' || issue.path.length > 0) return issue;
  const known = Object.keys(inputSchemaOf(kind).properties ?? {});
  const key = issue.keys[0] ?? '';
  return {
    ...issue,
    message: `there is no parameter ${key}${meant(key, known)} ${kind.name} takes ${known.join(', ')}`,
  };
}

/** References, coupled fields and the canary name systems too. */
function systemMisfit(refuse: Refuse, migration: Migration, surroundings: Surroundings): Failure | null {
  const named: [Path, string][] = [
    ...migration.references.flatMap(({ from, to }, index): [Path, string][] => [
      [['references', index, 'from'], from.system],
      [['references', index, 'to'], to.system],
    ]),
    ...migration.coupled.flatMap((group, index) =>
      group.map(({ system }, member): [Path, string] => [['coupled', index, member], system]),
    ),
    ...Object.keys(migration.canary ?? {}).map((collection): [Path, string] => [
      ['canary', collection],
      collection.split(':')[0] ?? '',
    ]),
  ];
  const wrong = named.find(([, system]) => !surroundings.systems.has(system));
  return wrong ? noSystem(refuse, wrong[0], wrong[1], surroundings) : null;
}

async function checkMisfit(refuse: Refuse, migration: Migration, surroundings: Surroundings): Promise<Failure | null> {
  const known = new Set(await surroundings.checks());
  for (const list of ['requires', 'verify'] as const) {
    for (const [index, id] of migration[list].entries()) {
      if (!known.has(id)) return refuse([list, index], `there is no check ${id}${meant(id, known)}`);
    }
  }
  return null;
}

function noSystem(refuse: Refuse, path: Path, name: string, { environment, systems }: Surroundings): Failure {
  const known = [...systems.keys()];
  return refuse(path, `${environment} has no system ${name}${meant(name, known)} It has ${known.join(', ') || 'none'}`);
}

function meant(typed: string, known: Iterable<string>): string {
  const near = suggest(typed, known);
  return near === null ? '.' : `; did you mean ${near}?`;
}
