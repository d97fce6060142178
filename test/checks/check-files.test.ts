import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readChecks } from '../../src/checks/check.ts';

let pack: string;

beforeEach(async () => {
  pack = await mkdtemp(join(tmpdir(), 'tas-pack-'));
  await mkdir(join(pack, 'checks'));
});
afterEach(() => rm(pack, { recursive: true }));

const check = (id: string, more = ''): string =>
  `  - { id: ${id}, title: T, advice: A, system: graph, violations: 'MATCH (n) RETURN n'${more} }\n`;
const write = (name: string, ...checks: string[]): Promise<void> =>
  writeFile(join(pack, 'checks', name), `checks:\n${checks.join('')}`);

describe('check files', () => {
  it('are read in the order of their names and lines, with defaults', async () => {
    await write('b.yaml', check('third'));
    await write('a.yaml', check('first'), check('second', ', severity: warning, standing: false'));
    const checks = await readChecks([pack], {});
    expect([...checks.keys()]).toEqual(['first', 'second', 'third']);
    expect(checks.get('first')).toMatchObject({ severity: 'failed', standing: true });
    expect(checks.get('second')).toMatchObject({ severity: 'warning', standing: false });
  });

  it('are refused when two checks have one id, in whatever files', async () => {
    await write('a.yaml', check('same'));
    await write('b.yaml', check('same'));
    await expect(readChecks([pack], {})).rejects.toMatchObject({
      code: 'invalid-file',
      message: 'Two checks have the id same.',
    });
  });

  it.each([
    ['an unknown severity', check('first'), check('second', ', severity: fatal')],
    ['an unknown key', check('first'), check('second', ', timeout: 3')],
    ['neither a statement nor a comparison', check('first'), '  - { id: second, title: T, advice: A }\n'],
  ])('are refused for %s, with line and column', async (_what, ...checks) => {
    await write('a.yaml', ...checks);
    await expect(readChecks([pack], {})).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringMatching(/^a\.yaml, line 3, column \d+: checks\.1/),
    });
  });
});
