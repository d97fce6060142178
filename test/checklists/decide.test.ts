import { type ChecklistItem, gatePoints } from '../../src/checklists/checklist-item.ts';
import type { StoredChecklist } from '../../src/checklists/checklist-records.ts';
import { viewChecklist, waitsFor } from '../../src/checklists/checklist-view.ts';
import { decideGate, decideToggles, type Ticker, togglesOf } from '../../src/checklists/decide.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { sampleRun } from '../sample-run.ts';
import { MemoryChecklists } from './memory-checklists.ts';
import { item, reviewed, stored, toldUsers } from './sample-checklist.ts';

const erin: Ticker = { id: 'UERIN', name: 'erin', roles: ['operator'] };
const bob: Ticker = { id: 'UBOB', name: 'bob', roles: ['approver'] };
const carol: Ticker = { id: 'UCAROL', name: 'carol', roles: ['viewer'] };
const requester = ['UALICE'];
const list = stored([toldUsers, reviewed, item({ id: 'seen', who: null, evidence: 'health' })]);
const tick = (itemId: string, ticked = true) => [{ itemId, ticked }];

describe('ticking', () => {
  it('is for operators and approvers, not for viewers or strangers', () => {
    for (const person of [erin, bob]) {
      const { answer, ticks } = decideToggles(list, tick('users-told'), person, requester);
      expect(answer).toEqual({ changed: tick('users-told'), refused: null });
      expect(ticks).toEqual([{ itemId: 'users-told', ticked: true, by: { id: person.id, name: person.name } }]);
    }
    for (const roles of [['viewer'], []]) {
      const { answer, ticks, again } = decideToggles(list, tick('users-told'), { ...carol, roles }, requester);
      expect(answer.refused).toMatchObject({ kind: 'refused', code: 'not-allowed' });
      expect({ ticks, again }).toEqual({ ticks: [], again: true });
    }
  });

  it('of an approver’s item takes an approver who did not ask for the run', () => {
    const refusedTo = (person: Ticker, by = requester) =>
      decideToggles(list, tick('reviewed'), person, by).answer.refused?.message;
    expect(refusedTo(erin)).toContain('erin may not tick');
    expect(refusedTo(bob)).toBeUndefined();
    expect(refusedTo(bob, ['UALICE', 'UBOB'])).toContain('had a part in asking for run-01jd0a4ycz');
  });

  it('of what the bot sees, or of what nobody knows, is refused', () => {
    expect(decideToggles(list, tick('seen'), erin, requester).answer.refused).toMatchObject({ code: 'not-allowed' });
    expect(decideToggles(list, tick('users-tolt'), erin, requester).answer.refused).toMatchObject({
      code: 'wrong-use',
      message: expect.stringContaining('Did you mean `users-told`?'),
    });
  });

  it('twice changes nothing the second time, and can be taken back until the run has gone on', () => {
    const by = { id: 'UERIN', name: 'erin' };
    const ticked = { ...list, ticks: [{ itemId: 'users-told', ticked: true, by, at: '2026-11-20T10:00:00.000Z' }] };
    expect(decideToggles(ticked, tick('users-told'), bob, requester).ticks).toEqual([]);
    expect(decideToggles(ticked, tick('users-told', false), bob, requester).answer.changed).toHaveLength(1);
    const behind = { ...ticked, passed: { start: '2026-11-20T10:01:00.000Z' } };
    const { answer, ticks } = decideToggles(behind, tick('users-told', false), bob, requester);
    expect(answer.refused).toMatchObject({ code: 'stale' });
    expect(ticks).toEqual([]);
  });
});

describe('boxes', () => {
  it('say only what this person changed against what he saw', () => {
    expect(togglesOf(['a', 'b', 'c'], ['a'], ['a', 'b'])).toEqual([{ itemId: 'b', ticked: true }]);
    expect(togglesOf(['a', 'b', 'c'], ['a', 'b'], ['b'])).toEqual([{ itemId: 'a', ticked: false }]);
    expect(togglesOf(['a'], ['a', 'other'], ['a', 'strange'])).toEqual([]);
  });
});

describe('a gate', () => {
  it('where nothing gates is open, and so is one of which nothing is part of the run', () => {
    const run = sampleRun();
    const absent = item({ id: 'seen', who: null, evidence: 'services-stopped', gates: 'services-up' });
    for (const items of [[], [reviewed], [absent]]) {
      for (const point of gatePoints) expect(decideGate(stored(items), run, [], point).answer).toEqual([]);
    }
  });

  it('waits for what the bot sees, too, and stays open once the run went through', () => {
    const proven = item({ id: 'proven', who: null, evidence: 'backup-proven', gates: 'start' });
    const run = sampleRun();
    expect(decideGate(stored([proven]), run, [], 'start')).toMatchObject({
      answer: [{ id: 'proven' }],
      waitsAt: 'start',
    });
    const sets = [{ id: 'b', createdAt: run.requestedAt, proven: { at: run.requestedAt, seconds: 1 } }];
    expect(decideGate(stored([proven]), run, sets, 'start')).toMatchObject({
      answer: [],
      passes: 'start',
      waitsAt: null,
    });
    const behind = stored([proven], { passed: { start: run.requestedAt } });
    expect(decideGate(behind, run, [], 'start')).toEqual({ answer: [], waitsAt: null });
  });

  it('never opens with an item of it that is not ticked, in whatever order people tick, untick and the run comes by', async () => {
    const run = sampleRun();
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = randomFrom(seed);
      const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
      const items = Array.from(
        { length: 1 + Math.floor(random() * 6) },
        (_, index): ChecklistItem =>
          item({ id: `i-${index}`, gates: pick(['nothing', ...gatePoints]), who: pick(['operator', 'approver']) }),
      );
      const records = new MemoryChecklists(systemClock);
      records.open(run.id, items);
      for (let move = 0; move < 40; move += 1) {
        const before = (await records.find(run.id)) as StoredChecklist;
        if (random() < 0.3) {
          const point = pick(gatePoints);
          const waits = await records.change(run.id, (now) => decideGate(now, run, [], point));
          const open = items.filter(({ id, gates }) => gates === point && !isTicked(before, id));
          if (before.passed[point] === undefined) expect(waits?.map(({ id }) => id)).toEqual(open.map(({ id }) => id));
        } else {
          const toggle = { itemId: pick(items).id, ticked: random() < 0.6 };
          const person = { ...pick([erin, bob, carol]), id: pick(['UALICE', 'UBOB']) };
          await records.change(run.id, (now) => decideToggles(now, [toggle], person, requester));
        }
        const now = (await records.find(run.id)) as StoredChecklist;
        for (const point of gatePoints) {
          if (now.passed[point] === undefined) continue;
          expect(waitsFor(viewChecklist(now, run, []), point)).toEqual([]);
        }
      }
    }
  });
});

function isTicked({ ticks }: StoredChecklist, id: string): boolean {
  return ticks.some(({ itemId, ticked }) => itemId === id && ticked);
}

/** Small, and the same on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) >>> 0;
    return state / 2 ** 32;
  };
}
