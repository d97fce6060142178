import {
  boxGroups,
  type ChecklistTools,
  checklistLines,
  checklistMessage,
  checklistWindow,
} from '../../blocks/checklist.ts';
import type { Checkboxes, Message } from '../../blocks/message.ts';
import { blockErrors } from '../../sandbox/slack/limits/blocks.ts';
import { viewErrors } from '../../sandbox/slack/limits/views.ts';
import { gatePoints, parts } from '../../src/checklists/checklist-item.ts';
import { type ChecklistView, type ItemView, viewChecklist } from '../../src/checklists/checklist-view.ts';
import { item, stored, toldUsers } from '../checklists/sample-checklist.ts';
import { sampleRun } from '../sample-run.ts';
import { hostile } from './hostile-run.ts';
import { mrkdwnTexts } from './mrkdwn-texts.ts';

const view = viewChecklist(stored([toldUsers, item({ id: 'wait', part: 'after' })]), sampleRun(), []);
const open: ItemView = view.items[0] as ItemView;

function of(items: readonly Partial<ItemView>[], over: Partial<ChecklistView> = {}): ChecklistView {
  return {
    ...view,
    items: items.map((some, index) => ({ ...open, id: `i-${index}`, gates: 'nothing', ...some })),
    ...over,
  };
}

function tools(of: ChecklistView, all = false): ChecklistTools {
  return {
    boxes: boxGroups(of, all).map((_, index) => `token-${index}`),
    buttons: { checklist: 'c' },
    link: 'https://x.example/p1',
  };
}

const shown = (of: ChecklistView): Message => checklistMessage(of, tools(of));
const textOf = (message: Pick<Message, 'blocks'>): string => mrkdwnTexts(message.blocks).join('\n');

function boxesOf({ blocks }: Pick<Message, 'blocks'>): readonly Checkboxes[] {
  return blocks
    .flatMap((block) => (block.type === 'actions' ? block.elements : []))
    .filter((element) => element.type === 'checkboxes');
}

const by = { id: 'UBOB', name: 'bob' };
const at = '2026-11-20T10:00:00.000Z';
const seen: Partial<ItemView> = { who: null, evidence: 'backup', state: 'ticked', at, note: 'bak-1, signed' };

describe('a checklist', () => {
  it('shows boxes for people, and what the bot saw with evidence, time and link', () => {
    const some = of([
      { text: 'Users know' },
      { text: 'Stood by', state: 'ticked', by, at },
      { ...seen, text: 'Backed up' },
    ]);
    const message = shown(some);
    const [boxes] = boxesOf(message);
    expect(boxes?.options.map(({ text, value }) => [text.text, value])).toEqual([
      ['Users know', '0'],
      ['Stood by', '1'],
    ]);
    expect(boxes?.initial_options?.map(({ value }) => value)).toEqual(['1']);
    expect(boxes?.options[1]?.description?.text).toBe('bob, 2026-11-20 10:00 UTC');
    expect(textOf(message)).toContain(
      '✓ Backed up · bak-1, signed · <!date^1795168800^{date_short_pretty} {time}^https://x.example/p1|2026-11-20 10:00 UTC>',
    );
    expect(message.text).toContain('2 of 3');
  });

  it('folds parts that are done, says what is not part of the run, and what became open again', () => {
    const some = of([
      { ...seen, part: 'before' },
      { ...seen, part: 'during', state: 'absent', text: 'Images' },
      { ...seen, part: 'during', state: 'open', lost: true, note: 'undone by run-2', text: 'Steps' },
    ]);
    expect(textOf(shown(some))).toContain('✓ *Before* · 1 of 1');
    expect(textOf(shown(some))).not.toContain('bak-1');
    expect(textOf(shown(some))).toContain('⚠ Steps · undone by run-2');
    expect(textOf(shown(some))).toContain('∅ not part of this run: Images');
    expect(textOf(checklistWindow(some, tools(some, true)))).toContain('bak-1');
  });

  it('says of a part that the run has nothing of', () => {
    const some = of([{ ...seen, state: 'absent' }, { part: 'after' }]);
    expect(textOf(shown(some))).toContain('∅ *Before* · not part of this run');
  });

  it('says what the run waits for, and shows no box for what is behind it', () => {
    const waits = of([{ gates: 'start', text: 'Users know' }], { waitsAt: 'start' });
    expect(textOf(shown(waits))).toContain('⏸ *The run waits before the start for:* Users know');
    const behind = of([{ gates: 'start', state: 'ticked', passed: true, by, at }, { text: 'Other' }]);
    expect(boxesOf(shown(behind)).flatMap(({ options }) => options)).toHaveLength(1);
    expect(textOf(shown(behind))).toContain('<@UBOB>');
  });

  it('for a terminal has no boxes, but the ids that are typed', () => {
    const lines = checklistLines(of([{ id: 'users-told' }, { state: 'ticked', by, at }]));
    expect(boxesOf(lines)).toEqual([]);
    expect(textOf(lines)).toContain('☐ Users know · `users-told` · operator');
  });
});

