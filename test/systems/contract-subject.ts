import { Failure, type FailureCode } from '../../src/shared/failure.ts';
import type { LookupQuery, ScanQuery, System, UndoContext } from '../../src/systems/system.ts';
import { undoContext } from './step-contexts.ts';

/** One use of a step kind on the subject's records. */
export interface KindExample {
  readonly kind: string;
  readonly input: unknown;
  /** How many records it writes: at least 3, so that there are several batches. */
  readonly count: number;
  /** How many it writes when it is carried out again; 0 unless said otherwise. */
  readonly countAgain?: number;
  /** True where the kind writes no records but the schema, in one batch. */
  readonly ofSchema?: boolean;
  /** A user's edit of something that the example wrote, made after it; undo then keeps exactly this field. */
  readonly edit?: { readonly field: string; apply(): Promise<void> };
}

/** A system with known records, made anew for each test. */
export interface ContractSubject {
  readonly system: System;
  /** Another connection to the same store, as another process would make it. The suite closes it. */
  reopen?(): Promise<System>;
  readonly examples: readonly KindExample[];
  /** What lookup and scan find. `keys` are all of them in order by code point, at least 3. */
  readonly reading?: {
    readonly lookup: LookupQuery;
    readonly scan: ScanQuery;
    readonly keys: readonly string[];
    readonly where: { readonly text: string; readonly keys: readonly string[] };
  };
  /** Statements: one that finds so many rows, one that finds none, one that nobody can read, one that would write. */
  readonly statements?: {
    readonly finds: { readonly text: string; readonly count: number };
    readonly findsNothing: string;
    readonly unreadable: string;
    readonly writes?: string;
  };
  /** Changes, adds and removes records as users do. */
  change(): Promise<void>;
  /** A wrong password and a server that is not there; `password` is what may never be shown. */
  readonly refused?: { readonly password: string; wrongPassword(): System; unreachable(): System };
  close(): Promise<void>;
}

/** What the parts of the suite share. */
export interface ContractSetting {
  subject(): ContractSubject;
  folder(): string;
  again(): Promise<System>;
  fingerprint(): Promise<{ readonly counts: { readonly [collection: string]: number }; readonly hash: string }>;
  /** Closes the system after the test. */
  track(system: System): System;
}

/** The undo of the step that a run of the suite carried out. */
export function undoOf(runId: string): UndoContext {
  return undoContext({ runId, stepId: 'data.step' });
}

/** Everything was restored, nothing kept, nothing missing. */
export function expectClean(
  results: readonly { done: number; kept: number; missing: number }[],
  example: KindExample,
): void {
  const sum = (name: 'done' | 'kept' | 'missing') => results.reduce((total, result) => total + result[name], 0);
  expect({ kind: example.kind, done: sum('done'), kept: sum('kept'), missing: sum('missing') }).toEqual({
    kind: example.kind,
    done: example.count,
    kept: 0,
    missing: 0,
  });
}

/** What it failed with; anything but a `Failure` is a defect. */
export async function failureOf(work: () => Promise<unknown>): Promise<Failure & { readonly code: FailureCode }> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** A capability that the test needs, bound. */
export function need<K extends 'fingerprint' | 'backup' | 'restore' | 'lookup' | 'scan' | 'violations'>(
  system: System,
  name: K,
): NonNullable<System[K]> {
  const able = system[name];
  if (!able) throw new Error(`${system.name} cannot ${name}`);
  return able.bind(system) as NonNullable<System[K]>;
}
