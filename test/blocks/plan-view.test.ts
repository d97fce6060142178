import { adviceMessage, waysOf } from '../../blocks/advice.ts';
import { approvalCard } from '../../blocks/approval-card.ts';
import { pages } from '../../blocks/fit.ts';
import type { Message } from '../../blocks/message.ts';
import { planMessage } from '../../blocks/plan-view.ts';
import { blockErrors } from '../../sandbox/slack/limits/blocks.ts';
import type { Plan } from '../../src/plans/plan.ts';
import type { Finding } from '../../src/systems/finding.ts';
import { restoreWay, sampleAdvice } from '../sample-advice.ts';
import { samplePlan, sampleRun, sampleStep } from '../sample-run.ts';
import { mrkdwnTexts } from './mrkdwn-texts.ts';

const textOf = (message: Message): string => mrkdwnTexts(message.blocks).join('\n');
const tokens = { approve: 'a', reject: 'b', details: 'c' };
const nobody = { users: [], groups: [] };

const steps = [
  sampleStep({ id: 'data.fill', estimate: { seconds: 200, from: 'measured' } }),
  sampleStep({ id: 'data.many', title: 'Copy the nodes', effect: 'adds', count: 900, exact: false, samples: [] }),
  sampleStep({
    id: 'data.drop',
    title: 'Drop the old column',
    effect: 'destroys',
    undoClass: 'reversible-until',
    count: 7,
  }),
  sampleStep({
    id: 'data.end',
    title: 'Delete the old nodes',
    effect: 'destroys',
    undoClass: 'one-way',
    count: 12,
    ownApproval: true,
    estimate: { seconds: 40, from: 'guessed' },
  }),
];
const plan = samplePlan({
  stages: [{ id: 'data', title: 'Data', always: false, steps }],
  about: { from: '2.0', to: '2.1', flag: 'spaces', contact: '#platform' },
  holdDays: 14,
  estimate: { seconds: 240, from: 'guessed' },
  totals: { adds: 900, changes: 40_000, destroys: 19 },
  undoClass: 'one-way',
  findings: [{ check: 'x', title: 'Documents without owner', status: 'warning', count: 3, samples: ['Document d-1'] }],
});

describe('a plan', () => {
  it('says what it means as a whole: versions, flag, contact, time, where undo ends, what is kept how long, which votes come later', () => {
    const text = textOf(planMessage({ plan, votesNeeded: 2, refused: false }, 'all'));
    expect(text).toContain('data model `2.0` → `2.1` · flag `spaces` · contact #platform · about 4 min, guessed');
    expect(text).toContain('⚠ Undo works until _Delete the old nodes_ begins: there is no undo then, only a restore');
    expect(text).toContain(
      "⏳ undo for 14 days after the run's end: _Drop the old column_ (kept aside until released)",
    );
    expect(text).toContain('✋ Stops for a vote of its own before _Delete the old nodes_');
    expect(text).toContain('Asked for now it needs 2 votes of others: `/tas migrate space-isolation env:sandbox`');
    expect(text).toContain('⚠ Documents without owner: *3*');
  });

  it('says of each step count, undo, time, vote and samples, and adds up by system', () => {
    const text = textOf(planMessage({ plan, votesNeeded: 1, refused: false }, 'all'));
    expect(text).toContain('*graph* · adds ≥ 900 · changes ≥ 40,000 · destroys ≥ 19');
    expect(text).toContain(
      '• *changes 40,000* · Give users without a tenant one of their own · undo any time · about 3 min 20 s, measured',
    );
    expect(text).toContain('• *adds ≥ 900* · Copy the nodes');
    expect(text).toContain('• *destroys 7* · Drop the old column · undo for 14 days');
    expect(text).toContain('• *destroys 12* · Delete the old nodes · NO UNDO · about 40 s, guessed · vote of its own');
    expect(text).toContain('User `u-1`: `personal_tenant_id` `∅` → `tenant_1700000000000001`');
  });

  it('is the same evidence on the card that people vote on', () => {
    const text = textOf(approvalCard(sampleRun({ plan }), tokens, nobody));
    expect(text).toContain('data model `2.0` → `2.1`');
    expect(text).toContain('⚠ Undo works until _Delete the old nodes_ begins');
    expect(text).toContain('• *destroys 12* · Delete the old nodes · NO UNDO');
  });

  it('that would be refused says so, and why', () => {
    const findings = [{ check: 'y', title: 'Shared tenants', status: 'failed', count: 4, samples: [] }] as const;
    const text = textOf(planMessage({ plan: { ...plan, findings }, votesNeeded: 1, refused: true }, 'pages'));
    expect(text).toContain('✗ Asked for now it is refused: 1 finding failed.');
    expect(text).toContain('✗ Shared tenants: *4*');
    expect(text).not.toContain('Asked for now it needs');
  });
});

