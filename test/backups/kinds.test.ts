import { createBackupKinds } from '../../src/backups/kinds.ts';
import type { StepKind } from '../../src/systems/system.ts';
import { failureOf } from '../systems/contract-subject.ts';
import { kindOf, performAll, stepContext } from '../systems/step-contexts.ts';
import { type SampleFolder, sampleFolder } from './sample-folder.ts';

const setId = 'bak-20261122-100000-aaaa';

let sample: SampleFolder;
let kinds: { [name: string]: StepKind };
beforeEach(async () => {
  sample = await sampleFolder();
  const { people, files, folder } = sample;
  const systems = new Map([people, files].map((system) => [system.name, system]));
  const clock = { now: () => new Date('2026-11-22T10:00:00Z') };
  const made = createBackupKinds({ environment: 'test', systems, folder, clock, engine: 'engine-1' });
  kinds = Object.fromEntries(made.map((kind) => [kind.name, kind]));
});
afterEach(() => sample.remove());

const step = (name: string, input: unknown, over = {}) =>
  performAll(kinds[name] as StepKind, input, stepContext(over), 100);

async function takeSet(): Promise<void> {
  for (const system of ['people', 'files']) await step('backup.take-part', { setId, system });
  await step('backup.seal-set', { setId, systems: ['people', 'files'] });
}

it('takes parts, seals them, and does all of it again after a crash without harm', async () => {
  expect(await step('backup.take-part', { setId, system: 'people' })).toEqual([{ cursor: null, done: 2 }]);
  await takeSet();
  await takeSet();
  expect((await sample.folder.readSet('test', setId)).createdAt).toBe('2026-11-22T10:00:00.000Z');
});

it('takes a part again that could not be taken while the system was down', async () => {
  sample.people.setReachable(false);
  expect((await failureOf(() => step('backup.take-part', { setId, system: 'people' }))).code).toBe('unreachable');
  sample.people.setReachable(true);
  await takeSet();
});

it('binds a restore to what stands there and to the set: any write in between is another plan', async () => {
  await takeSet();
  const preview = () => (kinds['backup.restore-part'] as StepKind).preview({ setId, system: 'people' }, stepContext());
  const first = await preview();
  expect(first).toMatchObject({ count: 2, undoClass: 'one-way' });
  sample.people.put('User', { id: 'u-1', email: 'written since' });
  expect((await preview()).keysHash).not.toBe(first.keysHash);
  expect((await preview()).count).toBe(2);
});

it('restores, and refuses workers that had lost the environment before', async () => {
  await takeSet();
  sample.people.put('User', { id: 'u-3' });
  const fence = { environment: 'test', token: 8 };
  expect(await step('backup.restore-part', { setId, system: 'people' }, { fence })).toEqual([
    { cursor: null, done: 2 },
  ]);
  expect(sample.people.read('User', 'u-3')).toBeNull();
  const late = stepContext({ fence: { environment: 'test', token: 7 } });
  const set = { collection: 'User', set: { a: 1 } };
  const change = () => performAll(kindOf(sample.people, 'memory.set-fields'), set, late, 10);
  expect((await failureOf(change)).code).toBe('fenced');
});

it('names the systems that there are when one is asked for that is not', async () => {
  const failure = await failureOf(() => step('backup.take-part', { setId, system: 'nowhere' }));
  expect(failure.advice).toContain('people, files');
});

it('tells with the restore what the system would replay or lose beside its data', async () => {
  await takeSet();
  const replays = { check: 'replay', title: 'replays 12 messages', status: 'warning', count: 12, samples: [] } as const;
  Object.assign(sample.people, { previewRestore: async () => [replays] });
  const preview = (system: string) =>
    (kinds['backup.restore-part'] as StepKind).preview({ setId, system }, stepContext());
  expect((await preview('people')).findings).toEqual([replays]);
  expect((await preview('files')).findings).toEqual([]);
});
