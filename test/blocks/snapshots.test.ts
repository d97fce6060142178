import { adviceMessage, waysOf } from '../../blocks/advice.ts';
import { askActions, askWindow } from '../../blocks/ask-window.ts';
import { backupList } from '../../blocks/backup-card.ts';
import { ballotCard } from '../../blocks/ballot-card.ts';
import { confirmMessage } from '../../blocks/confirm-link.ts';
import { detailsWindow } from '../../blocks/details.ts';
import { doneCard } from '../../blocks/done-card.ts';
import { notStarted } from '../../blocks/ended-card.ts';
import { failureCard } from '../../blocks/failure-card.ts';
import { glassBrokenMessage, glassCard } from '../../blocks/glass.ts';
import { homeView } from '../../blocks/home.ts';
import { brokenWindow, loadingWindow, refusedWindow } from '../../blocks/message-window.ts';
import {
  disputedMessage,
  lostMessage,
  pausedMessage,
  staleMessage,
  submittedMessage,
  votedMessage,
} from '../../blocks/notices.ts';
import { pageMessage } from '../../blocks/oncall.ts';
import { planMessage } from '../../blocks/plan-view.ts';
import { receiptMessage } from '../../blocks/receipt.ts';
import { refusedMessage } from '../../blocks/refused.ts';
import { rejectWindow } from '../../blocks/reject-window.ts';
import { runCard } from '../../blocks/run-card.ts';
import { runbookMessage, runbookNote } from '../../blocks/runbook.ts';
import { runsMessage } from '../../blocks/runs.ts';
import { samplesWindow } from '../../blocks/samples-window.ts';
import { scheduledReport } from '../../blocks/scheduled-report.ts';
import { schedulesMessage } from '../../blocks/schedules.ts';
import { statusWindow } from '../../blocks/status.ts';
import type { Action } from '../../src/plans/plan.ts';
import type { Run } from '../../src/runs/run.ts';
import { runStatuses } from '../../src/runs/run-status.ts';
import { createRunbooks } from '../../src/runs/runbook.ts';
import type { ScheduleView } from '../../src/schedules/schedule-desk.ts';
import { sampleAdvice } from '../sample-advice.ts';
import { sampleNow, samplePlan, sampleRun } from '../sample-run.ts';

const tokens = { approve: 'a', reject: 'b', details: 'c', retry: 'd', undo: 'e', keep: 'f', pause: 'g', stop: 'h' };
const called = { users: ['UBOB'], groups: ['SAPPROVE'] };
const runbooks = createRunbooks({
  environments: new Map(),
  bot: { host: 'bot-db', port: 5432, user: 'tas', database: 'tas_bot' },
  links: new Map([['sandbox', 'https://wiki.example.com/dba']]),
});
const none = { total: 0, conflicts: [] };
const asking = {
  actions: askActions,
  environments: [
    { name: 'sandbox', production: false, channel: 'tas-platform' },
    { name: 'production', production: true, channel: 'tas-platform' },
  ],
  environment: 'sandbox',
  windows: [],
} as const;
const conflict = {
  system: 'graph',
  stepId: 'undo.fill',
  collection: 'Notebook',
  key: 'nb-1',
  field: 'title',
  reason: 'changed-since',
  base: 'A',
  ours: 'B',
  theirs: 'C',
} as const;
const standing = {
  production: false,
  systems: [
    {
      name: 'graph',
      type: 'neo4j',
      health: { up: true, version: '5.26.19', latencyMs: 4 },
      lastUpAt: null,
      dataModel: null,
    },
  ],
  holder: null,
  lastBackup: null,
  openRuns: [],
} as const;
const started = '2026-11-20T09:58:00.000Z';

function runIn(status: Run['status'], over: Partial<Run> = {}): Run {
  const begun = status === 'planned' || status === 'rejected' || status === 'expired' ? null : started;
  return sampleRun({ status, startedAt: begun, reason: 'rollout', ...over });
}

/** Approved a moment ago by somebody who is no approver. */
function brokenGlass(): Run {
  const voter = { id: 'UERIN', name: 'erin' };
  const at = '2026-11-20T10:00:00.000Z';
  const reason = 'logins fail since the release';
  const run = runIn('planned');
  return {
    ...run,
    votes: [{ voter, choice: 'approve', digest: run.digest, reason, at, countsFrom: '2026-11-20T10:10:00.000Z' }],
  };
}

const set = {
  id: 'bak-20261120-100000-aaaa',
  environment: 'sandbox',
  createdAt: started,
  bytes: 5_000_000,
  systems: ['relational', 'graph'],
};
const schedule: ScheduleView = {
  id: 'sch-00000001',
  environment: 'sandbox',
  action: 'drill',
  cron: '0 3 * * *',
  zone: 'Europe/Berlin',
  quiet: false,
  paused: false,
  pausedBy: null,
  editor: { id: 'UALICE', name: 'alice' },
  editors: ['UALICE'],
  configured: null,
  nextAt: started,
  last: { dueAt: started, outcome: 'asked', runId: 'run-01jd0a4ycz' },
  next: ['21 Nov 03:00'],
};
const drilled = (status: 'passed' | 'failed'): Run =>
  runIn('done', {
    plan: samplePlan({ action: 'drill', subject: set.id }),
    endedAt: started,
    findings: [
      { check: 'drill-graph', title: 'graph: read back whole', status: 'passed', count: 12, samples: [] },
      { check: 'drill-relational', title: 'relational: restored', status, count: 3, samples: [], advice: 'Another.' },
    ],
  });
