import { askActions, openedAskWindow } from '../../blocks/ask-window.ts';
import { ballotCard } from '../../blocks/ballot-card.ts';
import { checklistLines, checklistMessage, checklistWindow } from '../../blocks/checklist.ts';
import { detailsMessage } from '../../blocks/details.ts';
import { doneCard } from '../../blocks/done-card.ts';
import { helpMessage } from '../../blocks/help.ts';
import { strangersHome } from '../../blocks/home.ts';
import { maintenanceMessage, windowMessage, windowsMessage } from '../../blocks/maintenance.ts';
import {
  askedMessage,
  chooseEnvironmentMessage,
  controlledMessage,
  keptMessage,
  lineMessage,
  lookingMessage,
  nothingToDoMessage,
  retriedMessage,
  threadLine,
} from '../../blocks/notices.ts';
import { onCallMessage } from '../../blocks/oncall.ts';
import { voteWantedMessage } from '../../blocks/receipt.ts';
import { brokenMessage } from '../../blocks/refused.ts';
import { scheduledReport } from '../../blocks/scheduled-report.ts';
import { scheduleMessage, schedulesMessage } from '../../blocks/schedules.ts';
import { statusMessage } from '../../blocks/status.ts';
import { usualWords } from '../../src/maintenance/words.ts';
import type { Run } from '../../src/runs/run.ts';
import { sampleFindings, sampleNow, samplePlan, sampleRun, sampleStep } from '../sample-run.ts';
import {
  checklistTools,
  sampleChecklist,
  sampleConflicts,
  sampleOnCall,
  sampleReport,
  sampleSchedule,
  sampleStatus,
  sampleWindow,
  troubledStatus,
} from './sample-views.ts';

const started = '2026-11-20T09:58:00.000Z';
const running = sampleRun({ status: 'running', startedAt: started });
const paused = sampleRun({ status: 'paused', startedAt: started });
const none = { total: 0, conflicts: [] };
const environments = [
  { name: 'sandbox', production: false, channel: 'tas-platform' },
  { name: 'production', production: true, channel: 'tas-platform' },
];
const commands = [
  {
    usage: 'validate env:<environment>',
    summary: 'Whether the data is as it should be.',
    examples: ['validate env:sandbox'],
  },
  { usage: 'plan <migration> env:<environment>', summary: 'What it would do.', examples: [] },
];
const migrations = [
  { id: 'space-isolation', title: 'A tenant and a space for each user', description: 'Gives each user a tenant.' },
];
const here = {
  all: ['sandbox', 'production'],
  environments: ['sandbox'],
  roles: ['operator'],
  notForYou: ['approve'],
  mine: [{ run: running, next: ['pause run-01jd0a4ycz'] }],
  toVote: [{ run: sampleRun(), next: ['approve run-01jd0a4ycz'] }],
} as const;
const gate = {
  id: 7,
  step: sampleStep({ id: 'data.drop', title: 'Drop the copies', effect: 'destroys', undoClass: 'one-way', count: 12 }),
  digest: 'e'.repeat(64),
  votesNeeded: 2,
  state: 'open',
  askedAt: started,
  expiresAt: '2026-11-20T10:58:00.000Z',
  votes: [],
} as const;
const done = (action: 'validate' | 'rollback', over: Partial<Run> = {}): Run =>
  sampleRun({
    status: 'done',
    plan: samplePlan({ action }),
    startedAt: started,
    endedAt: '2026-11-20T09:59:00.000Z',
    ...over,
  });

