import { createHash } from 'node:crypto';
import type { Finding } from '../../finding.ts';
import type { Effect } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import type { Session } from '../database.ts';
import { parseTableName } from '../identifiers.ts';
import { judge, strongerEffect } from '../sql/effect.ts';
import { lint } from '../sql/lint.ts';
import { locksOf } from '../sql/locks.ts';
import { parseStatements, type Statement, shorten } from '../sql/parse.ts';
import { relationsIn } from '../sql/syntax.ts';
import { readVolatility } from '../sql/volatile.ts';
import type { AlembicStep } from './alembic-step.ts';
import { runAlembic } from './run-alembic.ts';

const PREVIEW_LIMIT_MS = 120_000;

/** What alembic says that it would do, without doing it. */
export interface OfflineSql {
  /** Null = it cannot say it; then `why` tells the reason. */
  readonly sql: string | null;
  readonly why: string;
}

/** The SQL of a way between two revisions. Its code may ask the server, which then lets it read only. */
export async function offlineSql(
  setting: KindSetting,
  step: AlembicStep,
  direction: 'upgrade' | 'downgrade',
  range: readonly [string, string],
  signal: AbortSignal,
): Promise<OfflineSql> {
  const { ok, output, error } = await runAlembic(setting, step, [direction, range.join(':'), '--sql'], {
    signal,
    timeLimitMs: PREVIEW_LIMIT_MS,
    readOnly: true,
    sessionName: 'tas-bot alembic preview',
  });
  return ok ? { sql: output, why: '' } : { sql: null, why: error };
}

/** What the SQL of alembic comes to, judged as raw statements are. */
export interface OfflineLook {
  readonly effect: Effect;
  /** False where alembic prints no step from the one to the other. */
  readonly moves: boolean;
  /** Without those that alembic needs for itself. */
  readonly statements: readonly Statement[];
  readonly hash: string;
  readonly locks: readonly string[];
  readonly findings: readonly Finding[];
}

export async function lookAtOffline(
  session: Session,
  step: AlembicStep,
  { sql, why }: OfflineSql,
  direction: 'upgrade' | 'downgrade',
): Promise<OfflineLook> {
  const unknown = (reason: string): OfflineLook => ({
    effect: 'destroys',
    moves: true,
    statements: [],
    hash: '',
    locks: ['what it locks is not known beforehand'],
    findings: [notShown(direction, reason)],
  });
  if (sql === null) return unknown(why);
  const all = await parseStatements(`${direction} --sql`, sql).catch(() => null);
  if (all === null) return unknown('what it prints is not SQL alone');
  const statements = all.filter((statement) => !isOfAlembic(statement, step.versionTable));
  const { changing, doing } = await readVolatility(session, statements);
  const judged = statements.map((statement) => ({ statement, ...judge(statement, doing) }));
  const opaque = judged.filter((one) => one.opaque !== null);
  const commits = all.filter(
    ({ kind, node }) => kind === 'TransactionStmt' && node.kind === 'TRANS_STMT_COMMIT',
  ).length;
  return {
    effect: judged.map((one) => one.effect).reduce(strongerEffect, statements.length > 0 ? 'adds' : 'reads'),
    moves: all.some((statement) => statement.kind !== 'TransactionStmt' && !statements.includes(statement)),
    statements,
    hash: createHash('sha256')
      .update(statements.map(({ text }) => text).join(';\n'))
      .digest('hex'),
    locks: locksOf(statements),
    findings: [
      ...lint(statements, changing),
      ...(opaque.length > 0
        ? [notTold(opaque.map(({ statement, opaque: reason }) => `${shorten(statement.text)}: ${reason}`))]
        : []),
      ...(commits > 1 ? [severalTransactions(commits)] : []),
    ],
  };
}

/** Begin, commit, and what is about the table of alembic's own. */
function isOfAlembic({ kind, node }: Statement, versionTable: string): boolean {
  if (kind === 'TransactionStmt') return true;
  const own = parseTableName(versionTable).name;
  if (kind === 'DropStmt') return JSON.stringify(node.objects).includes(`"sval":${JSON.stringify(own)}`);
  const [first] = relationsIn({ [kind]: node });
  return first?.name === own;
}

function notShown(direction: string, why: string): Finding {
  return {
    check: 'sql-is-shown',
    title: `alembic cannot say beforehand which SQL the ${direction} runs`,
    status: 'warning',
    count: 1,
    samples: why === '' ? [] : [why],
    advice: 'Write the revision so that `alembic --sql` works (no reading of results); else look at it by yourself.',
  };
}

function notTold(samples: readonly string[]): Finding {
  return {
    check: 'effect-known',
    title: 'It cannot be told what some statements do',
    status: 'warning',
    count: samples.length,
    samples: samples.slice(0, 5),
    advice: 'Look at the revisions by yourself before you vote.',
  };
}

function severalTransactions(count: number): Finding {
  return {
    check: 'one-transaction',
    title: `alembic commits ${count} times on the way`,
    status: 'warning',
    count,
    samples: [],
    advice: 'When it fails in between, what was committed stays; a retry goes on from there.',
  };
}
