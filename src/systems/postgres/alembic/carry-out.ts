import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../shared/failure.ts';
import type { KindSetting } from '../batch.ts';
import type { Session } from '../database.ts';
import type { AlembicStep } from './alembic-step.ts';
import { offlineSql } from './offline.ts';
import { endSessions, hasSession, readRevision } from './revision.ts';
import { runAlembic } from './run-alembic.ts';

const SESSION_NAME = 'tas-bot alembic';
const TURN_MS = 500;
const TURNS = 20;
const LOCK_ATTEMPTS = 12;

/** A way between two revisions. */
export interface Way {
  readonly direction: 'upgrade' | 'downgrade';
  readonly start: string;
  readonly target: string;
}

export function wayOf(ran: 'forth' | 'back', { from, to }: AlembicStep): Way {
  return ran === 'forth'
    ? { direction: 'upgrade', start: from, target: to }
    : { direction: 'downgrade', start: to, target: from };
}

/**
 * Brings the database to the target, whatever an earlier call of the same has done of it: what stands there is read first
 * and last. Throws where it stands elsewhere than on the way.
 */
export async function carryOut(
  session: Session,
  setting: KindSetting,
  step: AlembicStep,
  way: Way,
  signal: AbortSignal,
): Promise<void> {
  await waitForEarlier(session, signal);
  const { direction, start, target } = way;
  for (let attempt = 1; ; attempt += 1) {
    const current = await readRevision(session, step.versionTable);
    if (current === target) return;
    if (current !== start) await needOnTheWay(setting, step, current, signal);
    const result = await runAlembic(setting, step, [direction, target], {
      signal,
      timeLimitMs: step.timeLimit * 1000,
      sessionName: SESSION_NAME,
    }).catch(async (error: unknown) => {
      await endSessions(session, SESSION_NAME);
      throw error;
    });
    if (result.ok) break;
    if (!result.lockTimeout || attempt >= (setting.lockAttempts ?? LOCK_ATTEMPTS)) {
      const now = await readRevision(session, step.versionTable);
      throw new Failure({
        code: result.lockTimeout ? 'timed-out' : 'step-failed',
        message: `alembic ${direction} ${target} failed: ${result.error}`,
        advice: `The database stands at ${now}; what alembic had not committed was taken back. Correct the cause, then retry: it goes on from there.`,
        retryable: result.lockTimeout,
      });
    }
    setting.logger.info({ attempt, direction }, 'alembic waited for a lock and is tried again');
    await sleep(TURN_MS, undefined, { signal });
  }
  const reached = await readRevision(session, step.versionTable);
  if (reached === target) return;
  throw new Failure({
    code: 'step-failed',
    message: `alembic ${direction} ended well, yet ${step.versionTable} says ${reached}, not ${target}.`,
    advice:
      'Does its env.py work on this database, and with this table of versions? Nothing else was changed by the bot.',
  });
}

/** Killed in between several transactions of its own, it stands between start and target: then it goes on. */
async function needOnTheWay(
  setting: KindSetting,
  step: AlembicStep,
  current: string,
  signal: AbortSignal,
): Promise<void> {
  const { from, to } = step;
  const behind = current === 'base' ? null : await offlineSql(setting, step, 'upgrade', [from, current], signal);
  const ahead = behind?.sql == null ? null : await offlineSql(setting, step, 'upgrade', [current, to], signal);
  if (ahead?.sql != null) return;
  throw standsElsewhere(step, current);
}

export function standsElsewhere({ from, to, versionTable }: AlembicStep, current: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${versionTable} says ${current}, and the step goes from ${from} to ${to}.`,
    advice: 'Somebody else migrated it. Correct the revisions in the migration; nothing was changed.',
  });
}

/** An alembic whose caller was killed works on: its transaction ends one way or the other. */
async function waitForEarlier(session: Session, signal: AbortSignal): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    if (!(await hasSession(session, SESSION_NAME))) return;
    await sleep(TURN_MS, undefined, { signal });
  }
  throw new Failure({
    code: 'timed-out',
    message: 'An alembic that an earlier try started is still at work.',
    advice: `Retry when it is done; or end its sessions, which are called “${SESSION_NAME}” in pg_stat_activity.`,
    retryable: true,
  });
}
