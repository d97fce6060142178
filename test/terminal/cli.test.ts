import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const cli = resolve(import.meta.dirname, '../../src/cli.ts');

/** The real program, as somebody starts it. */
function tas(values: readonly string[], config: string | null): Promise<{ exit: unknown; out: string; err: string }> {
  const { TAS_CONFIG: _, ...env } = process.env;
  return new Promise((done) => {
    const options = { env: config === null ? env : { ...env, TAS_CONFIG: config } };
    execFile(process.execPath, ['--no-warnings', cli, ...values], options, (error, out, err) =>
      done({ exit: error === null ? 0 : error.code, out, err }),
    );
  });
}

describe('npx tas', () => {
  it('helps without a configuration', async () => {
    const { exit, out, err } = await tas(['help'], null);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toMatch(/npx tas migrate <migration> env:<environment>/);
  }, 20_000);

  it('says what is wrong with the configuration, with the exit status of something out of order', async () => {
    const { exit, out, err } = await tas(['runs'], null);
    expect([exit, out]).toEqual([1, '']);
    expect(err).toMatch(/TAS_CONFIG does not name a configuration file/);
    const folder = await mkdtemp(join(tmpdir(), 'tas-cli-'));
    await writeFile(join(folder, 'tas.yaml'), 'bot:\n  - wrong');
    const bad = await tas(['runs', '--json'], join(folder, 'tas.yaml'));
    await rm(folder, { recursive: true });
    expect(bad.exit).toBe(1);
    expect(JSON.parse(bad.out)).toMatchObject({ run: null, refusal: { code: 'invalid-config' } });
  }, 20_000);

  it('answers wrong use with 2 before anything is opened', async () => {
    const { exit, err } = await tas(['backup', '--force'], '/nowhere/tas.yaml');
    expect(exit).toBe(2);
    expect(err).toMatch(/There is no option force/);
  }, 20_000);
});