describe('what people are answered and told', () => {
  it.each(
    Object.entries({
      'a checklist': () => checklistMessage(sampleChecklist, checklistTools(false)),
      'all of a checklist': () => checklistWindow(sampleChecklist, checklistTools(true)),
      'a checklist for a terminal': () => checklistLines(sampleChecklist),
      status: () => statusMessage(sampleStatus),
      'the status of an environment in trouble': () => statusMessage(troubledStatus),
      'what can be asked, here and by me': () => helpMessage(commands, migrations, null, here),
      'what can be asked where no environment is at home': () =>
        helpMessage(commands, migrations, null, { ...here, environments: [], mine: [], toVote: [] }),
      'how one command is written': () =>
        helpMessage(commands.slice(0, 1), [], { message: '`env:` is missing.', advice: 'Name an environment.' }),
      'who is on call': () => onCallMessage(sampleOnCall),
      'contacts where nobody says who is on call': () =>
        onCallMessage({ ...sampleOnCall, duties: null, note: 'PagerDuty does not answer.', pages: [] }),
      'one maintenance window': () => windowMessage(sampleWindow, 'It overlaps the nightly backup.'),
      'maintenance windows': () =>
        windowsMessage([
          sampleWindow,
          { ...sampleWindow, migration: null, state: 'missed', remark: 'the bot was away' },
        ]),
      'no maintenance window': () => windowsMessage([]),
      'one schedule': () => scheduleMessage(sampleSchedule, 'add'),
      'no schedule': () => schedulesMessage([]),
      'a scheduled report': () => scheduledReport(sampleReport),
      'a scheduled report of nothing but good': () =>
        scheduledReport({
          ...sampleReport,
          fresh: [],
          still: [],
          totals: { passed: 24, warning: 0, failed: 0, skipped: 3 },
        }),
      'a validation with findings': () =>
        doneCard(done('validate', { findings: sampleFindings }), { details: 'c' }, none, sampleNow),
      'an undo that kept something': () => doneCard(done('rollback'), { details: 'c' }, sampleConflicts, sampleNow),
      'a vote on one step': () =>
        ballotCard(
          { ...paused, control: { ...paused.control, gates: [gate], ballot: gate } },
          { approve: 'a', reject: 'b', details: 'c' },
        ),
      'a vote that is wanted': () =>
        voteWantedMessage(
          {
            kind: 'vote-wanted',
            runId: 'run-01jd0a4ycz',
            environment: 'production',
            about: 'migrate space-isolation',
            votes: 1,
            votesNeeded: 2,
            expiresAt: started,
          },
          { users: ['UBOB'], groups: ['SAPPROVE'] },
        ),
      'the window in which people ask, as it opens': () => openedAskWindow(environments, askActions, 'migrate'),
      'details in the thread': () => detailsMessage(running, none, sampleNow),
      'the home tab of a stranger': () => strangersHome(),
      'nothing to do': () => nothingToDoMessage('A tenant and a space for each user', sampleFindings),
      'goes on': () => retriedMessage(running),
      'given up': () => keptMessage(sampleRun({ status: 'closed' })),
      'in which environment': () => chooseEnvironmentMessage('validate', environments, ['t0', 't1']),
      'asked by a button': () => askedMessage('validate env:sandbox', true),
      'an answer that takes long': () => lookingMessage('plan', ['space-isolation']),
      'a line in a thread': () => threadLine('▶', 'Data: 40,000 of 41,703'),
      'a line by itself': () => lineMessage('Schedule `sch-00000001`: alice paused validate of sandbox'),
      'a bug': () => brokenMessage('err-4f2a'),
    }),
  )('%s', (_, make) => {
    expect(make()).toMatchSnapshot();
  });

  it.each(['pause', 'resume', 'stop', 'cancel', 'slower', 'faster', 'dispute'] as const)('asked to %s', (what) => {
    expect(controlledMessage(running, what)).toMatchSnapshot();
  });

  it.each(Object.entries(usualWords))('maintenance %s', (_, words) => {
    const { environment, from, to, reason } = sampleWindow;
    const notice = { kind: 'maintenance', environment, from, to, reason, words, trueUntil: null } as const;
    expect(maintenanceMessage(notice)).toMatchSnapshot();
  });
});