describe('with 60 items, or hostile ones', () => {
  const sixty = of(
    Array.from({ length: 60 }, (_, index) => ({
      part: parts[index % 3] ?? 'after',
      ...(index % 2 === 0 ? {} : { ...seen, state: 'open' as const }),
      text: `Item ${index} ${'of a long text '.repeat(5)}`.slice(0, 75),
    })),
  );
  const hostileItems: Partial<ItemView>[] = Array.from({ length: 100 }, (_, index) => ({
    ...(index % 3 === 0 ? { who: 'approver' } : { who: null, evidence: 'backup' }),
    part: parts[index % 3] ?? 'after',
    text: index === 0 ? '\u202E' : hostile,
    note: hostile,
    by: { id: hostile, name: hostile },
    at: index % 2 === 0 ? hostile : at,
    state: (['open', 'ticked', 'absent'] as const)[index % 5] ?? 'open',
    lost: index % 7 === 0,
    gates: gatePoints[index % 3] ?? 'end',
  }));
  const evil = of(hostileItems, { title: hostile, runId: hostile, environment: hostile, waitsAt: 'start' });

  it.each([
    ['60 items', sixty],
    ['hostile items', evil],
    ['no items', of([])],
  ])('%s stay within Slack’s limits, as a message and as a window', (_, some) => {
    expect(blockErrors(shown(some).blocks, 50)).toEqual([]);
    expect(viewErrors(checklistWindow(some, tools(some, true)))).toEqual([]);
    expect(blockErrors(checklistMessage(some, { boxes: [], buttons: {}, link: null }).blocks, 50)).toEqual([]);
  });

  it('leave nobody’s boxes out of the window, and say what the message leaves out', () => {
    const people = sixty.items.filter(({ who }) => who !== null).length;
    const window = checklistWindow(sixty, tools(sixty, true));
    expect(boxesOf(window).flatMap(({ options }) => options)).toHaveLength(people);
    expect(Math.max(...boxesOf(window).map(({ options }) => options.length))).toBe(10);
    expect(textOf(shown(evil))).toContain('more: see “Show all”');
    expect(shown(evil).blocks.at(-1)).toMatchObject({ type: 'actions', elements: [{ action_id: 'tas-checklist' }] });
  });

  it('mention and link nothing that the bot did not put there', () => {
    for (const text of mrkdwnTexts(shown(evil).blocks).map((each) => each.replace(/`[^`]*`/g, ''))) {
      const marked = text.match(/<[^>]*>/g) ?? [];
      for (const mark of marked)
        expect(mark).toMatch(/^<(https:\/\/x\.example\/p1\|[^|<>]*|!date\^\d+\^[^|<>]+\|[^|<>]+)>$/);
      expect(text).not.toMatch(/[[\p{Cf}\p{Cc}]--[\u2060\n]]|:white_check_mark:|@here/v);
    }
  });
});
