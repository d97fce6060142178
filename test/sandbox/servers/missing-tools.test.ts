import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { installWithApt } from '../../../sandbox/servers/apt.ts';
import { silentProgress } from '../../../sandbox/servers/progress.ts';
import { findTool, requireTool } from '../../../sandbox/servers/toolbox.ts';

const task = silentProgress.task('test');
const before = { ...process.env };

describe('a tool that is missing', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tools-test-'));
    process.env.TAS_SANDBOX_INSTALL = 'no';
    delete process.env.JAVA_HOME;
  });
  afterEach(async () => {
    process.env = { ...before };
    await rm(folder, { recursive: true });
  });

  async function program(name: string, body: string): Promise<void> {
    await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(folder, name), 0o755);
  }

  it('is named with the command that brings it', async () => {
    process.env.PATH = folder;
    await expect(requireTool('maven', task)).rejects.toMatchObject({
      code: 'precondition-failed',
      message: expect.stringContaining('Maven 3 is not there'),
      advice: expect.stringContaining('apt-get install maven'),
    });
  });

  it('is Java where the one that is there is too old', async () => {
    process.env.PATH = folder;
    await program('java', 'echo \'openjdk version "11.0.2" 2019-01-15\' >&2');
    expect(await findTool('java')).toBeNull();
    await program('java', 'echo \'openjdk version "21.0.1" 2023-10-17\' >&2');
    expect(await findTool('java')).toBe('java');
  });

  it('is PostgreSQL where only an older server is there, and its folder is said in full', async () => {
    process.env.TAS_POSTGRES_TOOLS = folder;
    await program('initdb', 'echo "initdb (PostgreSQL) 14.9"');
    await program('postgres', 'echo "postgres (PostgreSQL) 14.9 (Debian)"');
    expect(await findTool('postgres')).toBeNull();
    await program('postgres', 'echo "postgres (PostgreSQL) 16.2"');
    expect(await findTool('postgres')).toBe(folder);
  });

  it('is installed by root without a main cluster, and the setting is as before afterwards', async () => {
    const clusterConfig = join(folder, 'createcluster.conf');
    const original = '# by the administrator\ncreate_main_cluster = true\nssl = on\n';
    await writeFile(clusterConfig, original);
    await program('apt-get', `echo "$@" >> ${folder}/calls; cat ${clusterConfig} >> ${folder}/calls`);
    await program('apt-cache', '[ "$2" = postgresql-15 ] && echo "Version: 15.1"');
    process.env.PATH = `${folder}${delimiter}${before.PATH}`;
    delete process.env.TAS_SANDBOX_INSTALL;
    const packages = { wanted: ['postgresql-15'], otherwise: ['postgresql'] };
    expect(await installWithApt(packages, 'PostgreSQL', task, { isRoot: true, clusterConfig })).toBeNull();
    const installing = (await readFile(join(folder, 'calls'), 'utf8'))
      .split('install -y --no-install-recommends ')
      .at(-1);
    expect(installing).toMatch(/^postgresql-15\n/);
    expect(installing).toContain('create_main_cluster = false');
    expect(installing).not.toContain('create_main_cluster = true');
    expect(await readFile(clusterConfig, 'utf8')).toBe(original);
  });

  it('is unpacked with all that this machine lacks, without root, and is there as a whole or not at all', async () => {
    process.env.PATH = `${folder}${delimiter}${before.PATH}`;
    const into = join(folder, 'unpacked');
    const packages = { wanted: ['browser'], unpackInto: () => into, withDependencies: true } as const;
    const machine = { isRoot: false, clusterConfig: join(folder, 'none') };
    await program(
      'apt-get',
      `echo "$@" >> ${folder}/calls
case "$1 $2" in
  'install -s') printf 'Inst libsound0 (1.0 Debian)\\nInst browser (2.0 Debian)\\nConf browser (2.0 Debian)\\n';;
  '-q download') shift 2; for name in "$@"; do touch "$name.deb"; done;;
esac`,
    );
    await program('dpkg-deb', `touch "$3/$(basename "$2" .deb)"; [ "$(basename "$2")" != broken.deb ]`);
    expect(await installWithApt(packages, 'a browser', task, machine)).toBeNull();
    expect((await readdir(into)).sort()).toEqual(['browser', 'libsound0']);
    expect(await readFile(join(folder, 'calls'), 'utf8')).not.toMatch(/install (?!-s)/);

    const broken = { wanted: ['broken'], unpackInto: () => join(folder, 'other') };
    expect(await installWithApt(broken, 'a browser', task, machine)).toContain('could not fetch it');
    expect((await readdir(folder)).filter((name) => name.startsWith('other'))).toEqual([]);
  });

  it('is not installed by anybody but root, nor where that was forbidden', async () => {
    const machine = { isRoot: false, clusterConfig: join(folder, 'none') };
    expect(await installWithApt({ wanted: ['maven'] }, 'Maven', task, machine)).toContain('only root');
    expect(await installWithApt({ wanted: ['maven'] }, 'Maven', task, { ...machine, isRoot: true })).toContain(
      'forbids',
    );
  });
});
