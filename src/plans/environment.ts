import type { Check } from '../checks/check.ts';
import type { MigrationLedger } from '../migrations/ledger.ts';
import type { Migration } from '../migrations/migration.ts';
import { Failure } from '../shared/failure.ts';
import type { OtherSystems, StepKind, System } from '../systems/system.ts';
import type { MeasuredRate } from './estimate.ts';

/** A named set of systems with its policy, as plans and runs use it. */
export interface Environment {
  readonly name: string;
  readonly production: boolean;
  /** The channel's name, without #. */
  readonly channel: string;
  readonly systems: ReadonlyMap<string, System>;
  /** Kinds that span systems: backups, checks, references. */
  readonly ownKinds: readonly StepKind[];
  readonly votesRequired: number;
  readonly expiresMinutes: number;
  /** Per cent by which a changing step's count may move between vote and start. */
  readonly tolerancePercent: number;
  /** Days for which what a run keeps aside stays, from the run's end on. */
  readonly holdDays: number;
  /** Minutes after which a run that stopped while services are down undoes itself; absent = never. */
  readonly undoAfterMinutes?: number;
  /** A run parks when more failures than this were tried again; absent = 10. */
  readonly stopAfterErrors?: number;
  /** Fields whose values may be shown, as `Collection.field`. */
  readonly shown: ReadonlySet<string>;
  /** SHA-256 of the configuration without secrets. */
  readonly configHash: string;
  /** Read at each use: an edited file counts from the next plan on. */
  migrations(): Promise<ReadonlyMap<string, Migration>>;
  checks(): Promise<ReadonlyMap<string, Check>>;
  /** What runs have made of migrations, here and elsewhere. */
  readonly ledger: MigrationLedger;
  /** Room for the backup that goes before every change. */
  backupRoom(): Promise<BackupRoom>;
  /** Backup sets that its rule does not keep, now; null = there is no rule, and nothing is ever removed. Absent = null. */
  removableSets?(): Promise<readonly string[] | null>;
  /** How fast steps went in earlier runs, of this and other environments; absent = nothing is known. */
  rates?(): Promise<readonly MeasuredRate[]>;
}

/** In bytes. */
export interface BackupRoom {
  readonly free: number;
  /** What the environment's newest set takes up; null = there is none yet. */
  readonly lastSet: number | null;
}

/** The step kind that a plan names. Throws `invalid-file` with the nearest ones when there is none. */
export function findKind(environment: Environment, system: string | null, use: string): StepKind {
  const kinds = system === null ? environment.ownKinds : findSystem(environment, system).kinds;
  const kind = kinds.find((candidate) => candidate.name === use);
  if (kind) return kind;
  throw new Failure({
    code: 'invalid-file',
    message: `There is no step kind ${use}${system === null ? '' : ` for the system ${system}`}.`,
    advice: `Known are: ${kinds.map((candidate) => candidate.name).join(', ')}. Nothing was changed.`,
  });
}

/** A configured system. Throws `invalid-file` when the environment has none of that name. */
export function findSystem(environment: Environment, name: string): System {
  const system = environment.systems.get(name);
  if (system) return system;
  throw new Failure({
    code: 'invalid-file',
    message: `The environment ${environment.name} has no system ${name}.`,
    advice: `It has: ${[...environment.systems.keys()].join(', ')}. Nothing was changed.`,
  });
}

/** How steps of one system read the others. */
export function otherSystems(environment: Environment): OtherSystems {
  const cannot = (name: string, what: string): Failure =>
    new Failure({
      code: 'invalid-file',
      message: `The system ${name} cannot be ${what}.`,
      advice: 'Correct the step. Nothing was changed.',
    });
  return {
    lookup(name, query, keys) {
      const system = findSystem(environment, name);
      if (!system.lookup) throw cannot(name, 'looked up in');
      return system.lookup(query, keys);
    },
    scan(name, query) {
      const system = findSystem(environment, name);
      if (!system.scan) throw cannot(name, 'scanned');
      return system.scan(query);
    },
  };
}
