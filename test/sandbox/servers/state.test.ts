import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createState,
  endpointsOf,
  isOrphaned,
  readState,
  type SandboxTraits,
  writeState,
} from '../../../sandbox/servers/state.ts';

const traits: SandboxTraits = { means: 'local', fast: false, jit: 'quick', temporary: false };

describe("a sandbox's state", () => {
  let folder = '';
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'state-test-')), 'sandbox');
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true }));

  it('is read by its owner only and comes back as it was written', async () => {
    const state = await createState(folder, traits);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'state.json'))).mode & 0o777).toBe(0o600);
    await writeState(folder, { ...state, seeded: 5000 });
    expect(await readState(folder)).toEqual({ ...state, seeded: 5000 });
  });

  it('has ports and passwords of its own, and none twice', async () => {
    const state = await createState(folder, traits);
    const other = await createState(`${folder}-other`, traits);
    const secrets = [...Object.values(state.passwords), ...Object.values(other.passwords)];
    expect(new Set(secrets).size).toBe(22);
    expect(new Set(Object.values(state.ports)).size).toBe(11);
    expect(other.postgresFolder).not.toBe(state.postgresFolder);
  });

  it('is not made in a folder that holds something else, for "down" removes the folder', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'thesis.txt'), 'ten years');
    await expect(createState(folder, traits)).rejects.toMatchObject({ code: 'wrong-use' });
    expect(await readState(folder)).toBeNull();
  });

  it('that does not fit is refused and not replaced', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'state.json'), '{"version": 99}');
    await expect(readState(folder)).rejects.toMatchObject({ code: 'invalid-config' });
  });

  it('is orphaned when the process that it was made for has gone', async () => {
    const lasting = await createState(folder, traits);
    const owned = await createState(`${folder}-owned`, { ...traits, temporary: true });
    expect(await isOrphaned(lasting)).toBe(false);
    expect(await isOrphaned(owned)).toBe(false);
    expect(await isOrphaned({ ...owned, owner: { pid: process.pid, started: 'another time' } })).toBe(true);
  });

  it('gives endpoints on the loopback interface that a URL parser takes as they are', async () => {
    const endpoints = endpointsOf(folder, await createState(folder, traits));
    const url = new URL(endpoints.postgres.url);
    expect(url.password).toBe(endpoints.postgres.password);
    expect(url.hostname).toBe('127.0.0.1');
    expect(url.pathname).toBe('/tas_shared');
    expect(new URL(endpoints.botPostgres.url).pathname).toBe('/tas_bot');
  });
});
