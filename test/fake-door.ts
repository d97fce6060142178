import type { Advice } from '../src/runs/advice.ts';
import type {
  BackupView,
  ControlRequest,
  Door,
  EnvironmentStatus,
  MigrationView,
  Person,
  Preview,
  Refusal,
  RunRequest,
  Submission,
  VoteOutcome,
  VoteRequest,
} from '../src/runs/door.ts';
import type { ConflictReport, Run, RunEvent, RunEventType } from '../src/runs/run.ts';
import { isOver, mayMove, type RunStatus } from '../src/runs/run-status.ts';
import { sampleAdvice } from './sample-advice.ts';
import { samplePlan, sampleRun } from './sample-run.ts';

export const alice: Person = { id: 'UALICE', name: 'alice', roles: ['operator'] };
export const bob: Person = { id: 'UBOB', name: 'bob', roles: ['approver'], approverSince: null };
export const carol: Person = { id: 'UCAROL', name: 'carol', roles: ['viewer'] };
export const mallory: Person = { id: 'UMALLORY', name: 'mallory', roles: [] };

/** A door that keeps its runs in memory and does what it is asked at once, for tests of what is in front of it. */
export class FakeDoor implements Door {
  environments = [
    { name: 'sandbox', production: false, channel: 'tas-platform' },
    { name: 'production', production: true, channel: 'tas-platform' },
  ];
  migrationList: MigrationView[] = [
    { id: 'space-isolation', title: 'A tenant and a space for each user', description: 'Fills what is missing.' },
  ];
  backupList: BackupView[] = [];
  conflictReport: ConflictReport = { total: 0, conflicts: [] };
  /** What the next request is answered with, instead of being accepted. */
  nextSubmission: Submission | null = null;
  /** Held back until it resolves, so that a test can make the door slow. */
  slow: Promise<void> = Promise.resolve();
  nextPreview: Preview | Refusal | null = null;
  nextAdvice: Advice | Refusal | null = null;
  /** What the next vote is answered with, instead of being counted. */
  nextVote: VoteOutcome | null = null;
  readonly plansAsked: Parameters<Door['plan']>[0][] = [];
  readonly runMap = new Map<string, Run>();
  readonly eventList: RunEvent[] = [];
  readonly asked: RunRequest[] = [];
  readonly votesAsked: VoteRequest[] = [];
  readonly controlsAsked: ControlRequest[] = [];
  readonly #wakes = new Set<() => void>();

  async migrations(): Promise<readonly MigrationView[]> {
    return this.migrationList;
  }

  async submit(request: RunRequest): Promise<Submission> {
    this.asked.push(request);
    await this.slow;
    if (this.nextSubmission !== null) return this.nextSubmission;
    const reads = request.action === 'backup' || request.action === 'validate';
    const run = sampleRun({
      id: `run-${String(this.runMap.size + 1).padStart(10, '0')}`,
      status: reads ? 'queued' : 'planned',
      requester: { id: request.person.id, name: request.person.name },
      reason: request.reason,
      plan: samplePlan({ action: request.action, environment: request.environment, subject: request.subject }),
    });
    this.add(run);
    return { kind: 'accepted', run, votesNeeded: reads ? 0 : 1 };
  }

  async plan(request: Parameters<Door['plan']>[0]): Promise<Preview | Refusal> {
    this.plansAsked.push(request);
    await this.slow;
    const { environment, subject, canary = null } = request;
    return (
      this.nextPreview ?? {
        plan: samplePlan({ environment, subject, canary }),
        votesNeeded: 1,
        refused: false,
      }
    );
  }

  async advise(runId: string): Promise<Advice | Refusal> {
    await this.slow;
    const run = this.runMap.get(runId);
    if (run === undefined) return refuse('unknown-run', 'There is no such run.');
    return this.nextAdvice ?? sampleAdvice({ run });
  }

  async vote(request: VoteRequest): Promise<VoteOutcome> {
    this.votesAsked.push(request);
    await this.slow;
    if (this.nextVote !== null) return this.nextVote;
    const run = this.runMap.get(request.runId);
    if (run === undefined) return refuse('unknown-run', 'There is no such run.');
    if (run.status !== 'planned') return refuse('stale', `Run ${run.id} is ${run.status}: votes are closed.`);
    if (run.requester.id === request.person.id) return refuse('not-allowed', 'Nobody approves their own request.');
    if (request.digest !== null && request.digest !== run.digest)
      return refuse('stale', 'The plan is another one now.');
    const vote = {
      voter: { id: request.person.id, name: request.person.name },
      choice: request.choice,
      digest: run.digest,
      reason: request.reason,
      at: '2026-11-20T09:58:00.000Z',
    };
    const status = request.choice === 'approve' ? 'queued' : 'rejected';
    const voted = this.change(run.id, { votes: [...run.votes, vote], status }, 'voted', request.person.name);
    this.event(run.id, request.choice === 'approve' ? 'approved' : 'rejected', request.reason);
    return { kind: 'counted', run: voted, decision: request.choice === 'approve' ? 'approved' : 'rejected' };
  }

