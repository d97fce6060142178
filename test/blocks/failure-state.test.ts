import { failureCard } from '../../blocks/failure-card.ts';
import { size } from '../../blocks/fit.ts';
import type { FailureFacts } from '../../commands/failure-facts.ts';
import { blockErrors } from '../../sandbox/slack/limits/blocks.ts';
import type { Run, StepProgress } from '../../src/runs/run.ts';
import { sampleNow, samplePlan, sampleRun, sampleStep } from '../sample-run.ts';
import { hostile, hostileRun } from './hostile-run.ts';
import { mrkdwnTexts } from './mrkdwn-texts.ts';

const tokens = { retry: 'd', undo: 'e', keep: 'f', details: 'c' };
const cluster = { system: 'cluster', count: 1, exact: true };
const turnOn = sampleStep({ ...cluster, id: 'before.on', use: 'kubernetes.set-maintenance', input: { on: true } });
const plan = samplePlan({
  stages: [
    { id: 'before', title: 'Stand still', always: false, steps: [turnOn] },
    {
      id: 'data',
      title: 'Graph',
      always: false,
      steps: [
        sampleStep({ id: 'data.fill' }),
        sampleStep({ id: 'data.drop', title: 'Drop the copies', undoClass: 'one-way', count: 10 }),
      ],
    },
    { id: 'copies', title: 'Copies', always: false, steps: [sampleStep({ id: 'copies.fill' })] },
    { id: 'look', title: 'Look', always: false, steps: [sampleStep({ id: 'look.check', effect: 'reads' })] },
  ],
});

function progress(stepId: string, state: StepProgress['state'], done = 0): StepProgress {
  const endedAt = state === 'done' ? '2026-11-20T09:40:00.000Z' : null;
  return { stepId, state, done, kept: 0, missing: 0, batches: 1, startedAt: '2026-11-20T09:39:00.000Z', endedAt };
}

const steps = [
  progress('before.on', 'done', 1),
  progress('data.fill', 'failed', 1_200),
  progress('data.drop', 'waiting'),
  progress('copies.fill', 'waiting'),
  progress('look.check', 'waiting'),
];
const failure = { code: 'unreachable', message: 'graph does not answer.', advice: 'Retry.', retryable: true } as const;
const parked = (over: Partial<Run> = {}): Run => sampleRun({ plan, steps, status: 'parked', failure, ...over });
const facts: FailureFacts = {
  standing: [
    'aether-be/aether-backend is stopped (2 replicas are remembered)',
    'maintenance mode is on (ConfigMap aether/maintenance)',
  ],
  called: {
    environment: 'sandbox',
    duties: {
      now: [{ person: 'Dana', level: 1, policy: 'Platform', schedule: null, from: null, until: null }],
      next: [],
    },
    note: null,
    contacts: [{ name: 'Dora', role: 'database admin', user: 'UDORA' }],
    pages: [
      {
        severity: 'critical',
        summary: 'x',
        raisedAt: '2026-11-20T09:59:00.000Z',
        runId: 'run-01jd0a4ycz',
        state: 'triggered',
      },
    ],
  },
  link: 'https://wiki.example.com/dba',
};
const textOf = (run: Run, known: FailureFacts | null): string =>
  mrkdwnTexts(failureCard(run, tokens, sampleNow, known).blocks).join('\n');

describe('the card of a run that stopped', () => {
  it('says what is complete, half done and not begun, and what of it can be undone', () => {
    const text = textOf(parked(), null);
    expect(text).toContain(
      'complete: Stand still · half done: Graph (Give users without a tenant one of their own: 1,200 of 40,000, journaled, so undoable) · not begun: Copies',
    );
    const oneWay = steps.map((step) => (step.stepId === 'data.drop' ? progress('data.drop', 'failed', 3) : step));
    expect(textOf(parked({ steps: oneWay }), null)).toContain('Drop the copies: 3 of 10, *cannot be undone*');
  });

  it('says which services are stopped, since when maintenance mode is on, who is called, and where the runbooks are', () => {
    const text = textOf(parked(), facts);
    expect(text).toContain('*Services:* aether-be/aether-backend is stopped (2 replicas are remembered)');
    expect(text).toMatch(/\*Maintenance mode:\* on since <!date\^/);
    expect(text).toMatch(
      /\*Who is called:\* paged <!date.*nobody has taken it up yet.*on call: Dana · <@UDORA> \(database admin\)/,
    );
    expect(text).toContain('<https://wiki.example.com/dba|The database admin’s runbook>');
    expect(text).toContain('`/tas runbook run-01jd0a4ycz`');
  });

  it('leaves out what could not be read, and claims nothing of it', () => {
    const text = textOf(parked(), { standing: null, called: null, link: null });
    expect(text).not.toMatch(/\*Services:|\*Who is called:|https:/);
    expect(text).toMatch(/\*Maintenance mode:\* on since/);
    expect(text).toContain('/tas runbook');
  });

  it('does not say that maintenance mode is on where nobody sees it on', () => {
    expect(textOf(parked(), { ...facts, standing: [] })).toContain('by now it is not seen on');
    expect(textOf(parked(), { ...facts, standing: [] })).toContain('nothing is stopped by this run');
  });

  it('names no page of another run, and nothing of the state once the run has moved on', () => {
    expect(textOf(parked({ id: 'run-01jd0a4yd0' }), facts)).not.toContain('paged');
    expect(textOf(parked({ status: 'running' }), facts)).not.toMatch(/\*Data:|\*Services:|\*Who is called:/);
  });

  it('keeps within Slack’s limits and keeps its buttons, whatever the facts say', () => {
    const many = <T>(item: T): T[] => Array.from({ length: 60 }, () => item);
    const card = failureCard(hostileRun({ status: 'parked' }), tokens, sampleNow, {
      standing: many(hostile),
      called: {
        environment: hostile,
        duties: {
          now: many({ person: hostile, level: 1, policy: hostile, schedule: null, from: null, until: null }),
          next: [],
        },
        note: hostile,
        contacts: many({ name: hostile, role: hostile, user: hostile }),
        pages: [],
      },
      link: hostile,
    });
    expect(blockErrors(card.blocks, 50)).toEqual([]);
    expect(size(card.blocks)).toBeLessThan(12_000);
    expect(card.blocks.filter(({ type }) => type === 'actions')).toHaveLength(1);
    for (const text of mrkdwnTexts(card.blocks).map((each) => each.replace(/`[^`]*`/g, ''))) {
      expect(text).not.toMatch(/<!channel|<@UADMIN|<https:\/\/evil|@here/);
    }
  });
});
