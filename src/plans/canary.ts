import { type Migration, type MigrationStep, type Phase, phases } from '../migrations/migration.ts';
import { Failure } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';
import { type Environment, findKind } from './environment.ts';
import { parseInput } from './plan-step.ts';

/** The canary's name stands in statements: what could end a literal or begin a comment is no name. */
const canaryName = /^(?!.*--)[A-Za-z0-9_-]{1,80}$/;

export interface NarrowedMigration {
  readonly phases: { readonly [phase in Phase]?: readonly MigrationStep[] };
  /** What is left out, and what the checks then mean. */
  readonly findings: readonly Finding[];
}

/**
 * The steps of a migration over one canary's records only. A step that cannot be narrowed, or whose collections the file
 * has no predicate for, is left out. Throws `wrong-use` for what is no name, `precondition-failed` where there is no canary.
 */
export function narrowMigration(environment: Environment, migration: Migration, canary: string): NarrowedMigration {
  if (!canaryName.test(canary)) {
    throw new Failure({
      code: 'wrong-use',
      message: 'That is no canary: it has 1 to 80 letters, digits, dashes and underscores, and no two dashes in a row.',
      advice: 'Write the id of one tenant or user, e.g. `canary:tenant_1`. Nothing was changed.',
    });
  }
  if (!migration.canary) throw noCanary(migration, 'declares no canary');
  const narrowed: { [phase in Phase]?: readonly MigrationStep[] } = {};
  const left: string[] = [];
  for (const phase of phases) {
    const steps: MigrationStep[] = [];
    for (const step of migration.phases[phase] ?? []) {
      const narrow = narrowStep(environment, migration.canary, step, canary);
      if (narrow === null) left.push(step.title);
      else steps.push(narrow);
    }
    if (steps.length > 0) narrowed[phase] = steps;
  }
  if (Object.keys(narrowed).length === 0) throw noCanary(migration, 'has no step that can be narrowed to a canary');
  return { phases: narrowed, findings: findingsOf(canary, left, migration.verify.length) };
}

/** Puts the canary where `$canary` stands: as it is between quotes, as a literal in quotes elsewhere. */
export function fillCanary(predicate: string, canary: string): string {
  let quote: string | null = null;
  return predicate.replaceAll(/\\.|['"`]|\$canary\b/gs, (token) => {
    if (token === '$canary') return quote === null ? `'${canary}'` : canary;
    if (token.length === 1) {
      if (quote === null) quote = token;
      else if (quote === token) quote = null;
    }
    return token;
  });
}

/** Null = it is left out. */
function narrowStep(
  environment: Environment,
  predicates: { readonly [collection: string]: string },
  step: MigrationStep,
  canary: string,
): MigrationStep | null {
  const kind = findKind(environment, step.system, step.use);
  if (!kind.narrow) return null;
  const asked: boolean[] = [];
  const narrowed = kind.narrow(parseInput(kind, { id: step.id, input: step.with }), (system, collection) => {
    const predicate = predicates[`${system ?? step.system}:${collection}`];
    asked.push(predicate !== undefined);
    return predicate === undefined ? null : fillCanary(predicate, canary);
  });
  if (narrowed === null) return step;
  // One collection without a predicate is enough for it to be carried out over everything there.
  return asked.length > 0 && asked.every(Boolean) ? { ...step, with: narrowed } : null;
}

function findingsOf(canary: string, left: readonly string[], checks: number): Finding[] {
  const findings: Finding[] = [];
  if (left.length > 0) {
    findings.push({
      check: 'canary-left-out',
      title: `${left.length} steps are left out: they cannot be narrowed to ${canary}`,
      status: 'skipped',
      count: left.length,
      samples: left.slice(0, 5),
      advice: left.slice(0, 5).join('; '),
    });
  }
  if (checks > 0) {
    findings.push({
      check: 'canary-checks',
      title: 'The checks at the end look at all records, not at the canary alone',
      status: 'skipped',
      count: null,
      samples: [],
      advice: 'what they find is reported and does not stop the run',
    });
  }
  return findings;
}

function noCanary(migration: Migration, why: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${migration.id} ${why}.`,
    advice: 'Ask for it without `canary:`, or write the predicates under `canary` in its file. Nothing was changed.',
  });
}