  async control(request: ControlRequest): Promise<Run | Refusal> {
    this.controlsAsked.push(request);
    const run = this.runMap.get(request.runId);
    const moves = { pause: 'paused', resume: 'running', stop: 'parked', cancel: 'closed' } as const;
    const to = (moves as Readonly<Record<string, RunStatus>>)[request.what] ?? null;
    if (run === undefined || (to !== null && !mayMove(run.status, to))) {
      return refuse('stale', `Run ${request.runId} is ${run?.status}: that does not fit.`);
    }
    const pace = run.control.pace * ({ slower: 0.5, faster: 2 }[request.what as string] ?? 1);
    const control = { ...run.control, pace, pause: to === 'paused' ? `${request.person.name} asked for it` : null };
    const type = { paused: 'paused', running: 'resumed', parked: 'failed', closed: 'closed' }[to as string] ?? 'asked';
    return this.change(run.id, { control, status: to ?? run.status }, type as RunEventType, request.what);
  }

  async retry(runId: string): Promise<Run | Refusal> {
    const run = this.runMap.get(runId);
    if (run?.status !== 'parked') return refuse('stale', `Run ${runId} is not parked.`);
    return this.change(runId, { status: 'running', failure: null }, 'resumed', null);
  }

  async keep(runId: string): Promise<Run | Refusal> {
    const run = this.runMap.get(runId);
    if (run?.status !== 'parked') return refuse('stale', `Run ${runId} is not parked.`);
    return this.change(runId, { status: 'closed' }, 'closed', null);
  }

  async status(environment: string): Promise<EnvironmentStatus | Refusal> {
    return {
      environment,
      production: environment === 'production',
      systems: [
        {
          name: 'graph',
          type: 'neo4j',
          health: { up: true, version: '5.26.19', latencyMs: 4 },
          lastUpAt: null,
          dataModel: null,
        },
        {
          name: 'records',
          type: 'postgres',
          health: { up: false, version: null, latencyMs: 0, note: 'nobody listens at 127.0.0.1:5432' },
          lastUpAt: '2026-11-20T09:30:00.000Z',
          dataModel: null,
        },
      ],
      holder: null,
      lastBackup: this.backupList[0] ?? null,
      openRuns: [...this.runMap.values()].filter((run) => !isOver(run.status)),
    };
  }

  async backups(): Promise<readonly BackupView[] | Refusal> {
    return this.backupList;
  }

  async runs(filter: { environment?: string; limit: number }): Promise<readonly Run[] | Refusal> {
    const all = [...this.runMap.values()].filter((run) => (filter.environment ?? run.environment) === run.environment);
    return all.reverse().slice(0, filter.limit);
  }

  async run(runId: string): Promise<Run | null> {
    return this.runMap.get(runId) ?? null;
  }

  async conflicts(): Promise<ConflictReport> {
    return this.conflictReport;
  }

  async events(afterId: number, limit: number): Promise<readonly RunEvent[]> {
    return this.eventList.filter((event) => event.id > afterId).slice(0, limit);
  }

  async listen(wake: () => void): Promise<() => Promise<void>> {
    this.#wakes.add(wake);
    return async () => void this.#wakes.delete(wake);
  }

  /** Puts a run there as if it had been asked for. */
  add(run: Run): Run {
    this.runMap.set(run.id, run);
    this.event(run.id, 'requested', null);
    return run;
  }

  change(runId: string, over: Partial<Run>, type: RunEventType, text: string | null): Run {
    const run = this.runMap.get(runId);
    if (run === undefined) throw new Error(`no run ${runId}`);
    const changed = { ...run, ...over };
    this.runMap.set(runId, changed);
    this.event(runId, type, text);
    return changed;
  }

  event(runId: string, type: RunEventType, text: string | null): void {
    this.eventList.push({ id: this.eventList.length + 1, runId, at: '2026-11-20T09:55:00.000Z', type, text });
    for (const wake of this.#wakes) wake();
  }
}

function refuse(code: Refusal['code'], message: string): Refusal {
  return { kind: 'refused', code, message, advice: 'Nothing was changed.', findings: [] };
}
