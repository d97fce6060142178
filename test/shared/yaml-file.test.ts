import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../src/shared/failure.ts';
import { readYamlFile } from '../../src/shared/yaml-file.ts';

const anything = z.unknown();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tas-yaml-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What reading a file with this text throws; fails the test when it is not a failure of the file. */
async function refusalOf(
  text: string | Buffer,
  schema: z.ZodType = anything,
  variables: { [name: string]: string } = {},
): Promise<string> {
  const path = join(folder, 'file.yaml');
  await writeFile(path, text);
  const error = await readYamlFile(path, schema, variables).then(
    (value) => new Error(`it was read as ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw error;
  expect(error.code).toBe('invalid-file');
  expect(error.advice).toContain('Nothing was changed');
  return error.message;
}

async function read(text: string, variables: { [name: string]: string } = {}): Promise<unknown> {
  const path = join(folder, 'file.yaml');
  await writeFile(path, text);
  return readYamlFile(path, anything, variables);
}

describe('a YAML file that does not parse', () => {
  it.each([
    ['a list that is not closed', 'a: [1, 2\nb: 3\n', 'line 2'],
    ['a tab as indentation', 'a:\n\tb: 1\n', 'line 2, column 1'],
    ['a wrong indentation', 'a:\n    b: 1\n  c: 2\n', 'line 3'],
    ['a text that is not closed', 'title: "no end\n', 'line'],
    ['an unknown alias', 'a: *nowhere\n', 'line 1, column 4'],
    ['two documents', 'a: 1\n---\nb: 2\n', 'line 2, column 1'],
  ])('is refused with its place: %s', async (_what, text, place) => {
    expect(await refusalOf(text)).toContain(`file.yaml, ${place}`);
  });

  it('is refused with the place of a doubled key', async () => {
    const message = await refusalOf('steps:\n  - id: a\n    use: x\n    id: b\n');
    expect(message).toContain('line 4, column 5');
    expect(message).toContain('unique');
  });
});

describe('a YAML file that does not fit', () => {
  const schema = z.strictObject({ steps: z.array(z.strictObject({ id: z.string(), count: z.number() })) });

  it('is refused with the place of the value', async () => {
    const message = await refusalOf('steps:\n  - { id: a, count: 1 }\n  - id: b\n    count: many\n', schema);
    expect(message).toContain('line 4, column 12');
    expect(message).toContain('steps.1.count');
  });

  it('is refused with the place of the object that lacks a key', async () => {
    expect(await refusalOf('steps:\n  - { id: a, count: 1 }\n  - id: b\n', schema)).toContain('line 3, column 5');
  });

  it('is refused with the name of a key that nobody knows', async () => {
    const message = await refusalOf('steps:\n  - id: b\n    count: 2\n    cuont: 3\n', schema);
    expect(message).toContain('cuont');
    expect(message).toMatch(/line [24]/);
  });

  it('is refused when it is empty', async () => {
    expect(await refusalOf('', schema)).toContain('file.yaml');
    expect(await refusalOf('# only a comment\n', schema)).toContain('file.yaml');
  });
});

describe('a hostile YAML file', () => {
  it('is refused when it is larger than a megabyte', async () => {
    expect(await refusalOf(`a: ${'x'.repeat(1_000_001)}\n`)).toContain('larger');
    expect(await refusalOf(`a: ${'é'.repeat(600_000)}\n`)).toContain('larger');
  });

  it('is refused when its aliases would multiply', async () => {
    const lines = ['a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]'];
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi'].map((pair) => [...pair])) {
      lines.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(', ')}]`);
    }
    const started = performance.now();
    expect(await refusalOf(`${lines.join('\n')}\n`)).toMatch(/alias/i);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('is refused when it is nested without end', async () => {
    expect(await refusalOf('['.repeat(50_000))).toContain('file.yaml');
    expect(await refusalOf(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)).toContain('file.yaml');
  });

  it('makes no code and no prototype out of tags and names', async () => {
    const value = (await read('a: !!js/function "function () { return 1 }"\n__proto__: { polluted: yes }\n')) as object;
    expect(typeof (value as { a: unknown }).a).toBe('string');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});

describe('variables', () => {
  it('are filled into texts, at any depth, and nowhere else', async () => {
    const text = `table: "\${t}"\nlist: [{ sql: "select 1 from \${t} where \${u}" }]\nnumber: 3\nmoney: "$t {t} $\${t}"\n`;
    expect(await read(text, { t: 'files', u: 'true' })).toEqual({
      table: 'files',
      list: [{ sql: 'select 1 from files where true' }],
      number: 3,
      money: '$t {t} $files',
    });
  });

  it('are filled into keys too, and refused with their place where that makes one key of two', async () => {
    expect(await read(`canary: { "relational:\${t}": x }\n`, { t: 'files' })).toEqual({
      canary: { 'relational:files': 'x' },
    });
    const message = await refusalOf(`a: 1\nb: { files: 1, "\${t}": 2 }\n`, anything, { t: 'files' });
    expect(message).toContain('line 2, column 17: the key files is there twice');
    expect(await refusalOf(`"\${constructor}": 1\n`)).toContain('constructor');
  });

  it('are refused with their place when they are not set', async () => {
    const message = await refusalOf(`a: 1\nb: "x \${files_tabel}"\n`, anything, { files_table: 'files' });
    expect(message).toContain('line 2, column 7');
    expect(message).toContain('files_tabel');
  });

  it('are never taken from what every object has', async () => {
    expect(await refusalOf(`a: \${constructor}\n`)).toContain('constructor');
    expect(await refusalOf(`a: \${toString}\n`)).toContain('toString');
  });

  it('are refused with a place that exists, even when the text spells them with escapes', async () => {
    expect(await refusalOf('a: "\\x24{hidden}"\n')).not.toMatch(/line 0|column -?0|-1/);
  });
});

describe('a file that cannot be read', () => {
  it('is named, and whether it is missing', async () => {
    await expect(readYamlFile(join(folder, 'none.yaml'), anything)).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringContaining('none.yaml: the file does not exist'),
    });
    await expect(readYamlFile(folder, anything)).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringContaining('cannot be read'),
    });
  });
});

describe('a file that is read again', () => {
  it('says what it says now, with the variables of whoever asks, whatever others did with what they got', async () => {
    const text = `name: \${who}\nlist: [1, { deep: 2 }]\n`;
    const first = (await read(text, { who: 'a' })) as { name: string; list: unknown[] };
    first.list.push('mine');
    (first.list[1] as { deep: number }).deep = 3;
    expect(await read(text, { who: 'b' })).toEqual({ name: 'b', list: [1, { deep: 2 }] });
    expect(await read(text.replace('1', '7'), { who: 'b' })).toEqual({ name: 'b', list: [7, { deep: 2 }] });
    expect(await refusalOf(text)).toContain('line 1');
  });
});
