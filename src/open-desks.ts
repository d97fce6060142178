import { readFile } from 'node:fs/promises';
import type { Desks } from '../commands/desks.ts';
import { type Checklists, openChecklists } from './checklists/open-checklists.ts';
import type { Config, RevealSecret } from './config/config.ts';
import { type Maintenance, openMaintenance } from './maintenance/open-maintenance.ts';
import type { WindowStore } from './maintenance/window.ts';
import type { Notices, ValidationReport } from './notices/notice.ts';
import { isWatched } from './oncall/bake.ts';
import { createOnCall, type OnCall } from './oncall/create-on-call.ts';
import { voteKey } from './oncall/follow-runs.ts';
import type { Environment } from './plans/environment.ts';
import { sayAsked } from './plans/plan.ts';
import { reportValidation } from './reports/report-validation.ts';
import { drawTrend } from './reports/trend-chart.ts';
import type { StepUp } from './runs/confirm-vote.ts';
import type { BackupView, Door } from './runs/door.ts';
import { createOutlooks } from './runs/outlook.ts';
import type { Run } from './runs/run.ts';
import type { RunRecords } from './runs/run-records.ts';
import { isOver, runStatuses } from './runs/run-status.ts';
import { type BotPlace, createRunbooks } from './runs/runbook.ts';
import { applyConfigured } from './schedules/configured.ts';
import { fireSchedules } from './schedules/fire-schedules.ts';
import { reasonOf, reportedActions, type Schedule } from './schedules/schedule.ts';
import { createScheduleDesk, type ScheduleDesk } from './schedules/schedule-desk.ts';
import type { Clock } from './shared/clock.ts';
import { Failure } from './shared/failure.ts';
import type { Logger } from './shared/logger.ts';
import type { Secret } from './shared/secret.ts';
import { createBakeStore } from './storage/bake-store.ts';
import { createChecklistStore } from './storage/checklist-store.ts';
import type { Database } from './storage/database.ts';
import { createPageStore } from './storage/page-store.ts';
import { createReportStore } from './storage/report-store.ts';
import type { RunQueueClient } from './storage/run-queue-client.ts';
import { createScheduleStore } from './storage/schedule-store.ts';
import { createFollowVotes, type FollowVotes } from './votes/follow-votes.ts';

interface Deps {
  readonly queue: RunQueueClient;
  readonly listBackups: (environment: string) => Promise<readonly BackupView[]>;
  readonly config: Config;
  readonly reveal: RevealSecret;
  readonly database: Database;
  readonly records: RunRecords;
  readonly environments: ReadonlyMap<string, Environment>;
  readonly notices: Notices;
  readonly windows: WindowStore;
  readonly submit: Door['submit'];
  /** Null = no approval has to be confirmed. */
  readonly stepUp: StepUp | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What stands beside the door, put together: what commands ask, and what the bot does for it by itself. */
export interface OpenDesks {
  readonly desks: Desks;
  /** Opened by each migration. */
  readonly checklists: Checklists;
  readonly maintenance: Maintenance;
  readonly schedules: Schedules;
  /** Who is called, and the watch after runs. */
  readonly onCall: OnCall;
  /** Receipts of votes, reminders of those that are wanted. */
  readonly votes: FollowVotes;
}

export async function openDesks(deps: Deps): Promise<OpenDesks> {
  const { config, database } = deps;
  const ca = config.oncall.pagerduty?.ca;
  const onCall = createOnCall({
    ...deps,
    settings: config.oncall,
    ca: ca === undefined ? null : await readAuthority(ca),
    store: createPageStore(database),
    looks: createBakeStore(database),
  });
  const checklists = openRunChecklists(deps);
  const maintenance = openWindows(deps, onCall);
  const schedules = openSchedules(deps, onCall);
  return {
    checklists,
    desks: {
      checklists: checklists.desk,
      maintenance: maintenance.desk,
      oncall: onCall.desk,
      schedules: schedules.desk,
      outlooks: createOutlooks({
        stepUp: deps.stepUp,
        watchMinutes: (run) => (isWatched(run) ? config.oncall.bake.minutes : 0),
      }),
      runbooks: createRunbooks({
        environments: deps.environments,
        bot: botPlace(deps.reveal(config.bot.database)),
        links: new Map(Object.entries(config.runbooks)),
      }),
    },
    schedules,
    maintenance,
    onCall,
    votes: openVotes(deps, onCall),
  };
}

/** Where the bot's own database is; nothing of its password leaves here. */
function botPlace(address: Secret): BotPlace | null {
  const url = URL.parse(address.reveal());
  if (url === null || url.hostname === '') return null;
  const [user, database] = [url.username, url.pathname.slice(1)].map(decodeURIComponent);
  if (!user || !database) return null;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || 5432, user, database };
}

function openVotes(deps: Deps, { pages }: OnCall): OpenDesks['votes'] {
  return createFollowVotes({
    ...deps,
    environmentOf: (name) => deps.environments.get(name) ?? null,
    escalate: (run, digest) =>
      pages.raise(`vote-waiting:${run.id}:${digest}`, voteKey(run.id), {
        reason: 'vote-waiting',
        environment: run.environment,
        severity: 'warning',
        summary: `${run.environment}: ${sayAsked(run.plan)} waits for a vote, and most of its time is over.`,
        advice: `In Slack: /tas approve ${run.id} shows it to an approver, or /tas reject ${run.id} reason:"…".`,
        runId: run.id,
      }),
  });
}