describe('a plan with 40 steps and 300 findings', () => {
  const finding = (index: number): Finding => ({
    check: `c-${index}`,
    title: `Record ${index} of the collection is not as the new data model wants it to be`,
    status: index % 3 === 0 ? 'failed' : 'warning',
    count: index,
    samples: Array.from({ length: 5 }, (_, sample) => `Document d-${index}-${sample}: space_1700000000000${index}`),
    advice: 'Give it an owner that exists, or delete it, and then ask for the plan again.',
  });
  const large: Plan = {
    ...plan,
    stages: [
      {
        id: 'data',
        title: 'Data',
        always: false,
        steps: Array.from({ length: 40 }, (_, index) =>
          sampleStep({
            id: `data.step-${index}`,
            title: `Step ${index} ${'with the longest title that a migration file may have '.repeat(3)}`.slice(0, 120),
            system: `store-${index % 4}`,
            estimate: { seconds: 3_725, from: 'measured' },
            locks: ['audimodal_files: ACCESS EXCLUSIVE for less than 1 s'],
            samples: Array.from({ length: 5 }, (_each, sample) => ({
              collection: 'Document',
              key: `9855e094-36a6-4d3a-a4f5-d77da461443${sample}`,
              before: { tenant_id: null, space_id: null, storage_path: 'tenant_1/files/a.pdf' },
              after: { tenant_id: 'tenant_1700000000000001', space_id: 'space_1700000000000001', storage_path: 'x' },
            })),
          }),
        ),
      },
    ],
    findings: Array.from({ length: 300 }, (_, index) => finding(index + 1)),
  };

  it('fits on a card with every step, the failed findings first and how many more there are', () => {
    const card = approvalCard(sampleRun({ plan: large }), tokens, nobody);
    expect(blockErrors(card.blocks, 50)).toEqual([]);
    const text = textOf(card);
    for (let index = 0; index < 40; index += 1) expect(text).toContain(`Step ${index} with`);
    expect(text).not.toContain('see Details');
    expect(text.indexOf('✗ Record 3 of')).toBeGreaterThan(-1);
    expect(text).toContain('… and 93 ✗ · 200 ⚠ more');
  });

  it('goes into the messages that an answer may have, and a terminal gets all of it', () => {
    const shown = pages(planMessage({ plan: large, votesNeeded: 1, refused: true }, 'pages'), 4, 'elsewhere');
    for (const page of shown) expect(blockErrors(page.blocks, 50)).toEqual([]);
    const text = shown.map(textOf).join('\n');
    for (let index = 0; index < 40; index += 1) expect(text).toContain(`Step ${index} with`);
    const all = textOf(planMessage({ plan: large, votesNeeded: 1, refused: true }, 'all'));
    for (let index = 1; index <= 300; index += 1) expect(all).toContain(` Record ${index} of`);
    expect(all.match(/9855e094/g)).toHaveLength(200);
  });
});

describe('pages', () => {
  it('that may not all be sent say on the last one how many more there are, and where', () => {
    const block = { type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(2_900), verbatim: true } } as const;
    const message = { text: 'long', blocks: Array.from({ length: 20 }, () => block) };
    const kept = pages(message, 2, 'in a terminal');
    expect(kept).toHaveLength(2);
    expect(textOf(kept[1] as Message)).toMatch(/… and \d more pages: in a terminal$/);
    expect(pages(message, 50, 'x').at(-1)).toEqual(pages(message, 51, 'y').at(-1));
  });
});

describe('the ways back', () => {
  it('are listed with time, price and reasons, and the recommended one first', () => {
    const text = textOf(adviceMessage(sampleAdvice(), null));
    expect(text).toContain('*Recommended: undo.* Undo keeps what others wrote: 17,387 restored, 4 kept');
    expect(text).toContain('*Undo:* restores 17,387, keeps 4 · about 42 s, measured');
    expect(text).toContain(
      '• *graph*: restores 17,387, keeps 3 because somebody changed it since, 1 because newer records refer to it',
    );
    expect(text).toContain('stays: `Notebook nb-1 title: changed-since`');
    expect(text).toContain('• graph:User.personal_tenant_id: 1 (`tenant_1700000000000001`)');
    expect(text).toContain("the run's own set");
    expect(text).toContain('⚠ not proven');
    expect(text).toContain('about 1 min 35 s, guessed, safety set included');
    expect(text).toContain('What others wrote since IS LOST.');
    expect(text).toContain('Notebook 1,000 in the set, 1,003 now');
    expect(text).toContain('not told: changes in place');
    expect(text).toContain('• *records*: holds what the set holds; nothing is lost');
    expect(text).toContain('*Point in time:* not open yet');
    expect(text).toContain('`/tas rollback run-01jd0a4ycz way:undo`');
    expect(text).toContain('`/tas restore bak-20261120-095500-4f2a env:sandbox`');
  });

  it('are buttons in Slack, and a restore asks again with what it loses', () => {
    const advice = sampleAdvice();
    expect(waysOf(advice).map(({ words }) => words)).toEqual([
      'rollback run-01jd0a4ycz way:undo',
      'restore bak-20261120-095500-4f2a env:sandbox',
    ]);
    const { blocks } = adviceMessage(advice, ['t-undo', 't-restore']);
    expect(blocks.find((block) => block.type === 'actions')).toMatchObject({
      elements: [
        { text: { text: 'Undo' }, value: 't-undo', style: 'primary' },
        {
          text: { text: 'Restore bak-20261120-095500-4f2a' },
          value: 't-restore',
          confirm: { text: { text: expect.stringContaining('IS LOST') }, style: 'danger' },
        },
      ],
    });
  });

  it('that are closed say why, and have no button', () => {
    const undo = { open: false, code: 'precondition-failed', message: 'It is one-way.', advice: 'Restore.' } as const;
    const advice = sampleAdvice({ undo, restores: [restoreWay({ rewinds: ['run-9'] })] });
    const message = adviceMessage(advice, ['t']);
    expect(textOf(message)).toContain('*Undo:* not open. It is one-way.');
    expect(textOf(message)).toContain('also rewinds `run-9`');
    expect(waysOf(advice)).toHaveLength(1);
    expect(textOf(adviceMessage(sampleAdvice({ undo, restores: [] }), null))).toContain('No way back is open.');
  });
});
