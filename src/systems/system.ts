/**
 * The contract of a system: one configured store or service. How to add one:
 *
 * 1. Make a folder beside this file with `<name>-system.ts`, which exports `create<Name>System(options): System`.
 *    It is the only place that imports the store's driver. Systems never import each other.
 * 2. Leave out what it cannot do: a missing function means "cannot", and callers say so.
 * 3. Give every step kind a file of its own (`kinds/<kind>.ts`), made with `defineStepKind`, with its undo.
 * 4. Add one line to `index.ts`.
 * 5. Say in `recovery` how a person sees the bot's traces in it, and takes back what a run set up, when the bot is gone.
 * 6. Call the contract's suite from `test/systems/<name>/<name>-system.live.test.ts`.
 *
 * Promises every system keeps:
 * - Driver errors leave as a `Failure` (unreachable, wrong-password, missing-rights, disk-full, step-failed …) whose text
 *   names system and place, and carries no values of records (`Key (email)=(…)` is scrubbed), no passwords.
 * - Streams are bounded in memory whatever the number of records; batches go by key, never by offset.
 * - A batch may be called again after a crash, with the same index and cursor, by another process: it then returns what
 *   the first call committed. It may be called by a process that has lost its lease: the fence makes it fail as `fenced`.
 */
import type { z } from 'zod';
import type { Json, JsonObject } from '../shared/json.ts';
import type { BackupContext, BackupPart, Fingerprint } from './backup-part.ts';
import type { Finding } from './finding.ts';
import type { Health, Load } from './health.ts';
import type { HolderMark } from './holder-mark.ts';
import type { Kept } from './kept-tally.ts';
import type { RecoveryLine, RecoveryRun } from './recovery.ts';
import type { Trial } from './trial.ts';

export type { BackupContext, BackupFile, BackupPart, Fingerprint } from './backup-part.ts';
export type { Health, Load } from './health.ts';

export type Effect = 'reads' | 'adds' | 'changes' | 'destroys';
export type UndoClass = 'reversible' | 'reversible-until' | 'one-way';

/** One field as migrations name it. `collection` is a label, a table or a bucket; `field` a property or column. */
export interface FieldRef {
  readonly system: string;
  readonly collection: string;
  readonly field: string;
}

/** A record before and after a step, not yet masked: `plans` masks by allow-list before anything is stored or shown. */
export interface Sample {
  readonly collection: string;
  readonly key: string;
  readonly before: JsonObject;
  readonly after: JsonObject;
}

/** What a step would do here and now. Making one writes nothing to any store. */
export interface StepPreview {
  /** Records that would be added, changed or destroyed. */
  readonly count: number;
  /** False when counting hit its time bound: then `count` is a lower bound ("≥ N"). */
  readonly exact: boolean;
  /** SHA-256 over the sorted keys of the records; binds steps that destroy. Empty string where keys do not exist yet. */
  readonly keysHash: string;
  /** SHA-256 over the part of the schema that the step relies on. */
  readonly schemaHash: string;
  /** At most five. */
  readonly samples: readonly Sample[];
  readonly undoClass: UndoClass;
  /** What it locks and for how long, in words; empty when rows only. */
  readonly locks: readonly string[];
  /** Bytes that journal and log will need, estimated. */
  readonly bytes: number;
  /** Failed findings refuse the plan before anything changes (duplicates under a constraint, an unexpected type). */
  readonly findings: readonly Finding[];
  /** What this input does, for kinds that take a statement and cannot say it beforehand; absent = the kind's effect. */
  readonly effect?: Effect;
  /** For an undo: what would stay as it is. Absent = not told. */
  readonly kept?: Kept;
}

/** The preview of a step that only reads: nothing is locked, written or lost. */
export const readingPreview: StepPreview = {
  count: 0,
  exact: true,
  keysHash: '',
  schemaHash: '',
  samples: [],
  undoClass: 'reversible',
  locks: [],
  bytes: 0,
  findings: [],
};

