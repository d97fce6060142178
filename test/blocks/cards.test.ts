import { approvalCard } from '../../blocks/approval-card.ts';
import { doneCard } from '../../blocks/done-card.ts';
import { failureCard } from '../../blocks/failure-card.ts';
import { gateCard } from '../../blocks/gate-card.ts';
import { measureRun } from '../../blocks/measure.ts';
import type { Block, Button, Message } from '../../blocks/message.ts';
import { progressCard } from '../../blocks/progress-card.ts';
import { runCard } from '../../blocks/run-card.ts';
import type { Run } from '../../src/runs/run.ts';
import { sampleFindings, sampleNow, samplePlan, sampleRun, sampleStep } from '../sample-run.ts';
import { mrkdwnTexts } from './mrkdwn-texts.ts';

const tokens = { approve: 'a', reject: 'b', details: 'c', retry: 'd', undo: 'e', keep: 'f' };
const called = { users: ['UBOB'], groups: ['SAPPROVE'] };
const none = { total: 0, conflicts: [] };

function textOf(message: Message): string {
  return mrkdwnTexts(message.blocks).join('\n');
}

function buttonsOf(message: Message): string[] {
  return message.blocks.flatMap((block) => buttonsIn(block).map(({ text }) => text.text));
}

function buttonsIn(block: Block | undefined): readonly Button[] {
  if (block?.type !== 'actions') return [];
  return block.elements.filter((element): element is Button => element.type === 'button');
}

function running(): Run {
  const run = sampleRun({ status: 'running', startedAt: '2026-11-20T09:59:50.000Z' });
  const steps = run.steps.map((step, index) =>
    index === 0 ? { ...step, state: 'running' as const, done: 20_000, startedAt: '2026-11-20T09:59:50.000Z' } : step,
  );
  return { ...run, steps };
}

describe('the approval card', () => {
  const card = approvalCard(sampleRun({ reason: 'rollout' }), tokens, called);

  it('says it all in its first line', () => {
    expect(mrkdwnTexts(card.blocks)[0]?.split('\n')[0]).toBe(
      '*SANDBOX · space-isolation · adds 500 · changes 41,203 · destroys 0 · undo any time · alice*',
    );
    expect(card.text).toContain('Approval wanted: SANDBOX · space-isolation');
  });

  it('calls the approvers and shows the evidence system by system', () => {
    const text = textOf(card);
    expect(text).toContain('<!subteam^SAPPROVE> <@UBOB>');
    expect(text).toContain(
      '*graph* · adds 500 · changes 40,000 · destroys 0\n• *changes 40,000* · Give users without a tenant one of their own · undo any time',
    );
    expect(text).toContain('User `u-1`: `personal_tenant_id` `∅` → `tenant_1700000000000001`');
    expect(text).toContain('*records*');
    expect(text).toContain('locks audimodal_files: ACCESS EXCLUSIVE for less than 1 s');
    expect(text).toContain('“rollout”');
    expect(text).not.toContain('email');
  });

  it('asks again before an approval, with the environment and what is destroyed', () => {
    const plan = samplePlan({ totals: { adds: 0, changes: 1, destroys: 7 }, undoClass: 'one-way' });
    const { blocks } = approvalCard(sampleRun({ plan }), tokens, called);
    expect(blocks.at(-1)).toMatchObject({
      elements: [
        {
          value: 'a',
          confirm: {
            title: { text: 'Approve for SANDBOX?' },
            text: { text: expect.stringMatching(/destroys 7 records\. Part of it CANNOT be undone/) },
            style: 'danger',
          },
        },
        { value: 'b' },
        { value: 'c' },
      ],
    });
  });

  it('says so when counts are lower bounds and when something cannot be undone', () => {
    const step = sampleStep({ id: 'data.drop', title: 'Drop the old column', undoClass: 'one-way', exact: false });
    const plan = samplePlan({
      stages: [{ id: 'data', title: 'Data', always: false, steps: [step] }],
      undoClass: 'one-way',
    });
    const text = textOf(approvalCard(sampleRun({ plan }), tokens, called));
    expect(text).toContain('changes ≥ 41,203');
    expect(text).toContain('NO UNDO');
    expect(text).toContain('⚠ *Cannot be undone:*\n• Drop the old column');
  });
});

