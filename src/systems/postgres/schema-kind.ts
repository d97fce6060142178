import { Failure } from '../../shared/failure.ts';
import { digestOf, type Json } from '../../shared/json.ts';
import type { Finding } from '../finding.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type Sample,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../system.ts';
import { type BatchManner, type KindSetting, rowManner, runBatch, schemaMannerFor } from './batch.ts';
import type { Session } from './database.ts';
import type { SchemaChange } from './journal-body.ts';
import { findMissingRights, type RightsNeeded } from './rights.ts';
import { previewUndo, undoBatch } from './undo.ts';

const READ_TIMEOUT = 600_000;

/** What a change of the schema would do here and now. */
export interface SchemaLook {
  /** 0 where it is so already. */
  readonly count: number;
  readonly exact?: boolean;
  /** What it would make or take away: people sign its hash. */
  readonly key: Json;
  /** The part of the schema that it relies on. */
  readonly relied: Json;
  readonly locks: readonly string[];
  readonly findings: readonly Finding[];
  readonly samples?: readonly Sample[];
  readonly bytes?: number;
}

/** What one batch of it did. */
export interface SchemaOutcome extends BatchResult {
  readonly changes: readonly SchemaChange[];
}

/** What differs between kinds that change the schema of a table in transactions. */
export interface SchemaKind<Input> extends Pick<StepKind<Input>, 'name' | 'effect' | 'input' | 'describe' | 'writes'> {
  /** The table whose journal it is. */
  table(input: Input): string;
  /** Tables whose locks it waits for. */
  locks(input: Input): readonly string[];
  rights(input: Input): readonly RightsNeeded[];
  look(session: Session, input: Input, context: StepContext): Promise<SchemaLook>;
  perform(session: Session, input: Input, batch: BatchRequest, context: StepContext): Promise<SchemaOutcome>;
  verify(session: Session, input: Input): Promise<readonly Finding[]>;
  /** Absent = reversible. */
  readonly undoClass?: StepPreview['undoClass'];
  /** Whether a batch changes rows: then it waits for their writers longer, and nobody waits behind it. */
  changesRows?(batch: BatchRequest): boolean;
  readonly release?: Required<Pick<StepKind<Input>, 'previewRelease' | 'releaseBatch'>>;
}

/** Puts a kind that changes the schema together: rights first, short locks, one journaled transaction a batch, its undo. */
export function defineSchemaKind<Input>(setting: KindSetting, kind: SchemaKind<Input>): StepKind {
  const read = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
    setting.database.transact({ readOnly: true, statementTimeout: READ_TIMEOUT }, work);
  const mannerOf = (input: Input): BatchManner => schemaMannerFor(setting, kind.locks(input));
  return defineStepKind<Input>({
    name: kind.name,
    effect: kind.effect,
    input: kind.input,
    describe: kind.describe,
    ...(kind.writes && { writes: kind.writes }),
    preview: (input, context) => read((session) => preview(session, kind, input, context)),
    performBatch: (input, batch, context) => {
      const manner = kind.changesRows?.(batch) ? rowManner : mannerOf(input);
      return runBatch(setting, context, batch, manner, async (session) => {
        const { changes, cursor, done } = await kind.perform(session, input, batch, context);
        const body = { version: 1 as const, table: kind.table(input), keyColumn: null, changes, conflicts: [] };
        return { body, result: { cursor, done } };
      });
    },
    verify: (input) => read((session) => kind.verify(session, input)),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (input, batch, context) => undoBatch(setting, batch, context, mannerOf(input)),
    undoForces: true,
    narrow: () => null,
    ...kind.release,
  });
}

async function preview<Input>(
  session: Session,
  kind: SchemaKind<Input>,
  input: Input,
  context: StepContext,
): Promise<StepPreview> {
  const undoClass = kind.undoClass ?? 'reversible';
  const missing = await findMissingRights(session, kind.rights(input));
  if (missing.length > 0) return { ...withoutLook, undoClass, findings: missing };
  return asPreview(await kind.look(session, input, context), undoClass);
}

export function asPreview(look: SchemaLook, undoClass: StepPreview['undoClass']): StepPreview {
  return {
    count: look.count,
    exact: look.exact ?? true,
    keysHash: digestOf(look.key),
    schemaHash: digestOf(look.relied),
    samples: look.samples ?? [],
    undoClass,
    locks: look.count > 0 ? look.locks : [],
    bytes: look.bytes ?? 1000,
    findings: look.findings,
  };
}

/** Of a step that the user may not carry out: nothing was counted. */
export const withoutLook: StepPreview = {
  count: 0,
  exact: false,
  keysHash: '',
  schemaHash: '',
  samples: [],
  undoClass: 'reversible',
  locks: [],
  bytes: 0,
  findings: [],
};

/** Throws the first failed finding: what a preview would have refused. */
export function refuseFailed(findings: readonly Finding[]): void {
  const found = findings.find((finding) => finding.status === 'failed');
  if (!found) return;
  throw new Failure({
    code: 'precondition-failed',
    message: `${found.title}.`,
    advice: found.advice ?? 'Ask for the migration again.',
  });
}

/** A finding about one thing that is in the way. */
export function inTheWay(check: string, title: string, advice: string, samples: readonly string[] = []): Finding {
  return { check, title, status: 'failed', count: Math.max(1, samples.length), samples: samples.slice(0, 5), advice };
}

/** Whether what a step was to make stands. */
export function standing(check: string, title: string, stands: boolean): Finding {
  return { check, title, status: stands ? 'passed' : 'failed', count: stands ? 0 : 1, samples: [] };
}

/** What people read about a lock that stops everybody for a moment. */
export function momentLock(tables: readonly string[], who: 'reads or writes' | 'writes'): string {
  return `${tables.join(' and ')}: nobody ${who} for a moment, after a wait of at most 2 s`;
}