async function readAuthority(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Failure({
      code: 'invalid-config',
      message: `oncall.pagerduty.ca names ${path}, which cannot be read.`,
      advice: 'Correct it and start again.',
      cause,
    });
  });
}

/** What is asked for at set times. */
interface Schedules {
  readonly desk: ScheduleDesk;
  /** Makes them what the configuration says: at the start. */
  applyConfigured(): Promise<void>;
  /** Asks for what is due, and reports what has ended. */
  tick(): Promise<void>;
}

function openSchedules(deps: Deps, { pages }: OnCall): Schedules {
  const { database, environments, notices, clock, logger } = deps;
  const store = createScheduleStore(database);
  const reports = createReportStore(database);
  const byEnvironment = new Map(Object.entries(deps.config.schedules).map(([name, { at }]) => [name, at]));
  const channelOf = (name: string): string | null => environments.get(name)?.channel ?? null;
  const missed = (schedule: Schedule, why: string, at: Date): Promise<void> =>
    pages.raise(`schedule:${schedule.id}:${at.toISOString()}`, `schedule:${schedule.id}`, {
      reason: schedule.action === 'drill' ? 'backup-unproven' : 'backup-missed',
      environment: schedule.environment,
      severity: 'error',
      ...sayMissed(schedule, why),
      runId: null,
    });
  return {
    applyConfigured: () => applyConfigured(store, byEnvironment, [...environments.keys()], clock),
    desk: createScheduleDesk({ store, notices, environments: [...environments.values()], clock }),
    tick: () =>
      fireSchedules({
        store,
        door: { submit: deps.submit, run: (runId) => deps.records.find(runId) },
        asked: (schedule, since) => askedSince(deps.records, schedule, since),
        notices,
        channelOf,
        missed: (schedule, why) => missed(schedule, why, clock.now()),
        async report(schedule, run) {
          const channel = channelOf(schedule.environment);
          if (schedule.action === 'backup' || schedule.action === 'drill') {
            const why = whyInVain(run);
            if (why === null) return pages.resolve(`schedule:${schedule.id}`);
            return missed(schedule, why, clock.now());
          }
          if (channel === null || run.status !== 'done' || !reportedActions.includes(schedule.action)) return;
          const drawing = (history: readonly ValidationReport[]) => drawTrend(history, logger);
          const subject = { id: schedule.id, quiet: schedule.quiet, channel };
          await reportValidation({ store: reports, notices, drawTrend: drawing }, subject, run);
        },
        clock,
      }),
  };
}

/** Why a run that ended was none; null = it did what it was for. */
function whyInVain(run: Run): string | null {
  if (run.status !== 'done') return `Its run ${run.id} is ${run.status}.`;
  const failed = run.findings.filter(({ status }) => status === 'failed');
  return failed.length === 0 ? null : `Its run ${run.id} found what is wrong: ${failed.length}.`;
}

function sayMissed({ id, action, environment }: Schedule, why: string): { summary: string; advice: string } {
  if (action === 'drill') {
    return {
      summary: `The newest backup of ${environment} is not proven: the drill ${id} failed.`,
      advice: `${why} In Slack: /tas backup env:${environment} makes a new one; /tas backup prove env:${environment} tries it.`,
    };
  }
  return {
    summary: `The scheduled backup ${id} of ${environment} was not made.`,
    advice: `${why} In Slack: /tas backup env:${environment} makes one now.`,
  };
}

async function askedSince(records: RunRecords, { id, environment }: Schedule, since: Date): Promise<Run | null> {
  const runs = await records.list({ environment, limit: 20 });
  const own = runs.filter(({ reason, requestedAt }) => reason === reasonOf(id) && Date.parse(requestedAt) >= +since);
  return own[0] ?? null;
}

function openWindows(deps: Deps, { pages }: OnCall): Maintenance {
  return openMaintenance({
    ...deps,
    configured: deps.config.maintenance,
    store: deps.windows,
    door: { submit: deps.submit },
    callLate: (window, runId) =>
      pages.raise(`window:${window.id}`, `window:${window.id}`, {
        reason: 'window-late',
        environment: window.environment,
        severity: 'error',
        summary: `The maintenance window ${window.id} of ${window.environment} is over and its work is not.`,
        advice: `In Slack: /tas status env:${window.environment} shows where things are${runId === null ? '' : `; /tas rollback ${runId} shows the ways back`}.`,
        runId,
      }),
    settle: (window) => pages.resolve(`window:${window.id}`),
  });
}

const openStatuses = runStatuses.filter((status) => !isOver(status));

function openRunChecklists({ config, database, queue, records, listBackups, notices, clock }: Deps): Checklists {
  return openChecklists({
    records: createChecklistStore({ database, queue, clock }),
    findRun: (runId) => records.find(runId),
    listBackups,
    notices,
    clock,
    packs: config.bot.packs,
    environments: config.environments,
    openRuns: (environment) =>
      records.list({ ...(environment === null ? {} : { environment }), statuses: openStatuses, limit: 20 }),
  });
}