export interface BatchRequest {
  /** 0 for the first batch of a step, then one more each. Together with run and step it is the batch's unique key. */
  readonly index: number;
  /** What the previous batch returned; null for the first. */
  readonly cursor: Json;
  /** Records done by all earlier batches of this step; the first ordinal of generated ids. */
  readonly done: number;
  /** How many records this batch may take; the engine sizes it by time (≈ 1 s a batch). */
  readonly size: number;
}

/** Counts and references only, never records: this is stored outside of the system. */
export interface BatchResult {
  /** Where the next batch begins; null when the step is complete. */
  readonly cursor: Json;
  /** Records written by this batch. */
  readonly done: number;
  /** What a step that waits for something waits for, in words: `1 of 3 services is ready, aether-backend is not`. */
  readonly note?: string;
}

/** Undo's batch: `done` = records restored. */
export interface UndoBatchResult extends BatchResult {
  /** Records or fields left as they are, each with a conflict in the journal. */
  readonly kept: number;
  /** Records that are gone since. */
  readonly missing: number;
}

/** Why undo left something as it is: base = before the run, ours = what the run wrote, theirs = what stands there now. */
export interface Conflict {
  readonly collection: string;
  readonly key: string;
  readonly field: string;
  readonly reason: 'changed-since' | 'referred-to' | 'value-taken' | 'missing' | 'coupled';
  readonly base: Json;
  readonly ours: Json;
  readonly theirs: Json;
}

/** Proof of the right to change: tokens grow with each acquisition of the environment; a store refuses a smaller one. */
export interface Fence {
  readonly environment: string;
  readonly token: number;
}

export interface LookupQuery {
  readonly collection: string;
  /** The field that holds the keys that are asked for. */
  readonly by: string;
  readonly fields: readonly string[];
}

export interface ScanQuery {
  readonly collection: string;
  /** A unique field; rows come in its ascending order (by code point). */
  readonly key: string;
  readonly fields: readonly string[];
  /** A predicate in the system's own language over the record (Cypher: `n`, SQL: the table's columns); absent = all. */
  readonly where?: string;
  /** Only keys greater than this one. */
  readonly after?: string;
}

export interface Row {
  readonly key: string;
  readonly values: JsonObject;
}

/** Reads of other systems, by configured name, for steps and checks that join across systems. */
export interface OtherSystems {
  lookup(system: string, query: LookupQuery, keys: readonly string[]): Promise<Map<string, JsonObject>>;
  scan(system: string, query: ScanQuery): AsyncIterable<Row>;
}

export interface StepContext extends OtherSystems {
  readonly runId: string;
  /** Unique in the run, e.g. `data.fill-users`. */
  readonly stepId: string;
  /** 16 digits: microseconds, recorded with the run; generated ids are base + ordinal. In a preview: a stand-in. */
  readonly sequenceBase: string;
  readonly fence: Fence;
  /** The approved count plus tolerance: a batch that would go beyond it fails as `over-cap`. Null: no cap (undo). */
  readonly cap: number | null;
  readonly signal: AbortSignal;
  /**
   * For a preview: milliseconds after which counting stops and answers `exact: false` ("≥ N"). Absent = to the end. Steps
   * that destroy are always counted to the end: their keys are what people sign.
   */
  readonly countForMs?: number;
}

/** For giving up what a step kept aside: whose step it was. */
export interface ReleaseContext extends StepContext {
  readonly releases: { readonly runId: string; readonly stepId: string };
}

/** The predicate, in the system's own language, that narrows a collection to the canary's records; null = all stay. */
export type CanaryOf = (system: string | null, collection: string) => string | null;

