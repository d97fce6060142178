import { approvalCard } from '../../blocks/approval-card.ts';
import { ballotCard } from '../../blocks/ballot-card.ts';
import { doneCard } from '../../blocks/done-card.ts';
import { notStarted } from '../../blocks/ended-card.ts';
import { failureCard } from '../../blocks/failure-card.ts';
import type { Message } from '../../blocks/message.ts';
import { pausedMessage, votedMessage } from '../../blocks/notices.ts';
import { runCard } from '../../blocks/run-card.ts';
import { blockErrors } from '../../sandbox/slack/limits/blocks.ts';
import type { Vote } from '../../src/approvals/vote.ts';
import type { Run } from '../../src/runs/run.ts';
import { sampleNow, samplePlan, sampleRun, sampleStep } from '../sample-run.ts';
import { hostile, hostileBallot, hostileRun } from './hostile-run.ts';
import { mrkdwnTexts } from './mrkdwn-texts.ts';

const nobody = { users: [], groups: [] };
const none = { total: 0, conflicts: [] };
const textOf = (message: Message): string => mrkdwnTexts(message.blocks).join('\n');
const cardOf = (over: Partial<Run>): string => textOf(approvalCard(sampleRun(over), {}, nobody));
const vote = (id: string): Vote => ({
  voter: { id, name: id },
  choice: 'approve',
  digest: '',
  reason: null,
  at: '2026-11-20T09:58:00.000Z',
});
const window = { id: 'win-1', from: '2026-11-21T02:00:00.000Z', until: '2026-11-21T04:00:00.000Z' };

