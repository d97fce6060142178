import { adviceMessage, waysOf } from '../../blocks/advice.ts';
import { ballotCard } from '../../blocks/ballot-card.ts';
import { confirmMessage } from '../../blocks/confirm-link.ts';
import { detailsWindow } from '../../blocks/details.ts';
import { doneCard } from '../../blocks/done-card.ts';
import { notStarted } from '../../blocks/ended-card.ts';
import { failureCard } from '../../blocks/failure-card.ts';
import { lostMessage, pausedMessage, staleMessage, submittedMessage, votedMessage } from '../../blocks/notices.ts';
import { pageMessage } from '../../blocks/oncall.ts';
import { planMessage } from '../../blocks/plan-view.ts';
import { refusedMessage } from '../../blocks/refused.ts';
import { rejectWindow } from '../../blocks/reject-window.ts';
import { runCard } from '../../blocks/run-card.ts';
import { runsMessage } from '../../blocks/runs.ts';
import type { Action } from '../../src/plans/plan.ts';
import type { Run } from '../../src/runs/run.ts';
import { runStatuses } from '../../src/runs/run-status.ts';
import { sampleAdvice } from '../sample-advice.ts';
import { sampleNow, samplePlan, sampleRun } from '../sample-run.ts';

const tokens = { approve: 'a', reject: 'b', details: 'c', retry: 'd', undo: 'e', keep: 'f', pause: 'g', stop: 'h' };
const called = { users: ['UBOB'], groups: ['SAPPROVE'] };
const none = { total: 0, conflicts: [] };
const started = '2026-11-20T09:58:00.000Z';

function runIn(status: Run['status'], over: Partial<Run> = {}): Run {
  const begun = status === 'planned' || status === 'rejected' || status === 'expired' ? null : started;
  return sampleRun({ status, startedAt: begun, reason: 'rollout', ...over });
}

const actions: readonly Action[] = ['backup', 'restore', 'migrate', 'validate', 'rollback', 'release'];
const failure = { code: 'unreachable', message: 'graph does not answer.', advice: 'Retry.', retryable: true } as const;
const advice = sampleAdvice();
const pageOf = (state: 'raised' | 'resolved') =>
  pageMessage({
    kind: 'page',
    state,
    environment: 'production',
    severity: 'critical',
    summary: 'production is not well',
    advice: '`/tas status env:production` shows where.',
    runId: 'run-01jd0a4ycz',
    users: ['UBOB'],
    note: null,
  });

/** Plain JSON, so that a change of what people see is seen in review. */
describe('what people see', () => {
  it.each(runStatuses)('of a run that is %s', (status) => {
    expect(runCard(runIn(status), tokens, called, sampleNow)).toMatchSnapshot();
  });

  it.each(actions)('at the end of a %s', (action) => {
    const run = runIn('done', { plan: samplePlan({ action }), endedAt: '2026-11-20T09:59:00.000Z' });
    expect(doneCard(run, tokens, none, sampleNow)).toMatchSnapshot();
  });

  it.each(
    Object.entries({
      failed: () => failureCard(runIn('parked', { failure }), tokens, sampleNow),
      'not started': () => notStarted(runIn('rejected')),
      paused: () => pausedMessage(runIn('paused')),
      'not heard of': () => lostMessage(runIn('running'), 'nobody is known to carry it out'),
      'a vote': () => ballotCard(runIn('planned'), tokens),
      'a receipt': () => votedMessage(runIn('planned'), 'approve', 'wait'),
      'to be confirmed': () =>
        confirmMessage(runIn('planned'), 'https://bot.example.com/step-up/token', '2026-11-20T10:05:00.000Z'),
      'asked for': () => submittedMessage(runIn('planned'), 1, 'tas-platform'),
      refused: () => refusedMessage(failure),
      'out of date': () => staleMessage('The run has ended.'),
      'ways back': () =>
        adviceMessage(
          advice,
          waysOf(advice).map((_, index) => `t${index}`),
        ),
      'a plan': () => planMessage({ plan: samplePlan(), votesNeeded: 1, refused: false }, 'pages'),
      runs: () => runsMessage([runIn('planned'), runIn('done')], false),
      details: () => detailsWindow(runIn('running'), none, sampleNow),
      'the reason of a no': () => rejectWindow(runIn('planned'), 't'),
      'a page': () => pageOf('raised'),
      'a page that is settled': () => pageOf('resolved'),
    }),
  )('%s', (_, make) => {
    expect(make()).toMatchSnapshot();
  });
});
