import { sayDuration } from '../shared/duration.ts';
import { Failure } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';
import type { DataModelVersion } from '../systems/system.ts';
import type { Migration } from './migration.ts';

/** A run that applied a migration, wholly or in part, and that stands: it was neither undone nor superseded by a restore. */
export interface AppliedMigration {
  readonly runId: string;
  readonly contentHash: string;
  /** ISO 8601: when it began. */
  readonly at: string;
  /** What it was narrowed to; null = everything. */
  readonly canary: string | null;
}

/** A run that did the same elsewhere and was undone there. */
export interface Rehearsal {
  readonly environment: string;
  readonly runId: string;
  /** ISO 8601: when it ended. */
  readonly at: string;
  readonly seconds: number;
  readonly undoneBy: string;
  readonly undoSeconds: number;
}

/** What runs have made of migrations, as one environment asks for it. Every run counts, however long ago. */
export interface MigrationLedger {
  /** The runs of this environment that apply the migration, newest first. */
  applied(migrationId: string): Promise<readonly AppliedMigration[]>;
  /** The newest rehearsal of this very content in another environment that is not production; null when there is none. */
  rehearsal(contentHash: string): Promise<Rehearsal | null>;
  /** Follows undos, undos of undos and so on to the run that was first; `undone` = this run takes that one back. */
  lineage(runId: string): Promise<{ readonly origin: string; readonly undone: boolean }>;
}

/** Throws `content-changed` where the migration was applied with another content. */
export function refuseEditedFile(migration: Migration, applied: readonly AppliedMigration[]): void {
  const other = applied.find(({ contentHash }) => contentHash !== migration.contentHash);
  if (!other) return;
  const narrowed = other.canary === null ? '' : ` for the canary ${other.canary}`;
  throw new Failure({
    code: 'content-changed',
    message: `${migration.id} is not what ${other.runId} applied${narrowed} on ${sayMoment(other.at)}: its file, or a variable in it, was edited since.`,
    advice: `An applied migration never changes: write a new one with what is to change, or undo that run first (\`/tas rollback ${other.runId}\`). Nothing was changed.`,
  });
}

/** The data-model version that a system holds. */
export interface RecordedVersion {
  readonly system: string;
  /** Null = none was recorded yet. */
  readonly recorded: DataModelVersion | null;
  /** Whether the migration has a step for it. */
  readonly touched: boolean;
}

/** Whether the migration's turn has come: the systems that it touches are at its `from`, or it was applied here before. */
export function judgeOrder(
  migration: Migration,
  versions: readonly RecordedVersion[],
  applied: readonly AppliedMigration[],
): readonly Finding[] {
  const strange = versions.filter((version) => !isExpected(migration, version, applied));
  const unknown = versions.filter(({ recorded, touched }) => touched && recorded === null);
  const path = `${migration.id} goes from ${migration.version.from} to ${migration.version.to}`;
  const findings = [
    finding(
      strange.filter(({ touched }) => touched),
      'failed',
      `${path}, and a system that it touches is at another data-model version`,
      'Apply the migrations that lead there first, in their order; `/tas status` shows the version of every system.',
    ),
    finding(
      strange.filter(({ touched }) => !touched),
      'warning',
      `${path}, and a system that it does not touch is at another data-model version`,
      'What is recorded there stays as it is.',
    ),
    finding(
      unknown,
      'warning',
      'The data-model version is not recorded yet',
      `Make sure that the data is at ${migration.version.from}. The run records ${migration.version.to} at its end.`,
    ),
  ].filter((each) => each !== null);
  if (findings.length > 0) return findings;
  return [{ check: 'data-model-version', title: path, status: 'passed', count: 0, samples: [] }];
}

/** Systems whose version the migration may write: one that is somewhere else altogether keeps what it has. */
export function systemsToRecord(
  migration: Migration,
  versions: readonly RecordedVersion[],
): readonly RecordedVersion[] {
  const { from, to } = migration.version;
  return versions.filter(({ recorded }) => recorded === null || recorded.version === from || recorded.version === to);
}

/** Without a rehearsal people sign a preview; with one, something that was seen to work and to be undone. */
export function judgeRehearsal(rehearsal: Rehearsal | null, production: boolean): readonly Finding[] {
  const check = 'rehearsed';
  if (rehearsal) {
    const { environment, runId, at, seconds, undoneBy, undoSeconds } = rehearsal;
    const title = `Rehearsed on ${environment}: ${runId} on ${sayMoment(at)} in ${sayDuration(seconds * 1000)}, undone by ${undoneBy} in ${sayDuration(undoSeconds * 1000)}`;
    return [{ check, title, status: 'passed', count: 0, samples: [] }];
  }
  if (!production) return [];
  const title = 'Not rehearsed: this very content was not carried out and undone on another environment';
  const advice = 'Carry it out on one that is not production, with the same variables, and undo it there.';
  return [{ check, title, status: 'warning', count: null, samples: [], advice }];
}

function isExpected(
  { version }: Migration,
  { recorded }: RecordedVersion,
  applied: readonly AppliedMigration[],
): boolean {
  if (recorded === null || recorded.version === version.from) return true;
  // Whoever applied it may do so again: what came in since is filled, and all else is left alone.
  return recorded.version === version.to && applied.some(({ canary }) => canary === null);
}

function finding(
  versions: readonly RecordedVersion[],
  status: 'failed' | 'warning',
  title: string,
  advice: string,
): Finding | null {
  if (versions.length === 0) return null;
  const samples = versions.slice(0, 5).map(({ system, recorded }) => {
    return recorded === null ? system : `${system}: ${recorded.version} since ${recorded.runId}`;
  });
  const check = versions.every(({ recorded }) => recorded === null) ? 'data-model-unknown' : 'data-model-version';
  return { check, title, status, count: versions.length, samples, advice };
}

function sayMoment(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}