describe('what comes next', () => {
  it('on a card that waits is how many votes are missing, and what then happens by itself', () => {
    expect(cardOf({ votesNeeded: 2 })).toContain('*Next:* 2 votes wanted, then it starts by itself.');
    expect(cardOf({ votesNeeded: 2, votes: [vote('UBOB')] })).toContain(
      '*Next:* 1 vote still missing; then it starts by itself.',
    );
    // One person has one vote, however it came to be stored.
    expect(cardOf({ votesNeeded: 2, votes: [vote('UBOB'), vote('UBOB')] })).toContain('1 vote still missing');
    expect(cardOf({ plan: samplePlan({ window }) })).toMatch(
      /\*Next:\* 1 vote wanted, then it starts by itself in its window <!date\^.*02:00 UTC> – <!date\^.*04:00 UTC>\./,
    );
  });

  it('after approvals by break-glass is the time from which as many count as are needed', () => {
    const late = (id: string, time: string): Vote => ({ ...vote(id), countsFrom: `2026-11-20T${time}:00.000Z` });
    const [first, second] = [late('UERIN', '10:10'), late('UALAN', '10:15')];
    expect(cardOf({ votesNeeded: 1, votes: [first] })).toMatch(
      /counts from <!date\^.*10:10 UTC> on, unless somebody says no; then it starts by itself\./,
    );
    expect(cardOf({ votesNeeded: 2, votes: [first, second] })).toMatch(/counts from <!date\^[^|]*\|[^>]*10:15 UTC> on/);
    expect(cardOf({ votesNeeded: 2, votes: [first, vote('UBOB')] })).toMatch(/counts from .*10:10 UTC> on/);
    expect(cardOf({ votesNeeded: 2, votes: [first] })).toContain('1 vote still missing');
    expect(cardOf({ votesNeeded: 1, votes: [first, vote('UBOB')] })).toContain('*Next:* approved;');
  });

  it('is a login where an approval needs one', () => {
    const asked = (login: boolean): string => textOf(approvalCard(sampleRun(), {}, nobody, { login, watchMinutes: 0 }));
    expect(asked(true)).toContain('counts once its voter has logged in');
    expect(asked(false)).not.toContain('logged in');
  });

  it('after the last vote is the start', () => {
    const queued = (over: Partial<Run>): string =>
      textOf(runCard(sampleRun({ status: 'queued', ...over }), {}, nobody, sampleNow));
    expect(queued({})).toContain('approved; starts now');
    expect(queued({ votesNeeded: 0 })).not.toContain('approved');
    expect(queued({ plan: samplePlan({ window }) })).toContain('⏳ approved; starts in its maintenance window `win-1`');
  });

  it('for a step is that the run goes on, and the voter reads it as well', () => {
    const gate = {
      id: 1,
      step: sampleStep({ id: 'data.drop', effect: 'destroys' }),
      digest: 'f'.repeat(64),
      votesNeeded: 2,
      state: 'open' as const,
      askedAt: '2026-11-20T09:59:00.000Z',
      expiresAt: '2026-11-20T10:59:00.000Z',
      votes: [vote('UBOB')],
    };
    const run = sampleRun({ status: 'paused', startedAt: '2026-11-20T09:58:00.000Z' });
    const waiting: Run = { ...run, control: { ...run.control, gates: [gate], ballot: gate } };
    const missing = '1 vote still missing; then the run goes on by itself';
    expect(textOf(ballotCard(waiting, {}, { link: null, outlook: { login: true, watchMinutes: 0 } }))).toMatch(
      new RegExp(`${missing}\\.\n🔑`),
    );
    expect(textOf(votedMessage(waiting, 'approve', 'wait'))).toContain(missing);
    expect(textOf(votedMessage(sampleRun({ votesNeeded: 2, votes: [vote('UBOB')] }), 'approve', 'wait'))).toContain(
      '1 vote still missing; then it starts by itself',
    );
  });

  it('after the end is the watch, the end of the hold and the rest of a canary', () => {
    const aside = sampleStep({ id: 's.a', undoClass: 'reversible-until', effect: 'destroys' });
    const plan = samplePlan({
      stages: [{ id: 's', title: 'S', always: false, steps: [aside] }],
      undoClass: 'reversible-until',
      holdDays: 14,
      canary: 'tenant_1',
    });
    const run = sampleRun({ status: 'done', plan, endedAt: '2026-11-20T10:00:00.000Z' });
    const text = (over: Partial<Run>, watchMinutes: number): string =>
      textOf(
        doneCard({ ...run, ...over }, {}, none, sampleNow, { link: null, outlook: { login: false, watchMinutes } }),
      );
    expect(text({}, 30)).toMatch(/watched for 30 minutes, until <!date\^.*10:30 UTC>: what is not well is told here/);
    expect(text({}, 30)).toMatch(
      /can be undone until <!date\^.*2026-12-04 10:00 UTC>; from then on `\/tas release run-/,
    );
    expect(text({}, 30)).toContain('only `tenant_1` has it');
    expect(text({}, 0)).not.toContain('watched');
    expect(text({ undoneBy: 'run-2' }, 0)).not.toContain('can be undone until');
    const reversible = sampleRun({ status: 'done', endedAt: '2026-11-20T10:00:00.000Z' });
    expect(textOf(doneCard(reversible, {}, none, sampleNow))).not.toContain('*Next:*');
  });

  it('holds hostile data, and the link to the run’s card stays whole', () => {
    const link = `https://example.slack.com/archives/C0123456789/p${'1'.repeat(16)}`;
    const beside = { link, outlook: { login: true, watchMinutes: 1e9 } };
    const run = hostileRun({ status: 'done', endedAt: hostile });
    const { plan } = run;
    const told: readonly Message[] = [
      approvalCard(
        hostileRun({ plan: { ...plan, window: { id: hostile, from: hostile, until: hostile } } }),
        {},
        nobody,
        {
          login: true,
          watchMinutes: 0,
        },
      ),
      ballotCard(hostileBallot(), {}, beside),
      ...(['migrate', 'rollback', 'backup', 'validate', 'drill'] as const).map((action) =>
        doneCard({ ...run, plan: { ...plan, action, canary: hostile, holdDays: 14 } }, {}, none, sampleNow, beside),
      ),
      failureCard({ ...run, status: 'parked' }, {}, sampleNow, null, link),
      notStarted(run, link),
      pausedMessage(run, link),
    ];
    for (const message of told) {
      expect(blockErrors(message.blocks, 50)).toEqual([]);
      for (const mark of textOf(message)
        .replace(/`[^`]*`/g, '')
        .match(/<[^>]*>/g) ?? []) {
        expect(mark).toMatch(/^<(@U\d+|!date\^|https:\/\/example\.slack\.com\/)/);
      }
    }
    for (const message of told.slice(1)) expect(textOf(message)).toContain(`<${link}|`);
  });
});
