import { answer } from '../../commands/answer.ts';
import type { Reply } from '../../commands/command.ts';
import type { Desks } from '../../commands/desks.ts';
import { parseWords } from '../../commands/parse-words.ts';
import { openChecklists } from '../../src/checklists/open-checklists.ts';
import type { Person } from '../../src/runs/door.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { Result } from '../../src/terminal/result.ts';
import { runTerminal } from '../../src/terminal/run-terminal.ts';
import { MemoryChecklists } from '../checklists/memory-checklists.ts';
import { item, reviewed, toldUsers } from '../checklists/sample-checklist.ts';
import { fakeDesks } from '../fake-desks.ts';
import { alice, bob, carol, FakeDoor, mallory } from '../fake-door.ts';
import { MemoryNotices } from '../memory-notices.ts';
import { samplePlan, sampleRun } from '../sample-run.ts';

const run = sampleRun();
const elsewhere = sampleRun({ id: 'run-01jd0a4yd0', plan: samplePlan({ environment: 'production' }) });
let door: FakeDoor;
let lists: MemoryChecklists;
let desks: Desks;

beforeEach(() => {
  door = new FakeDoor();
  lists = new MemoryChecklists(systemClock);
  const { desk } = openChecklists({
    records: lists,
    findRun: (id) => door.run(id),
    listBackups: async () => [],
    notices: new MemoryNotices(),
    clock: systemClock,
    packs: [],
    environments: {},
    openRuns: async (environment) =>
      [...door.runMap.values()].reverse().filter((each) => (environment ?? each.environment) === each.environment),
  });
  desks = fakeDesks({ checklists: desk });
  for (const each of [run, elsewhere]) {
    door.add(each);
    lists.open(each.id, [
      toldUsers,
      reviewed,
      item({ id: 'seen', who: null, evidence: 'way-back', text: 'A way back' }),
    ]);
  }
});

const ask = (line: string, person: Person = alice): Promise<Reply> =>
  answer(parseWords(line), { door, desks, person, show: null });

async function tas(line: string, person: Person = alice): Promise<{ exit: number; out: string }> {
  let out = '';
  const exit = await runTerminal(line.split(' '), {
    open: async () => ({ door, desks, person, close: async () => undefined }),
    out: (text) => {
      out += text;
    },
    err: () => undefined,
    clock: systemClock,
  });
  return { exit, out };
}

describe('checklist', () => {
  it('shows that of the newest open run, of one environment, or of a run', async () => {
    expect(await ask('checklist', carol)).toMatchObject({
      kind: 'checklist',
      view: { runId: elsewhere.id },
      changed: null,
    });
    expect(await ask('checklist env:sandbox', carol)).toMatchObject({ view: { runId: run.id } });
    expect(await ask(`checklist ${run.id}`, carol)).toMatchObject({ view: { runId: run.id } });
  });

  it('says where there is none, and to whom nothing is shown', async () => {
    door.add(sampleRun({ id: 'run-01jd0a4yd1' }));
    expect(await ask('checklist run-01jd0a4yd1')).toMatchObject({ kind: 'refused', code: 'unknown-run' });
    lists.lists.clear();
    expect(await ask('checklist env:sandbox')).toMatchObject({ message: 'No open run in sandbox has a checklist.' });
    expect(await ask('checklist', mallory)).toMatchObject({ kind: 'refused', code: 'not-allowed' });
  });

  it('ticks and unticks for who may, once, and asks where when nobody said', async () => {
    const ticked = { itemId: 'users-told', ticked: true };
    expect(await ask('checklist tick users-told')).toMatchObject({
      kind: 'choose-environment',
      words: 'checklist tick users-told',
    });
    expect(await ask('checklist tick users-told env:sandbox')).toMatchObject({ changed: [ticked] });
    expect(await ask(`checklist tick users-told ${run.id}`)).toMatchObject({ changed: [] });
    expect(lists.lists.get(elsewhere.id)?.ticks).toEqual([]);
    expect(await ask(`checklist untick users-told ${run.id}`, bob)).toMatchObject({
      changed: [{ ...ticked, ticked: false }],
    });
    for (const person of [carol, { ...alice, roles: ['approver', 'operator'] as const }]) {
      expect(await ask(`checklist tick reviewed ${run.id}`, person)).toMatchObject({
        kind: 'refused',
        code: 'not-allowed',
      });
    }
    expect(await ask(`checklist tick seen ${run.id}`)).toMatchObject({ kind: 'refused', code: 'not-allowed' });
    expect(await ask(`checklist tick sen ${run.id}`)).toMatchObject({ kind: 'refused', code: 'wrong-use' });
    expect(lists.history.map(({ by, ticked: on }) => [by.name, on])).toEqual([
      ['alice', true],
      ['bob', false],
    ]);
  });

  it.each(['checklist tick', 'checklist a b', 'checklist tick a b c'])('refuses %s', async (line) => {
    await expect(ask(line)).rejects.toMatchObject({ code: 'wrong-use' });
  });

  it('in a terminal prints lines with the ids that are typed, and ends as others do', async () => {
    const { exit, out } = await tas('checklist env:sandbox');
    expect(exit).toBe(0);
    expect(out).toContain('☐ Users know · users-told · operator · the run waits for it before the start');
    expect(out).toContain('✓ A way back');
    expect((await tas('checklist tick users-told env:sandbox', bob)).out).toContain('✓ Users know · users-told · bob');
    expect((await tas('checklist tick users-told env:sandbox', carol)).exit).toBe(3);
    const json = JSON.parse((await tas('checklist env:sandbox --json')).out) as Result;
    expect(json).toMatchObject({ run: run.id, environment: 'sandbox', message: '1 of 3 items are open' });
    expect(json.checklist?.items.map(({ id, state }) => [id, state])).toEqual([
      ['users-told', 'ticked'],
      ['reviewed', 'open'],
      ['seen', 'ticked'],
    ]);
  });
});
