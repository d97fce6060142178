import type { ConflictReport, Run } from '../../src/runs/run.ts';
import type { Finding } from '../../src/systems/finding.ts';
import { samplePlan, sampleRun, sampleStep } from '../sample-run.ts';

/** Data as an enemy would choose it: it mentions, links, formats, breaks lines, hides, and is far too long. */
export const hostile = `<!channel> <@UADMIN> *_~\`\u202E\u0000\n&amp;<https://evil|Approve> :white_check_mark: @here ${'x😀'.repeat(1000)}`;

const finding: Finding = {
  check: hostile,
  title: hostile,
  status: 'failed',
  count: 1_000_000_000,
  samples: Array.from({ length: 5 }, () => hostile),
  advice: hostile,
};

const step = (index: number) =>
  sampleStep({
    id: `data.step-${index}`,
    title: hostile,
    system: index % 3 === 0 ? null : `${hostile}${index % 7}`,
    count: 9_999_999_999,
    exact: index % 2 === 0,
    undoClass: 'one-way',
    effect: 'destroys',
    locks: [hostile, hostile],
    samples: Array.from({ length: 5 }, () => ({
      collection: hostile,
      key: hostile,
      before: { [hostile]: hostile, other: null },
      after: { [hostile]: 1, other: hostile },
    })),
  });

const stages = Array.from({ length: 20 }, (_, stage) => ({
  id: `s${stage}`,
  title: hostile,
  always: false,
  steps: Array.from({ length: 10 }, (_each, index) => step(stage * 10 + index)),
}));

export const hostileConflicts: ConflictReport = {
  total: 5_000,
  conflicts: Array.from({ length: 300 }, () => ({
    system: hostile,
    stepId: hostile,
    collection: hostile,
    key: hostile,
    field: hostile,
    reason: 'changed-since' as const,
    base: hostile,
    ours: [hostile],
    theirs: null,
  })),
};

const gate = {
  id: 7,
  step: step(3),
  digest: 'e'.repeat(64),
  votesNeeded: 3,
  state: 'open' as const,
  askedAt: hostile,
  expiresAt: hostile,
  votes: Array.from({ length: 60 }, (_, index) => ({
    voter: { id: `U${index}`, name: hostile },
    choice: 'approve' as const,
    digest: '',
    reason: hostile,
    at: hostile,
  })),
};

/** A run that stands still before a step with a vote of its own. */
export function hostileBallot(): Run {
  const run = hostileRun({ status: 'paused' });
  return { ...run, control: { ...run.control, ballot: gate } };
}

export function hostileRun(over: Partial<Run> = {}): Run {
  const plan = samplePlan({
    stages,
    environment: 'sandbox',
    subject: hostile,
    title: hostile,
    undoClass: 'one-way',
    findings: Array.from({ length: 60 }, () => finding),
    totals: { adds: 9_999_999_999, changes: 9_999_999_999, destroys: 9_999_999_999 },
    ...over.plan,
  });
  return sampleRun({
    requester: { id: 'U1> <!channel', name: hostile },
    digest: 'f'.repeat(64),
    reason: hostile,
    findings: Array.from({ length: 60 }, () => finding),
    failure: { code: 'step-failed', message: hostile, advice: hostile, retryable: false },
    votes: Array.from({ length: 60 }, (_, index) => ({
      voter: { id: `U${index}`, name: hostile },
      choice: 'reject' as const,
      digest: '',
      reason: hostile,
      at: '2026-11-20T09:58:00.000Z',
    })),
    control: {
      pace: 0.125,
      asked: { what: 'stop', by: hostile },
      pause: hostile,
      waits: hostile,
      gates: [gate],
      ballot: null,
    },
    backupId: hostile,
    undoneBy: hostile,
    ...over,
    plan,
  });
}
