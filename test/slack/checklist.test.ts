import type { Message } from '../../sandbox/slack/slack.ts';
import type { ChecklistItem } from '../../src/checklists/checklist-item.ts';
import { type Checklists, openChecklists } from '../../src/checklists/open-checklists.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { hostile } from '../blocks/hostile-run.ts';
import { MemoryChecklists } from '../checklists/memory-checklists.ts';
import { item } from '../checklists/sample-checklist.ts';
import { sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

const users = item({ id: 'users-told', text: 'Users know', gates: 'start' });
const standby = item({ id: 'standby', text: 'Somebody stands by' });
const audit = item({ id: 'audit', text: 'The audit is told', who: 'approver' });
const seen = item({ id: 'seen', text: 'The way back is ready', who: null, evidence: 'way-back' });
const run = sampleRun({ requester: { id: 'U0ALICE00', name: 'alice' } });

let setup: FrontOnSlack;
let lists: MemoryChecklists;
let checklists: Checklists;

beforeEach(async () => {
  setup = await startFrontOnSlack('http', false);
  lists = new MemoryChecklists(systemClock);
  checklists = openChecklists({
    records: lists,
    findRun: (id) => setup.door.run(id),
    listBackups: async () => [],
    notices: setup.notices,
    clock: systemClock,
    packs: [],
    environments: {
      sandbox: { channel: 'tas-platform', checklist: { files: [], items: [], gates: {}, without: [] }, variables: {} },
    },
    openRuns: async () => [...setup.door.runMap.values()],
  });
  setup.desks = { checklists: checklists.desk };
  await setup.restart();
});
afterEach(() => setup.stop());

async function open(items: readonly ChecklistItem[] = [users, standby, audit, seen]): Promise<Message> {
  lists.open(run.id, items);
  setup.door.add(run);
  await setup.slack.waitFor('the card', () => setup.slack.messages('tas-platform')[0]);
  await checklists.board.sweep();
  return setup.slack.waitFor('the checklist', () => findList());
}

const findList = (): Message | undefined =>
  setup.slack.messages('tas-platform').find(({ text }) => text.startsWith('Checklist'));
const shown = (message: Message): string => JSON.stringify(message.blocks);
const ticked = (): string[] =>
  (lists.lists.get(run.id)?.ticks ?? [])
    .filter((tick) => tick.ticked)
    .map(({ itemId }) => itemId)
    .toSorted();
/** As somebody sees it who does not look again. */
const still = (message: Message): Message => ({ ...message, blocks: message.blocks });

describe('a checklist in Slack', () => {
  it('stands in the thread of its run, with boxes for people and links to the run', async () => {
    const list = await open();
    const [card] = setup.slack.messages('tas-platform');
    expect(list.threadTs).toBe(card?.ts);
    expect(shown(list)).toContain('✓ The way back is ready');
    expect(shown(list)).toMatch(/<https:\/\/[^|]+\/p\d+\|run-01jd0a4ycz>/);
    expect(shown(list)).toContain('the run waits for it before the start');
  });

  it('is ticked by a click, edited in place, and told in the story of the run', async () => {
    const list = await open();
    await setup.slack.as('alice').select(list, 'tas-boxes-0', ['Users know']);
    await setup.slack.waitFor('the tick', () => shown(list).includes('alice, '));
    expect(lists.said).toEqual(['alice ticked “Users know”']);
    expect(setup.slack.messages('tas-platform').filter(({ text }) => text.startsWith('Checklist'))).toHaveLength(1);
    await setup.slack.as('erin').select(list, 'tas-boxes-0', []);
    await setup.slack.waitFor('the tick to go', () => shown(list).includes('taken back by erin'));
    expect(ticked()).toEqual([]);
  });

  it('takes two people’s clicks at once, on what each of them saw, and loses none', async () => {
    const list = await open();
    const before = still(list);
    await Promise.all([
      setup.slack.as('alice').select(before, 'tas-boxes-0', ['Users know']),
      setup.slack.as('erin').select(before, 'tas-boxes-0', ['Somebody stands by']),
      setup.slack.as('bob').select(before, 'tas-boxes-0', ['The audit is told']),
    ]);
    await until(() => ticked().length === 3);
    // Alice has not looked again: what the others ticked is not there for her, and not hers to take away.
    await setup.slack.as('alice').select(before, 'tas-boxes-0', []);
    await until(() => !ticked().includes('users-told'));
    expect(ticked()).toEqual(['audit', 'standby']);
    expect(lists.history.map(({ by, itemId }) => `${by.name} ${itemId}`).toSorted()).toEqual([
      'alice users-told',
      'alice users-told',
      'bob audit',
      'erin standby',
    ]);
  });

  it('goes on after a restart in between, with the boxes that were shown before', async () => {
    const list = await open();
    const before = still(list);
    await setup.slack.as('alice').select(before, 'tas-boxes-0', ['Users know']);
    await until(() => ticked().length === 1);
    await setup.front.stop();
    await setup.restart();
    await setup.slack.as('erin').select(before, 'tas-boxes-0', ['Somebody stands by']);
    await setup.slack.waitFor('both', () => shown(list).includes('alice, ') && shown(list).includes('erin, '));
    expect(ticked()).toEqual(['standby', 'users-told']);
  });

  it('tells a viewer and the requester why not, and draws their boxes as they are', async () => {
    const list = await open();
    const boxesBefore = blockIdOf(list);
    await setup.slack.as('carol').select(list, 'tas-boxes-0', ['Users know']);
    const refusal = await setup.slack.waitFor('the refusal', () => setup.slack.as('carol').ephemerals()[0]);
    expect(shown(refusal)).toContain('carol may not tick “Users know”');
    await setup.slack.waitFor('new boxes', () => blockIdOf(list) !== boxesBefore);
    await setup.slack.as('alice').select(list, 'tas-boxes-0', ['The audit is told']);
    await setup.slack.waitFor('the refusal', () => setup.slack.as('alice').ephemerals()[0]);
    expect(ticked()).toEqual([]);
  });

  it('takes no boxes that it did not draw', async () => {
    const list = await open();
    const forged = list.blocks.map((block) =>
      block.type === 'actions' && block.block_id ? { ...block, block_id: 'tas-token-guessed' } : block,
    );
    await setup.slack.as('alice').select({ ...list, blocks: forged }, 'tas-boxes-0', ['Users know']);
    const answer = await setup.slack.waitFor('the answer', () => setup.slack.as('alice').ephemerals()[0]);
    expect(answer.text).toBe('This button is out of date');
    expect(ticked()).toEqual([]);
  });

  it('shows all of sixty items in a window whose boxes count, too', async () => {
    const many = Array.from({ length: 60 }, (_, index) =>
      item({
        id: `i-${index}`,
        part: (['before', 'during', 'after'] as const)[index % 3] ?? 'after',
        text: `${index} ${hostile}`.slice(0, 75),
      }),
    );
    const list = await open(many);
    await setup.slack.as('alice').click(list, 'Show all');
    const window = await windowOf('alice');
    expect(JSON.stringify(window.view).match(/"checkboxes"/g)).toHaveLength(6);
    await setup.slack.as('alice').select(window, 'tas-boxes-5', ['0']);
    await until(() => ticked().length === 1);
    expect(ticked()).toEqual(['i-32']);
    await setup.slack.waitFor('the window to show it', () => JSON.stringify(shownWindow()).includes('alice, '), 5_000);
    await setup.slack.as('carol').click(list, 'Show all');
    const hers = await windowOf('carol');
    await setup.slack.as('carol').select(hers, 'tas-boxes-0', ['0']);
    await setup.slack.waitFor('the refusal', () => setup.slack.as('carol').sees('U0CAROL00')[0]);
    expect(ticked()).toEqual(['i-32']);
    expect(setup.logged.filter((line) => line.includes('refuse'))).toEqual([]);
  });

  it('knows what a person’s window shows from what the message showed him', async () => {
    const list = await open();
    await setup.slack.as('alice').click(list, 'Show all');
    const window = await windowOf('alice');
    const before = { ...window };
    await setup.slack.as('alice').select(list, 'tas-boxes-0', ['Users know']);
    await until(() => ticked().length === 1);
    await setup.slack.as('alice').select(before, 'tas-boxes-0', ['Somebody stands by']);
    await until(() => ticked().includes('standby'));
    expect(ticked()).toEqual(['standby', 'users-told']);
  });

  it('is answered to /tas checklist, and ticked by words', async () => {
    await open();
    await setup.slack.as('carol').command('/tas checklist');
    const answer = await setup.slack.waitFor('the answer', () => setup.slack.as('carol').ephemerals()[0]);
    expect(answer.text).toContain('Checklist · SANDBOX');
    await setup.slack.as('erin').command('/tas checklist tick standby env:sandbox');
    await until(() => ticked().includes('standby'));
    await setup.slack.as('carol').command(`/tas checklist untick standby ${run.id}`);
    const refusal = await setup.slack.waitFor('the refusal', () => setup.slack.as('carol').ephemerals()[1]);
    expect(shown(refusal)).toContain('may not tick');
    await setup.slack.as('erin').command('/tas checklist tick standby');
    const question = await setup.slack.waitFor('the question', () => setup.slack.as('erin').ephemerals()[1]);
    expect(shown(question)).toContain('environment');
  });

  it('is open again, and says so, when the run is undone', async () => {
    const steps = item({ id: 'steps', text: 'Every step has run', who: null, evidence: 'migrations-run' });
    const list = await open([steps, users]);
    const done = run.steps.map((step) => ({ ...step, state: 'done' as const, endedAt: '2026-11-20T10:01:00.000Z' }));
    setup.door.change(run.id, { status: 'done', steps: done }, 'done', null);
    await checklists.board.sweep();
    await setup.slack.waitFor('the evidence', () => shown(list).includes('✓ Every step has run · 3 steps'));
    setup.door.change(run.id, { undoneBy: 'run-undo' }, 'closed', null);
    await checklists.board.sweep();
    await setup.slack.waitFor('the undo', () => shown(list).includes('⚠ Every step has run · undone by run-undo'));
  });
});

/** As soon as it holds the list. */
const windowOf = (name: 'alice' | 'carol') =>
  setup.slack.waitFor('the window', () => {
    const [open] = setup.slack.as(name).views();
    return JSON.stringify(open?.view ?? null).includes('"checkboxes"') ? open : undefined;
  });

const shownWindow = (): unknown => setup.slack.as('alice').views()[0]?.view;

function blockIdOf({ blocks }: Message): unknown {
  return blocks.find(({ block_id }) => String(block_id).startsWith('tas-token-'))?.block_id;
}
