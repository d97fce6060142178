import { measureRun } from '../../blocks/measure.ts';
import { sayHeadline, statusWords } from '../../blocks/say.ts';
import type { Reply } from '../../commands/command.ts';
import type { ChecklistView } from '../checklists/checklist-view.ts';
import type { Window } from '../maintenance/window.ts';
import type { Action, Plan } from '../plans/plan.ts';
import type { Advice } from '../runs/advice.ts';
import type { BackupView, EnvironmentStatus, Preview } from '../runs/door.ts';
import type { ConflictReport, Run } from '../runs/run.ts';
import type { RunStatus } from '../runs/run-status.ts';
import type { Runbook } from '../runs/runbook.ts';
import type { ScheduleView } from '../schedules/schedule-desk.ts';
import type { FailureCode, FailureReport } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';

/** What the process ends with. */
export const exits = { done: 0, failed: 1, wrongUse: 2, refused: 3, waiting: 4 } as const;
export type Exit = (typeof exits)[keyof typeof exits];

/** The one object that `--json` prints. Fields are added, never renamed or removed. */
export interface Result {
  readonly run: string | null;
  readonly status: RunStatus | null;
  readonly action: Action | null;
  readonly environment: string | null;
  readonly counts: Counts;
  /** Of the run's checks; of the plan, where it was refused for them. */
  readonly findings: readonly Finding[];
  /** What an undo kept, each with its reason; `counts.kept` counts all of them. */
  readonly conflicts: ConflictReport['conflicts'];
  readonly refusal: Pick<FailureReport, 'code' | 'message' | 'advice'> | null;
  readonly message: string;
  /** The backup set that the run made. */
  readonly backup: string | null;
  /** Why the run failed or never started. */
  readonly failure: FailureReport | null;
  readonly systems?: EnvironmentStatus['systems'];
  readonly holder?: EnvironmentStatus['holder'];
  readonly runs?: readonly Summary[];
  readonly backups?: readonly BackupView[];
  readonly environments?: readonly string[];
  /** Maintenance windows. */
  readonly windows?: readonly Window[];
  readonly schedules?: readonly ScheduleView[];
  /** What a migration would do, of `plan`. */
  readonly plan?: Plan;
  readonly checklist?: ChecklistView;
  /** What to type when the bot is dead. */
  readonly runbook?: Runbook;
  /** Of an approval that counts once its voter has followed the link. */
  readonly confirm?: { readonly link: string; readonly expiresAt: string };
  /** The ways back, of `rollback` without `way:`. */
  readonly advice?: Advice;
}

interface Counts {
  readonly adds: number;
  readonly changes: number;
  readonly destroys: number;
  /** Records written, or restored by an undo. */
  readonly done: number;
  readonly kept: number;
  readonly missing: number;
}

type Summary = Pick<Result, 'run' | 'status' | 'action' | 'environment'> & { readonly subject: string };

const noCounts: Counts = { adds: 0, changes: 0, destroys: 0, done: 0, kept: 0, missing: 0 };
const nothing: Result = {
  run: null,
  status: null,
  action: null,
  environment: null,
  counts: noCounts,
  findings: [],
  conflicts: [],
  refusal: null,
  message: '',
  backup: null,
  failure: null,
};

const wrongUses: readonly FailureCode[] = [
  'unknown-command',
  'unknown-environment',
  'unknown-migration',
  'unknown-run',
  'unknown-backup',
  'wrong-use',
];
const refusals: readonly FailureCode[] = [
  'not-allowed',
  'environment-busy',
  'stale',
  'expired',
  'plan-changed',
  'content-changed',
  'precondition-failed',
  'same-server',
  'conflict',
];

export function runResult(run: Run, conflicts: ConflictReport, now: Date): Result {
  const { done, kept, missing } = measureRun(run, now);
  return {
    ...nothing,
    run: run.id,
    status: run.status,
    action: run.plan.action,
    environment: run.environment,
    counts: { ...run.plan.totals, done, kept, missing },
    findings: run.findings,
    conflicts: conflicts.conflicts,
    message: `${sayHeadline(run)}: ${statusWords[run.status]}`,
    backup: run.backupId,
    failure: run.failure,
  };
}