export interface UndoContext extends StepContext {
  /** The run and step whose journal is undone. Its step id equals the one that it had when it was performed. */
  readonly undoes: { readonly runId: string; readonly stepId: string };
  /** Which of these values of the field newer records refer to (declared references, across systems). */
  held(field: FieldRef, values: readonly string[]): Promise<Set<string>>;
  /**
   * Present where people took single conflicts: then only the fields for which it answers true are undone, whatever stands
   * there now, and nothing is told of all others. A record that the run made or deleted is named by its key field. What
   * `held` names stays (for fields of records that stay, plans hand an empty one), and so do a field that is coupled with one which is
   * not taken, values that others hold by now, and records that others refer to. Absent = the usual undo.
   */
  force?(collection: string, key: string, field: string): boolean;
  /** Groups of fields of one collection that are restored together or not at all. */
  readonly coupled: readonly (readonly FieldRef[])[];
}

/** The code for one sort of step. The name is stored for ever and never renamed. */
export interface StepKind<Input = unknown> {
  /** `<system type>.<verb-noun>`, e.g. `neo4j.set-properties`. */
  readonly name: string;
  readonly effect: Effect;
  /** Checks the parameters of a YAML step, and what comes back from storage. */
  readonly input: z.ZodType<Input>;
  /** One line for people: what this step with this input does. */
  describe(input: Input): string;
  /** Which fields it writes, so that an undo finds later runs over the same ones. Absent = none. */
  writes?(input: Input): readonly Omit<FieldRef, 'system'>[];
  preview(input: Input, context: StepContext): Promise<StepPreview>;
  performBatch(input: Input, batch: BatchRequest, context: StepContext): Promise<BatchResult>;
  /** After the last batch; a failed finding fails the step. */
  verify?(input: Input, context: StepContext): Promise<readonly Finding[]>;
  /** Absent = one-way. Journals itself under its own run and step, so that an undo can be undone. */
  previewUndo?(input: Input, context: UndoContext): Promise<StepPreview>;
  undoBatch?(input: Input, batch: BatchRequest, context: UndoContext): Promise<UndoBatchResult>;
  /** Its undo heeds `force` of the context. Absent = single conflicts cannot be taken. */
  readonly undoForces?: true;
  /**
   * For kinds that keep aside what they destroy (undo class `reversible-until`): gives it up for good, at the earliest when
   * the environment's hold is over. Afterwards undo finds nothing and says so. Absent = nothing is kept aside.
   */
  previewRelease?(input: Input, context: ReleaseContext): Promise<StepPreview>;
  releaseBatch?(input: Input, batch: BatchRequest, context: ReleaseContext): Promise<BatchResult>;
  /**
   * The same step over the canary's records only, as YAML parameters. Null = it has no records of its own to narrow
   * (schema): it is carried out as it is. Absent = the step cannot be narrowed and is left out of a canary run.
   */
  narrow?(input: Input, canaryOf: CanaryOf): { readonly [parameter: string]: Json } | null;
}

/** Keeps the types of a kind's input together; the list of kinds forgets them. */
export function defineStepKind<Input>(kind: StepKind<Input>): StepKind {
  return kind as unknown as StepKind;
}

/** What a run wrote, read from the journal in its own store. */
export interface Journal {
  /** The values that a run's step wrote to a field, as strings, batch by batch. Empty where it wrote none. */
  writtenValues(runId: string, stepId: string, field: string): AsyncIterable<readonly string[]>;
  /** Of these values, those that the collection's field holds in records for which no step of the run wrote that field. */
  foreignReferences(runId: string, collection: string, field: string, values: readonly string[]): Promise<Set<string>>;
  /** Conflicts that an undo step recorded, in order, at most `limit`. */
  conflicts(runId: string, stepId: string, limit: number): Promise<readonly Conflict[]>;
}

export interface Violations {
  readonly count: number;
  /** At most five; each row of the query as an object. */
  readonly samples: readonly JsonObject[];
}

