import { adviceMessage, waysOf } from '../../blocks/advice.ts';
import { askActions, askWindow, openedAskWindow } from '../../blocks/ask-window.ts';
import { backupList } from '../../blocks/backup-card.ts';
import { ballotCard } from '../../blocks/ballot-card.ts';
import { confirmMessage } from '../../blocks/confirm-link.ts';
import { detailsMessage, detailsWindow } from '../../blocks/details.ts';
import { doneCard } from '../../blocks/done-card.ts';
import { notStarted } from '../../blocks/ended-card.ts';
import { failureCard } from '../../blocks/failure-card.ts';
import { split } from '../../blocks/fit.ts';
import { gateCard } from '../../blocks/gate-card.ts';
import { glassBrokenMessage, glassCard } from '../../blocks/glass.ts';
import { helpMessage } from '../../blocks/help.ts';
import { homeView, strangersHome } from '../../blocks/home.ts';
import { maintenanceMessage, windowMessage, windowsMessage } from '../../blocks/maintenance.ts';
import type { Message } from '../../blocks/message.ts';
import { brokenWindow, loadingWindow, refusedWindow } from '../../blocks/message-window.ts';
import {
  askedMessage,
  chooseEnvironmentMessage,
  controlledMessage,
  disputedMessage,
  keptMessage,
  lineMessage,
  lookingMessage,
  lostMessage,
  nothingToDoMessage,
  pausedMessage,
  retriedMessage,
  staleMessage,
  submittedMessage,
  threadLine,
  votedMessage,
} from '../../blocks/notices.ts';
import { onCallMessage, pageMessage } from '../../blocks/oncall.ts';
import { planMessage } from '../../blocks/plan-view.ts';
import { receiptMessage, voteWantedMessage } from '../../blocks/receipt.ts';
import { brokenMessage, refusedMessage } from '../../blocks/refused.ts';
import { rejectWindow } from '../../blocks/reject-window.ts';
import { runCard } from '../../blocks/run-card.ts';
import { runsMessage } from '../../blocks/runs.ts';
import { samplesWindow } from '../../blocks/samples-window.ts';
import { statusMessage, statusWindow } from '../../blocks/status.ts';
import { blockErrors } from '../../sandbox/slack/limits/blocks.ts';
import type { Window as MaintenanceWindow } from '../../src/maintenance/window.ts';
import { usualWords } from '../../src/maintenance/words.ts';
import type { Action } from '../../src/plans/plan.ts';
import type { EnvironmentStatus } from '../../src/runs/door.ts';
import { runStatuses } from '../../src/runs/run-status.ts';
import { sampleNow } from '../sample-run.ts';
import { hostileAdvice } from './hostile-advice.ts';
import { hostile, hostileBallot, hostileConflicts, hostileRun } from './hostile-run.ts';
import { mrkdwnTexts } from './mrkdwn-texts.ts';

const tokens = {
  approve: 'a',
  reject: 'b',
  details: 'c',
  retry: 'd',
  undo: 'e',
  keep: 'f',
  pause: 'g',
  resume: 'h',
  stop: 'i',
  cancel: 'j',
  slower: 'k',
  faster: 'l',
  continue: 'm',
  dispute: 'n',
};
const called = { users: Array.from({ length: 100 }, (_, index) => `U${index}`), groups: ['S1', 'nonsense <!here>'] };
const run = hostileRun();
const backup = {
  id: hostile,
  environment: hostile,
  createdAt: hostile,
  bytes: 1e15,
  systems: [hostile, hostile],
  proven: {
    at: hostile,
    seconds: 1,
    systems: Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`${hostile}${index}`, index % 2 === 0 ? 'restored' : 'read'] as const),
    ),
  },
};
const environments = Array.from({ length: 40 }, () => ({ name: hostile, production: true, channel: hostile }));

const vote = {
  runId: hostile,
  environment: hostile,
  about: hostile,
  digest: hostile,
  at: hostile,
  expiresAt: hostile,
};

