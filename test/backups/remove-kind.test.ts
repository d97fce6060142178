import { createRemoveKind } from '../../src/backups/remove-kind.ts';
import type { Retention } from '../../src/backups/retention.ts';
import type { StepKind } from '../../src/systems/system.ts';
import { performAll, stepContext } from '../systems/step-contexts.ts';
import { type SampleFolder, sampleFolder } from './sample-folder.ts';

const [old, proven, young, newest] = [
  'bak-20260901-100000-aaaa',
  'bak-20260902-100000-bbbb',
  'bak-20261120-100000-cccc',
  'bak-20261122-100000-dddd',
] as const;

let sample: SampleFolder;
let rule: Retention | null;
let kind: StepKind;
beforeEach(async () => {
  sample = await sampleFolder();
  rule = { newest: 1, days: 7 };
  kind = createRemoveKind({
    environment: 'test',
    folder: sample.folder,
    rule: async () => rule,
    clock: { now: () => new Date('2026-11-23T03:00:00Z') },
  });
  for (const id of [old, proven, young, newest]) {
    await sample.take(id, `${id.slice(4, 8)}-${id.slice(8, 10)}-${id.slice(10, 12)}T10:00:00.000Z`);
  }
  await sample.folder.markProven('test', proven, { at: '2026-09-03T00:00:00.000Z', seconds: 1 });
});
afterEach(() => sample.remove());

const ids = async () => (await sample.folder.listSets('test')).map(({ id }) => id);
const preview = (setIds: readonly string[]) => kind.preview({ setIds }, stepContext());
const perform = (setIds: readonly string[]) => performAll(kind, { setIds }, stepContext(), 100);

it('says what goes, how much it is and what stays, before anything goes', async () => {
  const found = await preview([old]);
  expect(found).toMatchObject({ count: 1, undoClass: 'one-way' });
  expect(found.findings).toMatchObject([
    { status: 'warning', title: expect.stringMatching(/^1 backup sets go for good, \d+(\.\d)? k?B at least; 3 stay$/) },
  ]);
  expect(found.findings[0]?.samples).toEqual([
    expect.stringMatching(new RegExp(`^${old} of 2026-09-01, \\d+(\\.\\d)? k?B$`)),
  ]);
  expect(found.findings[0]?.advice).toContain(proven);
  expect(await ids()).toHaveLength(4);
});

it('removes what was signed and nothing else, and again after a crash nothing more', async () => {
  expect(await perform([old])).toEqual([{ cursor: null, done: 1 }]);
  expect(await ids()).toEqual([newest, young, proven]);
  expect(await perform([old])).toEqual([{ cursor: null, done: 0 }]);
});

it('keeps a signed set that a run has come to need, or that the rule keeps by now', async () => {
  const before = await preview([old]);
  rule = { newest: 1, days: 7, needed: new Set([old]) };
  expect((await preview([old])).keysHash).not.toBe(before.keysHash);
  expect(await perform([old, proven, young, newest])).toEqual([{ cursor: null, done: 0 }]);
  rule = { newest: 1, days: 700 };
  await perform([old]);
  rule = null;
  await perform([old]);
  expect(await ids()).toHaveLength(4);
});

it('never removes the newest set or the last proven one, whatever was signed', async () => {
  rule = { newest: 1, days: 1 };
  await perform([old, proven, young, newest]);
  expect(await ids()).toEqual([newest, proven]);
});
