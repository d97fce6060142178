import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parts } from '../../src/checklists/checklist-item.ts';
import { type ChecklistSettings, readChecklist } from '../../src/checklists/read-checklist.ts';
import { item } from './sample-checklist.ts';

const none: ChecklistSettings = { files: [], items: [], gates: {}, without: [] };
const tas = resolve(import.meta.dirname, '../../packs/tas');
let pack: string;

beforeEach(async () => {
  pack = await mkdtemp(join(tmpdir(), 'tas-pack-'));
});
afterEach(() => rm(pack, { recursive: true }));

const write = (text: string, name = 'checklist.yaml') => writeFile(join(pack, name), text);
const read = (settings: Partial<ChecklistSettings> = {}, packs = [pack]) =>
  readChecklist(packs, 'staging', { ...none, ...settings });
const users = '- { id: users-told, part: before, text: Users know, who: operator, gates: start }';

describe('the checklist of the TAS pack', () => {
  it('has nineteen items in three parts, of which two take a person and none holds a run', async () => {
    const items = await read({}, [tas]);
    expect(parts.map((part) => items.filter((each) => each.part === part).length)).toEqual([7, 6, 6]);
    expect(items.filter(({ who }) => who !== null).map(({ id }) => id)).toEqual(['users-told', 'standby']);
    expect(items.every(({ gates }) => gates === 'nothing')).toBe(true);
  });
});

describe('an environment', () => {
  it('adds items, does without some, and lets runs wait for others', async () => {
    await write(`checklist:\n  ${users}`);
    await write('checklist:\n  - { id: audit, part: after, text: The audit is told, who: approver }', 'more.yaml');
    const own = item({ id: 'own' });
    expect((await read({ files: [join(pack, 'more.yaml')], items: [own] })).map(({ id }) => id)).toEqual([
      'users-told',
      'audit',
      'own',
    ]);
    expect(await read({ without: ['users-told'], items: [own], gates: { own: 'end' } })).toEqual([
      { ...own, gates: 'end' },
    ]);
    expect(await read({ gates: { 'users-told': 'nothing' } })).toMatchObject([{ gates: 'nothing' }]);
  });

  it('without a checklist has none', async () => {
    expect(await read()).toEqual([]);
  });

  it.each([
    ['items: [{ id: users-told', /checklist\.yaml, line \d+, column \d+/],
    [`checklist:\n  ${users}\n  ${users}`, /line 3, column 11: two items have the id users-told/],
    ['checklist:\n  - { id: a-b, part: before, text: x }', /write `evidence:` .* or `who: operator`/],
    [
      'checklist:\n  - { id: a-b, part: before, text: x, who: operator, evidence: health }',
      /leave out `who` or `evidence`/,
    ],
    [
      'checklist:\n  - { id: a-b, part: before, text: x, evidence: helth }',
      /line 2, column \d+: checklist\.0\.evidence/,
    ],
    [
      'checklist:\n  - { id: a-b, part: before, text: x, evidence: logs, gates: start }',
      /the run would wait at start for ever: write `gates: end`/,
    ],
    ['checklist:\n  - { id: a-b, part: then, text: x, who: operator }', /checklist\.0\.part/],
    [`checklist:\n  - { id: a-b, part: before, text: ${'x'.repeat(76)}, who: operator }`, /at most 75 characters/],
    [
      `checklist:\n${Array.from({ length: 101 }, (_, n) => `  - { id: i-${n}, part: before, text: x, who: operator }`).join('\n')}`,
      /checklist: /,
    ],
    ['checklist:\n  - { id: a-b, part: before, text: x, who: operator, gate: start }', /gate/],
  ])('refuses what does not fit, with its place: %s', async (text, message) => {
    await write(text);
    await expect(read()).rejects.toMatchObject({ code: 'invalid-file', message: expect.stringMatching(message) });
  });

  it('refuses settings that fit no item, and says which there are', async () => {
    await write(`checklist:\n  ${users}`);
    await expect(read({ gates: { 'user-told': 'start' } })).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringContaining('environments.staging.checklist'),
      advice: expect.stringContaining('Did you mean users-told?'),
    });
    await expect(read({ items: [item({ id: 'users-told' })] })).rejects.toMatchObject({ code: 'invalid-file' });
    const late = item({ id: 'late', who: null, evidence: 'maintenance-off' });
    await expect(read({ items: [late], gates: { late: 'start' } })).rejects.toMatchObject({
      message: expect.stringContaining('gates.late'),
    });
    await expect(read({ files: [join(pack, 'gone.yaml')] })).rejects.toMatchObject({
      message: expect.stringContaining('gone.yaml'),
    });
  });
});