const pieces: [string, Message][] = [
  ...runStatuses.map((status): [string, Message] => [
    status,
    runCard(hostileRun({ status }), tokens, called, sampleNow),
  ]),
  ...(
    ['backup', 'restore', 'migrate', 'validate', 'rollback', 'release', 'drill', 'retention', 'self-check'] as Action[]
  ).map((action): [string, Message] => [
    `done ${action}`,
    doneCard(hostileRun({ status: 'done', plan: { ...run.plan, action } }), tokens, hostileConflicts, sampleNow),
  ]),
  ['failed', failureCard(hostileRun({ status: 'parked' }), tokens, sampleNow)],
  ['not started', notStarted(hostileRun({ status: 'rejected' }))],
  ['voted', votedMessage(run, 'approve', 'wait')],
  ['to confirm', confirmMessage(run, `https://bot.example.com/step-up/${'x'.repeat(200)}`, '2026-11-20T10:05:00.000Z')],
  ['submitted', submittedMessage(run, 1, hostile)],
  ['a vote on a step', ballotCard(hostileBallot(), tokens)],
  ...run.control.gates.map((gate): [string, Message] => ['a vote that is over', gateCard(run, gate, {}, called)]),
  ['paused before a step', runCard(hostileBallot(), tokens, called, sampleNow)],
  ...(['pause', 'resume', 'stop', 'cancel', 'slower', 'faster', 'dispute'] as const).map((what): [string, Message] => [
    what,
    controlledMessage(run, what),
  ]),
  ['paused', pausedMessage(run)],
  ['disputed', disputedMessage(run, hostile)],
  ['break-glass', glassCard(run, { glass: 't' }, { reason: hostile, vetoMinutes: 10 })],
  ['glass broken', glassBrokenMessage(run, hostile, called)],
  [
    'a receipt',
    receiptMessage({ ...vote, kind: 'vote-receipt', choice: 'approve', destroys: 1e9, oneWay: true }, tokens),
  ],
  ['a vote that is wanted', voteWantedMessage({ ...vote, kind: 'vote-wanted', votes: 0, votesNeeded: 2 }, called)],
  [
    'waits for its window',
    runCard(
      hostileRun({ status: 'queued', plan: { ...run.plan, window: { id: hostile, from: hostile, until: hostile } } }),
      tokens,
      called,
      sampleNow,
    ),
  ],
  ['not heard of', lostMessage(run, hostile)],
  ['retried', retriedMessage(run)],
  ['kept', keptMessage(run)],
  ['stale', staleMessage(hostile)],
  ['a line', lineMessage(hostile)],
  ['asked', askedMessage(hostile, true)],
  ['looking', lookingMessage(hostile, [hostile, hostile])],
  ['broken', brokenMessage(hostile)],
  ['thread line', threadLine('▶', hostile)],
  [
    'choose environment',
    chooseEnvironmentMessage(
      hostile,
      environments,
      environments.map(() => 't'),
    ),
  ],
];

const hostileStatus: EnvironmentStatus = {
  environment: hostile,
  production: true,
  systems: Array.from({ length: 30 }, (_, index) => ({
    name: hostile,
    type: hostile,
    health: { up: index % 2 === 0, version: hostile, latencyMs: 1, note: hostile },
    lastUpAt: hostile,
    dataModel: { version: `${index}${hostile}`, runId: hostile, at: hostile },
  })),
  holder: { runId: hostile, status: 'parked', since: hostile },
  lastBackup: backup,
  openRuns: Array.from({ length: 30 }, () => run),
  endedHolds: Array.from({ length: 30 }, () => ({ runId: hostile, title: hostile, since: hostile })),
};

const long: [string, Message][] = [
  ['details', detailsMessage(run, hostileConflicts, sampleNow)],
  [
    'runs',
    runsMessage(
      Array.from({ length: 100 }, () => run),
      false,
    ),
  ],
  [
    'backups',
    backupList(
      hostile,
      Array.from({ length: 100 }, () => backup),
    ),
  ],
  ['refused', refusedMessage({ code: 'conflict', message: hostile, advice: hostile }, run.findings)],
  ['nothing to do', nothingToDoMessage(hostile, run.findings)],
  [
    'help',
    helpMessage(
      Array.from({ length: 50 }, () => ({ usage: hostile, summary: hostile, examples: [hostile] })),
      Array.from({ length: 50 }, () => ({ id: hostile, title: hostile, description: hostile })),
      { message: hostile, advice: hostile },
      {
        all: Array.from({ length: 50 }, () => hostile),
        environments: [hostile, hostile, hostile],
        roles: ['viewer'],
        notForYou: Array.from({ length: 30 }, () => 'migrate'),
        mine: Array.from({ length: 5 }, () => ({ run, next: [hostile, hostile, hostile] })),
        toVote: Array.from({ length: 5 }, () => ({ run, next: [hostile] })),
      },
    ),
  ],
  ['status', statusMessage(hostileStatus)],
];

