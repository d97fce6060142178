import type { Plan, PlanStep } from '../src/plans/plan.ts';
import type { Run } from '../src/runs/run.ts';
import { digestOf, type Json } from '../src/shared/json.ts';
import type { Finding } from '../src/systems/finding.ts';

/** Runs as the door gives them, for tests of what people see. */
export const sampleNow = new Date('2026-11-20T10:00:00.000Z');

export function sampleStep(over: Partial<PlanStep> & { id: string }): PlanStep {
  return {
    title: 'Give users without a tenant one of their own',
    system: 'graph',
    use: 'neo4j.set-properties',
    mode: 'perform',
    input: {},
    effect: 'changes',
    undoClass: 'reversible',
    count: 40_000,
    exact: true,
    keysHash: 'a'.repeat(64),
    schemaHash: 'b'.repeat(64),
    samples: [
      {
        collection: 'User',
        key: 'u-1',
        before: { personal_tenant_id: null, email: '•••' },
        after: { personal_tenant_id: 'tenant_1700000000000001', email: '•••' },
      },
    ],
    locks: [],
    bytes: 4_000_000,
    ownApproval: false,
    estimate: null,
    undoes: null,
    ...over,
  };
}

export function samplePlan(over: Partial<Plan> = {}): Plan {
  return {
    version: 1,
    engine: '1',
    environment: 'sandbox',
    action: 'migrate',
    subject: 'space-isolation',
    title: 'A tenant and a space for each user',
    contentHash: 'c'.repeat(64),
    identities: { graph: 'store-1', records: '7300000000000000001' },
    configHash: 'd'.repeat(64),
    canary: null,
    stages: [
      {
        id: 'data',
        title: 'Data',
        always: false,
        steps: [
          sampleStep({ id: 'data.fill-users' }),
          sampleStep({ id: 'data.make-spaces', title: 'Make the spaces', effect: 'adds', count: 500, samples: [] }),
        ],
      },
      {
        id: 'records',
        title: 'Relational copies',
        always: false,
        steps: [
          sampleStep({
            id: 'records.add-space-id',
            title: 'Fill space_id on the files',
            system: 'records',
            use: 'postgres.fill-column',
            count: 1_203,
            locks: ['audimodal_files: ACCESS EXCLUSIVE for less than 1 s'],
            samples: [],
          }),
        ],
      },
    ],
    references: [],
    coupled: [],
    findings: [],
    totals: { adds: 500, changes: 41_203, destroys: 0 },
    undoClass: 'reversible',
    ...over,
  };
}

export function sampleRun(over: Partial<Run> = {}): Run {
  const plan = over.plan ?? samplePlan();
  return {
    id: 'run-01jd0a4ycz',
    environment: plan.environment,
    status: 'planned',
    plan,
    digest: over.digest ?? digestOf(plan as unknown as Json),
    requester: { id: 'UALICE', name: 'alice' },
    reason: null,
    requestedAt: '2026-11-20T09:55:00.000Z',
    expiresAt: '2026-11-20T10:55:00.000Z',
    votesNeeded: 1,
    startedAt: null,
    endedAt: null,
    votes: [],
    steps: plan.stages.flatMap((stage) =>
      stage.steps.map((step) => ({
        stepId: step.id,
        state: 'waiting' as const,
        done: 0,
        kept: 0,
        missing: 0,
        batches: 0,
        startedAt: null,
        endedAt: null,
      })),
    ),
    findings: [],
    failure: null,
    backupId: null,
    undoneBy: null,
    undoDue: null,
    control: { pace: 1, asked: null, pause: null, waits: null, gates: [], ballot: null },
    ...over,
  };
}

/** The five checks of a validation, one of each status and one more. */
export const sampleFindings: readonly Finding[] = [
  { check: 'users-have-tenant', title: 'Every user has a tenant', status: 'passed', count: 0, samples: [] },
  {
    check: 'unique-tenants',
    title: 'No two users share a tenant',
    status: 'failed',
    count: 1_204,
    samples: ['User u-1: tenant_17', 'User u-2: tenant_17'],
    advice: 'Give each user a tenant of their own first.',
  },
  { check: 'spaces-exist', title: 'Every space exists', status: 'warning', count: 3, samples: ['space_9'] },
  {
    check: 'vectors-match',
    title: 'Vectors carry the same tenant',
    status: 'skipped',
    count: null,
    samples: [],
    advice: 'no vector store is configured',
  },
  { check: 'files-match', title: 'Files carry their space', status: 'passed', count: 0, samples: [] },
];