/** For replies about no single run. */
export function replyResult(reply: Exclude<Reply, { run: Run }>): Result {
  switch (reply.kind) {
    case 'refused':
      return refusedResult(reply, reply.findings);
    case 'choose-environment': {
      const message = 'In which environment? Add env:<name>.';
      const advice = reply.environments.map(({ name }) => `env:${name}`).join(', ');
      const environments = reply.environments.map(({ name }) => name);
      return { ...nothing, refusal: { code: 'wrong-use', message, advice }, message, environments };
    }
    case 'preview':
      return previewResult(reply.preview);
    case 'advice': {
      const { advice } = reply;
      const { run, recommended } = advice;
      return { ...nothing, environment: run.environment, advice, message: recommended.reason };
    }
    case 'nothing-to-do':
      return { ...nothing, findings: reply.findings, message: `Nothing to do: ${reply.title}` };
    case 'help':
      return { ...nothing, message: reply.commands.map(({ usage }) => usage).join('\n') };
    case 'status': {
      const { environment, systems, holder, openRuns } = reply.status;
      const down = systems.filter(({ health }) => !health.up).map(({ name }) => name);
      const message = down.length === 0 ? 'all systems up' : `down: ${down.join(', ')}`;
      return { ...nothing, environment, systems, holder, runs: openRuns.map(summary), message };
    }
    case 'runs':
      return { ...nothing, runs: reply.runs.map(summary), message: `${reply.runs.length} runs` };
    case 'window': {
      const { environment, id, state } = reply.window;
      return { ...nothing, environment, windows: [reply.window], message: `${id} is ${state}` };
    }
    case 'windows':
      return { ...nothing, windows: reply.windows, message: `${reply.windows.length} windows` };
    case 'schedule':
      return { ...nothing, environment: reply.view.environment, schedules: [reply.view], message: reply.view.id };
    case 'schedules':
      return { ...nothing, schedules: reply.schedules, message: `${reply.schedules.length} schedules` };
    case 'runbook': {
      const { runbook } = reply;
      const message = `the runbook of ${runbook.runId}`;
      return { ...nothing, run: runbook.runId, environment: runbook.environment, runbook, message };
    }
    case 'on-call': {
      const { environment, duties, contacts } = reply.view;
      const people = duties?.now.map(({ person }) => person) ?? contacts.map(({ name }) => name);
      return { ...nothing, environment, message: `on call: ${people.join(', ') || 'nobody'}` };
    }
    case 'checklist': {
      const { view } = reply;
      const open = view.items.filter(({ state }) => state === 'open').length;
      const message = `${open} of ${view.items.length} items are open`;
      return { ...nothing, run: view.runId, environment: view.environment, checklist: view, message };
    }
    case 'backups': {
      const { environment, backups } = reply;
      return { ...nothing, environment, backups, message: `${backups.length} backup sets` };
    }
  }
}

function previewResult({ plan, refused }: Preview): Result {
  const { environment, findings, totals, title } = plan;
  const counts = { ...noCounts, ...totals };
  if (!refused) return { ...nothing, action: plan.action, environment, counts, findings, plan, message: title };
  const message = `${title} would be refused: the data is not as it must be.`;
  const refusal = {
    code: 'precondition-failed',
    message,
    advice: 'Mend what the findings name. Nothing was changed.',
  } as const;
  return { ...nothing, action: plan.action, environment, counts, findings, plan, refusal, message };
}

export function refusedResult(
  report: Pick<FailureReport, 'code' | 'message' | 'advice'>,
  findings: readonly Finding[] = [],
): Result {
  const { code, message, advice } = report;
  return { ...nothing, findings, refusal: { code, message, advice }, message };
}

export function brokenResult(id: string): Result {
  return { ...nothing, message: `Something in the bot itself went wrong: ${id}` };
}

export function exitOfCode(code: FailureCode): Exit {
  if (wrongUses.includes(code)) return exits.wrongUse;
  return refusals.includes(code) ? exits.refused : exits.failed;
}

/** How a run stands, as an exit status. */
export function exitOfRun(run: Run): Exit {
  switch (run.status) {
    case 'planned':
    case 'paused':
      return exits.waiting;
    case 'queued':
      return run.plan.window ? exits.waiting : exits.done;
    case 'running':
      return exits.done;
    case 'done':
      return run.findings.some((finding) => finding.status === 'failed') ? exits.failed : exits.done;
    case 'rejected':
    case 'expired':
    case 'voided':
      return exits.refused;
    case 'parked':
    case 'closed':
      return exits.failed;
  }
}

function summary(run: Run): Summary {
  const { action, subject } = run.plan;
  return { run: run.id, status: run.status, action, environment: run.environment, subject };
}