const preview = { plan: run.plan, votesNeeded: 1, refused: true };
long.push(
  ['plan', planMessage(preview, 'pages')],
  ['plan for a terminal', planMessage(preview, 'all')],
  [
    'advice',
    adviceMessage(
      hostileAdvice,
      waysOf(hostileAdvice).map(() => 't'),
    ),
  ],
  ['advice for a terminal', adviceMessage(hostileAdvice, null)],
);

const hostilePage = {
  kind: 'page',
  environment: hostile,
  severity: 'critical',
  summary: hostile,
  advice: hostile,
  runId: hostile,
  users: Array.from({ length: 50 }, (_, index) => (index === 0 ? hostile : `U${index}`)),
  note: hostile,
} as const;
const hostileNotice = {
  kind: 'maintenance',
  environment: hostile,
  from: hostile,
  to: hostile,
  reason: hostile,
} as const;
const hostileWindow: MaintenanceWindow = {
  id: hostile,
  environment: hostile,
  from: '2026-11-24T01:00:00.000Z',
  to: hostile,
  zone: hostile,
  reason: hostile,
  migration: hostile,
  state: 'active',
  createdBy: { id: hostile, name: hostile },
  createdAt: hostile,
  startedAt: hostile,
  endedAt: hostile,
  remark: hostile,
};
const hostileDuty = { person: hostile, level: 1e9, policy: hostile, schedule: hostile, from: hostile, until: hostile };
pieces.push(
  ['a page', pageMessage({ ...hostilePage, state: 'raised' })],
  ['a page that is settled', pageMessage({ ...hostilePage, state: 'resolved' })],
  ...Object.entries(usualWords).map(([occasion, words]): [string, Message] => [
    `maintenance ${occasion}`,
    maintenanceMessage({ ...hostileNotice, words, trueUntil: null }),
  ]),
  [
    'maintenance in long words',
    maintenanceMessage({ ...hostileNotice, words: '{reason} {from} '.repeat(60), trueUntil: null }),
  ],
  ['a window', windowMessage(hostileWindow, hostile)],
);
long.push(
  ['windows', windowsMessage(Array.from({ length: 200 }, () => hostileWindow))],
  [
    'on call',
    onCallMessage({
      environment: hostile,
      duties: {
        now: Array.from({ length: 50 }, () => hostileDuty),
        next: Array.from({ length: 50 }, () => hostileDuty),
      },
      note: hostile,
      contacts: Array.from({ length: 100 }, () => ({ name: hostile, role: hostile, user: hostile, phone: hostile })),
      pages: Array.from({ length: 50 }, () => ({
        severity: 'critical' as const,
        summary: hostile,
        raisedAt: hostile,
        runId: hostile,
        state: 'triggered' as const,
      })),
    }),
  ],
);

