import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Proof } from '../../src/backups/proof.ts';
import { createProveKind } from '../../src/backups/prove-kind.ts';
import { Failure } from '../../src/shared/failure.ts';
import type { Finding } from '../../src/systems/finding.ts';
import type { System } from '../../src/systems/system.ts';
import type { Scratch } from '../../src/systems/trial.ts';
import { stepContext } from '../systems/step-contexts.ts';
import { type SampleFolder, sampleFolder } from './sample-folder.ts';

const setId = 'bak-20261122-100000-aaaa';
const at = '2026-11-23T03:00:00.000Z';

let sample: SampleFolder;
let systems: Map<string, System>;
/** What the checks find in what was restored of a system. */
let found: (system: string, scratch: Scratch) => Promise<readonly Finding[]>;
beforeEach(async () => {
  sample = await sampleFolder();
  systems = new Map<string, System>([
    ['people', sample.people],
    ['files', sample.files],
  ]);
  found = async () => [];
  await sample.take(setId);
});
afterEach(() => sample.remove());

async function drill(): Promise<readonly Finding[]> {
  const kind = createProveKind({
    environment: 'test',
    systems,
    folder: sample.folder,
    clock: { now: () => new Date(at) },
    look: (system, scratch) => found(system, scratch),
  });
  return (await kind.verify?.({ setId }, stepContext())) ?? [];
}

const proof = async (): Promise<Proof | null | undefined> => (await sample.folder.listSets('test'))[0]?.proven;
const spoil = (): Promise<void> => writeFile(join(sample.root, 'test', setId, 'people', 'records.ndjson'), '{}\n');

it('restores every part beside what is live, notes the proof, and leaves what is live as it is', async () => {
  sample.people.put('User', { id: 'u-3' });
  const before = await sample.people.fingerprint();
  expect(await drill()).toMatchObject([
    { check: 'drill-people', status: 'passed', count: 2 },
    { check: 'drill-files', status: 'passed', count: 1 },
  ]);
  expect(await proof()).toMatchObject({ at, systems: { people: 'restored', files: 'restored' } });
  expect(await sample.people.fingerprint()).toEqual(before);
});

it('says which parts were only read back, and which only by their checksums', async () => {
  const { readPart } = sample.files.trial;
  systems = new Map<string, System>([['files', { ...sample.files, trial: { readPart } as System['trial'] & {} }]]);
  const findings = await drill();
  expect(findings.map(({ title }) => title)).toEqual([
    expect.stringContaining('cannot be restored beside'),
    expect.stringContaining('read back whole'),
  ]);
  expect((await proof())?.systems).toEqual({ people: 'checksums', files: 'read' });
});

it('finds a set that was changed, and takes back what it once was proven to be', async () => {
  await drill();
  await spoil();
  expect(await drill()).toMatchObject([{ check: 'drill-people', status: 'failed' }, { status: 'passed' }]);
  expect(await proof()).toBeNull();
});

it('finds a set whose files are as they were written and do not hold what the store held', async () => {
  const { trial } = sample.people;
  const other: System['trial'] = {
    restoreBeside: (part, folder, context, look) =>
      trial.restoreBeside?.(part, folder, context, (scratch) =>
        look({ ...scratch, fingerprint: { ...scratch.fingerprint, hash: 'another' } }),
      ) as never,
  };
  systems.set('people', { ...sample.people, trial: other });
  const [people] = await drill();
  expect(people).toMatchObject({ status: 'failed', title: expect.stringContaining('counts or fingerprint differ') });
  expect(await proof()).toBeNull();
});

it('reads a part back where the rights to restore it beside the live data are missing, and says so', async () => {
  const { readPart } = sample.files.trial;
  const closed: System['trial'] = {
    restoreBeside: () =>
      Promise.reject(new Failure({ code: 'missing-rights', message: 'It may make no bucket.', advice: 'Grant it.' })),
    readPart: (part, folder, context) => readPart?.(part, folder, context) as never,
  };
  systems.set('files', { ...sample.files, trial: closed });
  expect(await drill()).toMatchObject([
    { check: 'drill-people', status: 'passed' },
    { check: 'drill-files', status: 'passed', title: expect.stringContaining('read back whole') },
    { check: 'drill-files-beside', status: 'warning', advice: 'Grant it.' },
  ]);
  expect((await proof())?.systems).toEqual({ people: 'restored', files: 'read' });
});

it('does not take a proof back because a store was away', async () => {
  await drill();
  const away: System['trial'] = {
    restoreBeside: () => {
      throw new Failure({ code: 'unreachable', message: 'people does not answer.', advice: 'Start it.' });
    },
  };
  systems.set('people', { ...sample.people, trial: away });
  expect(await drill()).toMatchObject([{ status: 'failed', advice: 'Start it.' }, { status: 'passed' }]);
  expect(await proof()).toMatchObject({ at });
});

it('runs the checks over what was restored, and proves nothing that does not pass them', async () => {
  const seen: string[] = [];
  found = async (system, scratch) => {
    seen.push(system);
    const { count } = (await scratch.violations?.('User where email missing')) ?? { count: 0 };
    const bad = system === 'people' && count > 0;
    return bad ? [{ check: 'emails', title: 'Everybody has one', status: 'failed', count, samples: [] }] : [];
  };
  const statement = async () => ({ count: 1, samples: [] });
  const { trial } = sample.people;
  systems.set('people', {
    ...sample.people,
    trial: {
      restoreBeside: (part, folder, context, look) =>
        trial.restoreBeside?.(part, folder, context, (scratch) => look({ ...scratch, violations: statement })) as never,
    },
  });
  systems.set('files', {
    ...sample.files,
    trial: {
      restoreBeside: (part, folder, context, look) =>
        sample.files.trial.restoreBeside?.(part, folder, context, ({ fingerprint }) => look({ fingerprint })) as never,
    },
  });
  expect(await drill()).toMatchObject([{ status: 'passed' }, { check: 'emails', status: 'failed' }, {}]);
  expect(seen).toEqual(['people', 'files']);
  expect(await proof()).toBeNull();
});

it('is tried by one process at a time, while backups go on', async () => {
  const busy = sample.folder.whileTrying('test', async () => {
    await sample.folder.takePart(sample.request('bak-20261123-100000-bbbb'));
    return drill();
  });
  expect(await busy).toMatchObject([{ status: 'failed', title: expect.stringContaining('is working in') }]);
  expect(await proof()).toBeNull();
});

it('does not believe a proof whose systems were changed by somebody else', async () => {
  await drill();
  const file = join(sample.root, 'test', setId, 'proven.json');
  const { signature, at: noted, seconds } = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ at: noted, seconds, systems: { people: 'restored' }, signature }));
  expect(await proof()).toBeNull();
});