const actions: readonly Action[] = [
  'backup',
  'restore',
  'migrate',
  'validate',
  'rollback',
  'release',
  'drill',
  'retention',
];
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
      'the runbook': () => runbookMessage(runbooks.of(runIn('parked', { failure, backupId: 'backup-1' })), null),
      'if I die': () => runbookNote(runbooks.of(runIn('running'))),
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
      'break-glass': () =>
        glassCard(runIn('planned'), { glass: 'g' }, { reason: 'logins fail since the release', vetoMinutes: 10 }),
      'the glass is broken': () =>
        glassBrokenMessage(brokenGlass(), 'erin: logins fail since the release', {
          users: [],
          groups: ['S0APPROVE'],
        }),
      'a plan that waits, approved by break-glass': () => ballotCard(brokenGlass(), tokens),
      'a vote that is disputed': () => disputedMessage(runIn('closed'), 'bob says that the vote was not theirs'),
      'the receipt of a vote': () =>
        receiptMessage(
          {
            kind: 'vote-receipt',
            runId: 'run-01jd0a4ycz',
            choice: 'approve',
            environment: 'production',
            about: 'migrate space-isolation',
            destroys: 19,
            oneWay: false,
            digest: 'abcdef0123456789',
            at: started,
          },
          { dispute: 'd' },
        ),
      'samples of a plan': () => samplesWindow(runIn('planned')),
      'the home tab': () =>
        homeView({
          person: { id: 'UBOB', roles: ['approver'] },
          waiting: [
            { run: runIn('planned'), link: 'https://example.slack.com/p1', tokens: { details: 'd' }, vote: 'v' },
          ],
          open: [],
          done: [
            { run: runIn('done', { endedAt: started }), link: null, tokens: { undo: 'e', details: 'd' }, vote: null },
          ],
          environments: [
            {
              name: 'production',
              production: true,
              status: null,
              backups: [{ ...set, proven: { at: started, seconds: 41 } }],
              lastValidation: runIn('done', { endedAt: started }),
              schedules: [schedule],
            },
          ],
          onCall: 'Dana',
          ask: 'a',
          refresh: 'r',
          help: 'h',
          at: sampleNow,
        }),
      'the window in which people ask': () =>
        askWindow({
          ...asking,
          action: 'migrate',
          preview: { kind: 'plan', preview: { plan: samplePlan(), votesNeeded: 1, refused: false } },
        }),
      'the window in which a rollback is asked for': () =>
        askWindow({
          ...asking,
          action: 'rollback',
          preview: { kind: 'advice', advice: sampleAdvice({ run: runIn('done') }) },
        }),
      'the window in which conflicts are taken': () =>
        askWindow({
          ...asking,
          action: 'rollback',
          preview: { kind: 'kept', by: 'run-01jd0b0000', report: { total: 1, conflicts: [conflict] } },
        }),
      'a window that is not known yet': () => loadingWindow('The run'),
      'a window after a bug': () => brokenWindow('The run'),
      'a window that is refused': () =>
        refusedWindow('Ask TAS', {
          code: 'not-allowed',
          message: 'mallory may not use this bot.',
          advice: 'Nothing was done.',
        }),
      'where things stand': () =>
        statusWindow([
          { name: 'sandbox', seen: { ...standing, environment: 'sandbox' } },
          { name: 'production', seen: null },
          { name: 'staging', seen: { kind: 'refused', message: 'graph does not answer.', advice: 'Look at it.' } },
        ]),
      'a plan': () => planMessage({ plan: samplePlan(), votesNeeded: 1, refused: false }, 'pages'),
      'a backup that is not proven': () => doneCard(drilled('failed'), tokens, none, sampleNow),
      backups: () =>
        backupList('sandbox', [
          { ...set, proven: { at: started, seconds: 41, systems: { graph: 'read', relational: 'restored' } } },
          { ...set, id: 'bak-20261119-100000-bbbb', proven: null },
        ]),
      schedules: () =>
        schedulesMessage([schedule, { ...schedule, configured: 'nightly', paused: true, pausedBy: schedule.editor }]),
      'the bot itself': () =>
        scheduledReport({
          kind: 'validation-report',
          about: 'the-bot',
          schedule: schedule.id,
          environment: 'sandbox',
          runId: 'run-01jd0a4ycz',
          at: started,
          totals: { passed: 10, warning: 0, failed: 1, skipped: 0 },
          fresh: [
            { key: 'slack-token', title: 'Slack does not take the token', status: 'failed', count: 1, since: 'r' },
          ],
          still: [],
          fixed: [],
          fixedLater: {},
        }),
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