const asking = {
  action: 'migrate',
  actions: askActions,
  environments,
  environment: hostile,
  windows: Array.from({ length: 200 }, () => hostileWindow),
} as const;
const undoing = { ...asking, action: 'rollback' } as const;
/** Each with a name that Slack can take as a value. */
const shortConflicts = {
  ...hostileConflicts,
  conflicts: hostileConflicts.conflicts.map((conflict, place) => ({
    ...conflict,
    system: 'graph',
    collection: hostile.slice(0, 40),
    field: hostile.slice(0, 20),
    key: `${place}${hostile.slice(0, 20)}`,
  })),
};
const refusal = { code: 'unreachable', message: hostile, advice: hostile, findings: run.findings } as const;
const homeRun = { run, link: `https://example.com/${'x'.repeat(200)}`, tokens, vote: 't' };
const home = homeView({
  person: { id: hostile, roles: ['viewer', 'operator', 'approver'] },
  waiting: Array.from({ length: 40 }, () => homeRun),
  open: Array.from({ length: 40 }, () => homeRun),
  done: [homeRun],
  environments: environments.map(({ name, production }) => ({
    name,
    production,
    status: hostile,
    backups: [backup, { ...backup, proven: null }],
    lastValidation: run,
    schedules: [],
  })),
  onCall: hostile,
  ask: 't',
  refresh: 't',
  help: 't',
  at: sampleNow,
});
const windows = [
  detailsWindow(run, hostileConflicts, sampleNow),
  rejectWindow(run, 't'),
  samplesWindow(run),
  openedAskWindow(environments, askActions, 'migrate'),
  askWindow({ ...asking, preview: { kind: 'looking', subject: hostile, environment: hostile } }),
  askWindow({ ...asking, preview: { kind: 'plan', preview: { plan: run.plan, votesNeeded: 2, refused: true } } }),
  askWindow({ ...asking, preview: { kind: 'refused', ...refusal } }),
  askWindow({ ...undoing, preview: { kind: 'advice', advice: hostileAdvice } }),
  askWindow({ ...undoing, preview: { kind: 'kept', by: hostile, report: hostileConflicts } }),
  askWindow({ ...undoing, preview: { kind: 'kept', by: hostile, report: shortConflicts } }),
  loadingWindow(hostile),
  brokenWindow(hostile),
  refusedWindow(hostile, refusal),
  statusWindow([
    { name: hostile, seen: null },
    { name: hostile, seen: { ...refusal, kind: 'refused' } },
    ...Array.from({ length: 20 }, () => ({ name: hostile, seen: hostileStatus })),
  ]),
];

describe('with hostile data', () => {
  it.each([
    ...pieces,
    ...long.flatMap(([name, message]) => split(message).map((page): [string, Message] => [name, page])),
  ])('%s stays within Slack’s limits', (_, message) => {
    expect(blockErrors(message.blocks, 50)).toEqual([]);
    expect(message.text.length).toBeGreaterThan(0);
    expect(message.text.length).toBeLessThanOrEqual(4000);
  });

  it.each(windows)('windows stay within Slack’s limits', (window) => {
    expect(blockErrors(window.blocks, 100)).toEqual([]);
    expect(window.title.text.length).toBeLessThanOrEqual(24);
  });

  it.each([home, strangersHome()])('the home tab stays within them, and mentions nobody', ({ blocks }) => {
    expect(blockErrors(blocks, 100)).toEqual([]);
    for (const text of mrkdwnTexts(blocks).map((each) => each.replace(/`[^`]*`/g, ''))) {
      for (const mark of text.match(/<[^>]*>/g) ?? []) expect(mark).toMatch(/^<(!date\^|https:\/\/example\.com\/)/);
      expect(text).not.toMatch(/@here/);
    }
  });

  it.each([...pieces, ...long])('%s mentions and links nothing that the bot did not put there', (_, message) => {
    for (const text of [message.text, ...mrkdwnTexts(message.blocks)].map((each) => each.replace(/`[^`]*`/g, ''))) {
      const marked = text.match(/<[^>]*>/g) ?? [];
      for (const mark of marked) expect(mark).toMatch(/^<(@U\d+|!subteam\^S1|!date\^\d+\^[^|<>]+\|[^|<>]+)>$/);
      expect(text).not.toMatch(/[[\p{Cf}\p{Cc}]--[\u2060\n]]|:white_check_mark:|@here/v);
    }
  });

  it('cards keep their buttons and first lines however long the middle is', () => {
    const { blocks } = runCard(hostileRun({ status: 'planned' }), tokens, called, sampleNow);
    expect(blocks.at(-1)).toMatchObject({
      type: 'actions',
      elements: [{ value: 'a' }, { value: 'b' }, { value: 'c' }, { value: 'j' }],
    });
    expect(JSON.stringify(blocks[0])).toContain('SANDBOX');
  });

  it('splits long answers without losing a block', () => {
    const details = detailsMessage(run, hostileConflicts, sampleNow);
    const pages = split(details);
    expect(pages.length).toBeGreaterThan(1);
    const kept = pages.flatMap((page) => page.blocks.slice(0, -1));
    expect(kept).toEqual(details.blocks);
  });
});
