import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRunning, readPidFile, startDetached, stopProcess } from '../../../sandbox/servers/process.ts';
import { describeProcess } from '../../../sandbox/servers/process-identity.ts';

describe('a server process', () => {
  let folder = '';
  let count = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'process-test-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A program that runs until it is ended; `deaf` takes no notice of SIGTERM. */
  async function start(options: { readonly deaf?: boolean } = {}): Promise<string> {
    count += 1;
    const pidFile = join(folder, `${count}.pid`);
    const ready = join(folder, `${count}.ready`);
    const trap = options.deaf ? "trap '' TERM; " : '';
    await startDetached({
      pidFile,
      logFile: join(folder, `${count}.log`),
      command: 'sh',
      args: ['-c', `${trap}echo started; echo yes > ${ready}; while :; do sleep 0.1; done`],
      mark: ready,
      stopSignal: 'SIGTERM',
      cwd: folder,
    });
    while ((await stat(ready).catch(() => null)) === null) await new Promise((resolve) => setImmediate(resolve));
    return pidFile;
  }

  it('runs in a session of its own with its output in the log file', async () => {
    const pidFile = await start();
    const pid = await findRunning(pidFile);
    expect(pid).toBeGreaterThan(0);
    expect(await readFile(join(folder, `${count}.log`), 'utf8')).toBe('started\n');
    expect((await stat(join(folder, `${count}.log`))).mode & 0o777).toBe(0o600);
    const session = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ')[3];
    expect(Number(session)).toBe(pid);
    expect(await stopProcess(pidFile, 5_000)).toBe('ended');
    expect(await describeProcess(pid ?? 0)).toBeNull();
    expect(await readPidFile(pidFile)).toBeNull();
  });

  it('is killed when it does not end in the time it has', async () => {
    const pidFile = await start({ deaf: true });
    const pid = (await findRunning(pidFile)) ?? 0;
    expect(await stopProcess(pidFile, 200)).toBe('killed');
    expect(await describeProcess(pid)).toBeNull();
  });

  it('leaves alone a later process that has got its pid', async () => {
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      const identity = await describeProcess(stranger.pid ?? 0);
      const pidFile = join(folder, 'reused.pid');
      // The same pid and even the same words on the command line, but another time of start.
      await writeFile(pidFile, `${stranger.pid}\n${Number(identity?.started) - 1}\nSIGKILL\nsleep 60\n`);
      expect(await findRunning(pidFile)).toBeNull();
      expect(await stopProcess(pidFile, 1_000)).toBe('absent');
      // The same start, but another command.
      await writeFile(pidFile, `${stranger.pid}\n${identity?.started}\nSIGKILL\n--home-dir=/elsewhere\n`);
      expect(await stopProcess(pidFile, 1_000)).toBe('absent');
      expect(await describeProcess(stranger.pid ?? 0)).not.toBeNull();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('is not taken for gone while it turns from one program into the next', async () => {
    // Each program of the chain replaces the one before, as setpriv is replaced by the server.
    const chain = ['env', 'env', 'env', 'env', 'env'];
    for (let round = 0; round < 25; round += 1) {
      const mark = join(folder, `chain-${round}`);
      const pidFile = `${mark}.pid`;
      const args = [...chain, 'sh', '-c', `sleep 30; : ${mark}`];
      const logFile = `${mark}.log`;
      await startDetached({ pidFile, logFile, command: 'env', args, mark, stopSignal: 'SIGKILL', cwd: folder });
      const pid = (await readPidFile(pidFile))?.pid;
      for (let look = 0; look < 60; look += 1) expect(await findRunning(pidFile)).toBe(pid);
      expect(await stopProcess(pidFile, 5_000)).toBe('ended');
    }
  }, 30_000);

  it('counts as absent where the pid file is missing or cut short', async () => {
    const pidFile = join(folder, 'broken.pid');
    expect(await findRunning(pidFile)).toBeNull();
    await writeFile(pidFile, `${process.pid}\n12`);
    expect(await findRunning(pidFile)).toBeNull();
    expect(await stopProcess(pidFile, 100)).toBe('absent');
  });
});