describe('the progress card', () => {
  it('shows phase, bar, counts, rate, stages and each step', () => {
    const text = textOf(progressCard(running(), tokens, sampleNow));
    expect(text).toContain('▶ Data: Give users without a tenant one of their own');
    expect(text).toMatch(/`▓{9}░{11}` 47 % · 20,000 of 41,703 · 2,000\/s\n▶ Data → · Relational copies/);
    expect(text).toContain('▶ Give users without a tenant one of their own 20,000 of 40,000');
    expect(text).toContain('· Make the spaces');
    expect(text).toContain('10 s so far');
  });

  it('has who voted and when, and no vote buttons', () => {
    const vote = {
      voter: { id: 'UBOB', name: 'bob' },
      choice: 'approve' as const,
      digest: '',
      reason: null,
      at: '2026-11-20T09:58:00.000Z',
    };
    const card = runCard({ ...running(), votes: [vote] }, tokens, called, sampleNow);
    expect(textOf(card)).toContain('✓ approved by <@UBOB> at <!date^');
    expect(buttonsOf(card)).toEqual(['Details']);
  });

  it('says how much longer it takes as a range: its step by its own rate, the others by their estimates', () => {
    const estimated = (from: 'measured' | 'guessed'): Run => {
      const run = running();
      const stages = run.plan.stages.map((stage) => ({
        ...stage,
        steps: stage.steps.map((step) => ({ ...step, estimate: { seconds: 120, from } })),
      }));
      return { ...run, plan: { ...run.plan, stages } };
    };
    expect(textOf(progressCard(estimated('measured'), tokens, sampleNow))).toContain('2,000/s · 2–7 min left');
    expect(textOf(progressCard(estimated('guessed'), tokens, sampleNow))).toContain('2,000/s · under 15 min left');
    expect(textOf(progressCard({ ...estimated('measured'), status: 'paused' }, tokens, sampleNow))).not.toContain(
      'left',
    );
  });

  it('measures nothing out of too little', () => {
    const measure = measureRun(running(), new Date('2026-11-20T09:59:50.100Z'));
    expect(measure).toMatchObject({ perSecond: null, left: null });
  });
});

describe('the progress card of a run that people control', () => {
  const all = { ...tokens, pause: 'g', resume: 'h', stop: 'i', cancel: 'j', slower: 'k', faster: 'l' };

  it('offers what fits its status, and asks again before it ends something', () => {
    const card = (status: Run['status']) => progressCard({ ...running(), status }, all, sampleNow);
    expect(buttonsOf(card('queued'))).toEqual(['Withdraw…', 'Details']);
    expect(buttonsOf(card('running'))).toEqual(['Pause', 'Slower', 'Faster', 'Stop…', 'Details']);
    expect(buttonsOf(card('paused'))).toEqual(['Resume', 'Stop…', 'Undo…', 'Details']);
    for (const status of ['queued', 'running', 'paused'] as const) {
      const ending = buttonsIn(card(status).blocks.at(-1)).filter(({ text }) => /Stop|Withdraw/.test(text.text));
      expect(ending.length).toBe(1);
      expect(ending.every(({ confirm }) => confirm?.style === 'danger')).toBe(true);
    }
  });

  it('says who asked for what, why it waits, and how fast it goes', () => {
    const run = running();
    const control = {
      ...run.control,
      pace: 0.5,
      asked: { what: 'stop' as const, by: 'erin' },
      waits: 'waits: 3 sessions wait for locks in relational',
    };
    const text = textOf(progressCard({ ...run, control }, all, sampleNow));
    expect(text).toContain('erin asked to stop: at the next batch');
    expect(text).toContain('waits: 3 sessions wait for locks in relational');
    expect(text).toContain('pace 0.5');
  });

  it('says why it stands still, and leaves the vote to the card of the step', () => {
    const run = running();
    const step = sampleStep({ id: 'data.drop', title: 'Delete old nodes', effect: 'destroys', count: 7 });
    const gate = {
      id: 1,
      step,
      digest: 'f'.repeat(64),
      votesNeeded: 1,
      state: 'open' as const,
      askedAt: '2026-11-20T09:59:00.000Z',
      expiresAt: '2026-11-20T10:59:00.000Z',
      votes: [],
    };
    const control = {
      ...run.control,
      pause: '“Delete old nodes” needs a vote of its own',
      gates: [gate],
      ballot: gate,
    };
    const paused: Run = { ...run, status: 'paused', control };
    const card = runCard(paused, all, called, sampleNow);
    expect(textOf(card)).toContain('paused:* “Delete old nodes” needs a vote of its own');
    expect(buttonsOf(card)).toEqual(['Stop…', 'Undo…', 'Details']);
    const ballot = gateCard(paused, gate, all, called);
    expect(textOf(ballot)).toContain('SANDBOX · destroys 7 · Delete old nodes');
    expect(textOf(ballot)).toContain('<@UBOB> please vote');
    expect(buttonsOf(ballot)).toEqual(['Approve', 'Reject…', 'Details']);
    const over = gateCard({ ...paused, status: 'running', control: { ...control, ballot: null } }, gate, all, called);
    expect(buttonsOf(over)).toEqual([]);
  });
});