/** Something that a run has set up outside of the data and that is not taken back yet. */
export interface Standing {
  /** `aether-be/aether-backend is stopped (2 replicas are remembered)`. */
  readonly what: string;
  /** While one such stands, nobody but the bot should write to the stores: every system is asked for `intrusions`. */
  readonly closes: boolean;
}

/** The data-model version that a store holds, recorded in the store itself, so that a restore rewinds it too. */
export interface DataModelVersion {
  readonly version: string;
  /** The run that brought it there. */
  readonly runId: string;
  /** ISO 8601. */
  readonly at: string;
}

export interface DataModel {
  /** Null = none was recorded yet. */
  read(): Promise<DataModelVersion | null>;
  /** Null takes the record away (undo of the first). Refused as `fenced` for a smaller token. */
  write(version: DataModelVersion | null, fence: Fence): Promise<void>;
}

/** What a plan will ask of a store, to be looked at before anything changes. */
export interface PreflightNeeds {
  /** Names of the step kinds that the plan uses on this system. */
  readonly uses: readonly string[];
  /** Bytes that journal and log will need, estimated. */
  readonly bytes: number;
}

/** One configured store or service. */
export interface System {
  /** The configured name, e.g. `graph`. */
  readonly name: string;
  /** e.g. `neo4j`. */
  readonly type: string;
  readonly kinds: readonly StepKind[];
  /** Who the server is, stable over restarts: PostgreSQL system_identifier, Neo4j store id, MinIO deployment id. */
  identity(): Promise<string>;
  checkHealth(): Promise<Health>;
  /** The server's own time, as it is asked. */
  clock?(): Promise<Date>;
  /** Writes at least this token, so that smaller ones are refused from now on. */
  advanceFence?(fence: Fence): Promise<void>;
  lookup?(query: LookupQuery, keys: readonly string[]): Promise<Map<string, JsonObject>>;
  scan?(query: ScanQuery): AsyncIterable<Row>;
  /** Runs a reading statement (enforced by the server) that returns a row for each violation. */
  violations?(statement: string): Promise<Violations>;
  readonly journal?: Journal;
  /** Server version, plugins, rights (what the kinds need is really allowed), free disk: a finding each; failed ones refuse the plan. */
  preflight?(needs: PreflightNeeds): Promise<readonly Finding[]>;
  load?(): Promise<Load>;
  /** What these runs have set up here and not taken back: services stopped, maintenance mode on. Empty = nothing. */
  standing?(runIds: readonly string[]): Promise<readonly Standing[]>;
  /**
   * What goes against what these runs set up, in words: a stopped service that somebody started, foreign sessions in a store
   * that a step of theirs had found empty. Looked at before each batch; while there are any the run writes nothing, and
   * then pauses.
   */
  intrusions?(runIds: readonly string[]): Promise<readonly string[]>;
  readonly dataModel?: DataModel;
  readonly holder?: HolderMark;
  /** What a person can do here by hand for this run when the bot is gone. Text alone: asks nobody, holds no secret. */
  recovery?(run: RecoveryRun): readonly RecoveryLine[];
  /** What it holds now; journal, fence and locks of the bot left out. */
  fingerprint?(): Promise<Fingerprint>;
  /** The fingerprint's counts alone, where they can be had much quicker than its hash. */
  counts?(): Promise<Fingerprint['counts']>;
  /** Writes into an existing empty folder. A failed backup throws; the caller removes the folder. */
  backup?(folder: string, context: BackupContext): Promise<BackupPart>;
  /** What a restore of the part would replay or lose beside the data, as things are now. Reads only. */
  previewRestore?(part: BackupPart, folder: string): Promise<readonly Finding[]>;
  /** Replaces what the store holds with the part. May be called again after a crash. The result is read from the store. */
  restore?(part: BackupPart, folder: string, context: BackupContext): Promise<Fingerprint>;
  /** Absent = a part of its can only be read again. */
  readonly trial?: Trial;
  close(): Promise<void>;
}