describe('the failure card', () => {
  const failure = {
    code: 'unreachable' as const,
    message: 'graph at bolt://127.0.0.1:7687 is down.',
    advice: 'Start it, then Retry.',
    retryable: true,
  };

  it('says what happened, what is safe and what to do, with three ways on', () => {
    const card = failureCard({ ...running(), status: 'parked', failure }, tokens, sampleNow);
    const text = textOf(card);
    expect(text).toContain('*What happened:* graph at bolt://127.0.0.1:7687 is down.');
    expect(text).toContain('20,000 of 41,703 records are written and journaled');
    expect(text).toContain('*What to do:* Start it, then Retry.');
    expect(buttonsOf(card)).toEqual(['Retry', 'Undo…', 'Keep and stop', 'Details']);
  });

  it('says when it undoes itself, as its approval said that it would', () => {
    const undoDue = '2026-11-20T10:20:00.000Z';
    expect(textOf(failureCard({ ...running(), status: 'parked', failure, undoDue }, tokens, sampleNow))).toContain(
      'it undoes itself at ',
    );
    expect(textOf(failureCard({ ...running(), failure, undoDue }, tokens, sampleNow))).not.toContain('undoes itself');
    const plan = samplePlan({ undoAfterMinutes: 20 });
    expect(textOf(approvalCard(sampleRun({ plan }), tokens, called))).toContain(
      'nobody decides within 20 min, it undoes itself: your vote covers that.',
    );
  });

  it('has no buttons once the run has moved on', () => {
    expect(buttonsOf(failureCard({ ...running(), failure }, tokens, sampleNow))).toEqual([]);
  });
});

describe('the post at the end', () => {
  it('of a migration mentions the requester, says what changed and offers the undo', () => {
    const run = { ...running(), status: 'done' as const, endedAt: '2026-11-20T10:00:10.000Z', backupId: 'set-1' };
    const card = doneCard(run, tokens, none, sampleNow);
    expect(textOf(card)).toContain('<@UALICE>: 20,000 records written in 20 s');
    expect(buttonsOf(card)).toEqual(['Undo…', 'Details']);
    expect(buttonsOf(doneCard({ ...run, undoneBy: 'run-2' }, tokens, none, sampleNow))).toEqual(['Details']);
  });

  it('of a canary offers to go on with everything', () => {
    const run = sampleRun({ status: 'done', plan: samplePlan({ canary: 'tenant_1' }) });
    const card = doneCard(run, { ...tokens, continue: 'm' }, none, sampleNow);
    expect(buttonsOf(card)).toEqual(['Continue with everything', 'Undo…', 'Details']);
  });

  it('of a validation shows a line a check, with counts, samples and the reason of what was skipped', () => {
    const plan = samplePlan({ action: 'validate', subject: '', totals: { adds: 0, changes: 0, destroys: 0 } });
    const text = textOf(
      doneCard(sampleRun({ plan, status: 'done', findings: sampleFindings }), tokens, none, sampleNow),
    );
    expect(text).toContain('✗ *SANDBOX is not valid: 1 failed*');
    expect(text).toContain('✗ No two users share a tenant: *1,204*\n    `User u-1: tenant_17`, `User u-2: tenant_17`');
    expect(text).toContain('⚠ Every space exists: *3*');
    expect(text).toContain('∅ Vectors carry the same tenant — no vector store is configured');
    expect(text).toContain('✓ Every user has a tenant\n✓ Files carry their space');
  });

  it('of a rollback says what was restored and kept, and why', () => {
    const plan = samplePlan({ action: 'rollback', subject: 'run-01jd0a4ycz' });
    const conflict = {
      system: 'graph',
      stepId: 'data.fill-users',
      collection: 'Notebook',
      key: 'nb-1',
      field: 'title',
      reason: 'changed-since' as const,
      base: 'Old',
      ours: 'Ours',
      theirs: 'Theirs',
    };
    const text = textOf(
      doneCard({ ...running(), plan, status: 'done' }, tokens, { total: 3, conflicts: [conflict] }, sampleNow),
    );
    expect(text).toContain('restored *20,000* · kept *3* · missing *0*');
    expect(text).toContain(
      '• Notebook `nb-1`, `title` (graph): *somebody changed it since* — before `Old`, the run wrote `Ours`, now `Theirs`',
    );
    expect(text).toContain('… and 2 more');
  });
});
