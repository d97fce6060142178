import fc from 'fast-check';
import type { Check, ComparisonCheck } from '../../src/checks/check.ts';
import { compareCodePoints, runCheck } from '../../src/checks/run-check.ts';
import { Failure } from '../../src/shared/failure.ts';
import type { JsonObject } from '../../src/shared/json.ts';
import type { Row, ScanQuery, System } from '../../src/systems/system.ts';

type Records = readonly { readonly key: string; readonly values: JsonObject }[];

const bare = (name: string): System => ({
  name,
  type: 'fake',
  kinds: [],
  identity: async () => name,
  checkHealth: async () => ({ up: true, version: '1', latencyMs: 0 }),
  close: async () => undefined,
});

/** A system whose rows come in the order that stores promise: bytes of UTF-8. Counts what is still open. */
function scanned(name: string, records: Records, failAfter = Infinity): System & { open: number; asked: ScanQuery[] } {
  const system = {
    ...bare(name),
    open: 0,
    asked: [] as ScanQuery[],
    async *scan(query: ScanQuery): AsyncIterable<Row> {
      system.asked.push(query);
      system.open += 1;
      try {
        let given = 0;
        for (const record of records.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))) {
          if (given >= failAfter)
            throw new Failure({ code: 'unreachable', message: `${name} is down.`, advice: 'Wait.' });
          given += 1;
          yield record;
        }
      } finally {
        system.open -= 1;
      }
    },
  };
  return system;
}

function comparison(over: Partial<ComparisonCheck['compare']> = {}, fields: string[] = ['v']): ComparisonCheck {
  const side = { collection: 'C', key: 'id', fields };
  return {
    id: 'agree',
    title: 'They agree',
    advice: 'Mend them.',
    severity: 'failed',
    standing: true,
    compare: { left: { system: 'a', ...side }, right: { system: 'b', ...side }, keys: 'both', ...over },
  };
}

const systemsOf = (left: Records, right: Records): ReadonlyMap<string, System> =>
  new Map([
    ['a', scanned('a', left)],
    ['b', scanned('b', right)],
  ]);
const rows = (...pairs: [string, JsonObject[string]][]): Records => pairs.map(([key, v]) => ({ key, values: { v } }));

describe('the order of keys', () => {
  it('is by code point, where JavaScript would order by UTF-16 unit', () => {
    expect(compareCodePoints('\uff5e', '😀')).toBeLessThan(0);
    expect('\uff5e' < '😀').toBe(false);
  });

  it('is that of the code points, one by one', () => {
    const text = fc.string({ unit: 'binary', maxLength: 6 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [x, y] = [[...a], [...b]].map((chars) => chars.map((char) => char.codePointAt(0) ?? 0));
        const at = (x ?? []).findIndex((point, i) => point !== y?.[i]);
        const expected = at < 0 ? (x?.length ?? 0) - (y?.length ?? 0) : (x?.[at] ?? 0) - (y?.[at] ?? -1);
        expect(Math.sign(compareCodePoints(a, b))).toBe(Math.sign(expected));
      }),
    );
  });
});

describe('a comparison of two systems', () => {
  it('passes when both hold the same', async () => {
    const same = rows(['1', 'x'], ['2', null], ['😀', 1], ['\uff5e', true]);
    expect(await runCheck(comparison(), systemsOf(same, same.toReversed()))).toEqual({
      check: 'agree',
      title: 'They agree',
      status: 'passed',
      count: 0,
      samples: [],
    });
  });

  it('says what is on one side only and what differs', async () => {
    const finding = await runCheck(
      comparison(),
      systemsOf(rows(['1', 'x'], ['2', 'x'], ['3', 'x']), rows(['2', 'y'], ['3', 'x'], ['4', 'x'])),
    );
    expect(finding).toMatchObject({ status: 'failed', count: 3, advice: 'Mend them.' });
    expect(finding.samples).toEqual(['1 is in a only', '2 differs in v', '4 is in b only']);
  });

  it('asks of the left only, when told to', async () => {
    const systems = systemsOf(rows(['1', 'x']), rows(['0', 'x'], ['1', 'x'], ['2', 'x']));
    expect((await runCheck(comparison({ keys: 'left' }), systems)).status).toBe('passed');
  });

  it('takes a value that is missing for null, and never a text for a number', async () => {
    const missing = [{ key: '1', values: {} }];
    expect((await runCheck(comparison(), systemsOf(missing, rows(['1', null])))).status).toBe('passed');
    expect((await runCheck(comparison(), systemsOf(rows(['1', 1]), rows(['1', '1'])))).status).toBe('failed');
  });

  it('compares lists and objects by what they hold', async () => {
    const left = rows(['1', ['a', 'b']], ['2', { x: 1, y: [2] }], ['3', ['a', 'b']]);
    const right = rows(['1', ['a', 'b']], ['2', { y: [2], x: 1 }], ['3', ['b', 'a']]);
    const finding = await runCheck(comparison(), systemsOf(left, right));
    expect(finding.samples).toEqual(['3 differs in v']);
  });

  it('only warns where the check says so', async () => {
    const check = { ...comparison(), severity: 'warning' as const };
    expect((await runCheck(check, systemsOf(rows(['1', 1]), []))).status).toBe('warning');
  });

  it('hands collection, key, fields and predicate on', async () => {
    const a = scanned('a', []);
    const check = comparison({ left: { system: 'a', collection: 'D', key: 'k', fields: ['f'], where: 'n.f = 1' } });
    await runCheck(check, new Map([...systemsOf([], []), ['a', a]]));
    expect(a.asked).toEqual([{ collection: 'D', key: 'k', fields: ['f'], where: 'n.f = 1' }]);
  });

  it('finds what a comparison of sets finds, for any data', async () => {
    const key = fc.oneof(
      fc.constantFrom('a', 'b', '\uff5e', '😀', '\u{10ffff}', '\ue000', 'ä'),
      fc.string({ unit: 'binary', maxLength: 2 }),
    );
    const side = fc.uniqueArray(fc.record({ key, v: fc.constantFrom<string | null>('x', 'y', null) }), {
      selector: ({ key: name }) => name,
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(side, side, fc.constantFrom('both' as const, 'left' as const), async (left, right, keys) => {
        const [l, r] = [left, right].map((list) => new Map(list.map(({ key: name, v }) => [name, v])));
        const wrong = [...new Set([...(l?.keys() ?? []), ...(keys === 'both' ? (r?.keys() ?? []) : [])])].filter(
          (name) => !l?.has(name) || !r?.has(name) || l.get(name) !== r.get(name),
        );
        const asRecords = (list: typeof left): Records =>
          list.map(({ key: name, v }) => ({ key: name, values: { v } }));
        const finding = await runCheck(comparison({ keys }), systemsOf(asRecords(left), asRecords(right)));
        expect(finding.count).toBe(wrong.length);
        expect(finding.samples).toHaveLength(Math.min(5, wrong.length));
        const named = finding.samples.map((text) => text.replace(/ (is in [ab] only|differs in v)$/, ''));
        for (const name of named) expect(wrong).toContain(name);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves no side open when the other one fails', async () => {
    const a = scanned('a', rows(['1', 1], ['2', 1], ['3', 1]));
    const b = scanned('b', rows(['1', 1], ['2', 1]), 1);
    const finding = await runCheck(
      comparison(),
      new Map([
        ['a', a],
        ['b', b],
      ]),
    );
    expect(finding).toMatchObject({ status: 'skipped', count: null, advice: 'b is down. Wait.' });
    expect([a.open, b.open]).toEqual([0, 0]);
  });
});

describe('a check within one system', () => {
  const check: Check = {
    id: 'unique',
    title: 'Unique',
    advice: 'Mend it.',
    severity: 'failed',
    standing: true,
    system: 'a',
    violations: 'MATCH …',
  };
  const answering = (violations: NonNullable<System['violations']>): Map<string, System> =>
    new Map([['a', { ...bare('a'), violations }]]);

  it('passes on no violations and shows the rows otherwise', async () => {
    expect(
      (
        await runCheck(
          check,
          answering(async () => ({ count: 0, samples: [] })),
        )
      ).status,
    ).toBe('passed');
    const finding = await runCheck(
      check,
      answering(async (statement) => ({ count: 2, samples: [{ user: 'u-1', users: 3, statement }, { list: ['a'] }] })),
    );
    expect(finding).toMatchObject({ status: 'failed', count: 2, advice: 'Mend it.' });
    expect(finding.samples).toEqual(['user: u-1, users: 3, statement: MATCH …', 'list: ["a"]']);
  });

  it('keeps a sample short', async () => {
    const finding = await runCheck(
      check,
      answering(async () => ({ count: 1, samples: [{ text: 'x'.repeat(5_000) }] })),
    );
    expect(finding.samples[0]?.length).toBeLessThanOrEqual(200);
  });

  it.each([
    ['is not configured', new Map<string, System>(), 'no system a'],
    ['cannot answer', new Map([['a', bare('a')]]), 'cannot answer checks'],
    [
      'is down',
      answering(async () => {
        throw new Failure({ code: 'unreachable', message: 'a does not answer.', advice: 'Bring it up.' });
      }),
      'a does not answer. Bring it up.',
    ],
  ])('is skipped with the reason, never passed, when its system %s', async (_what, systems, reason) => {
    const finding = await runCheck(check, systems);
    expect(finding).toMatchObject({ status: 'skipped', count: null });
    expect(finding.advice).toContain(reason);
  });

  it('does not take a bug for an unanswered check', async () => {
    const systems = answering(async () => {
      throw new TypeError('undefined is not a function');
    });
    await expect(runCheck(check, systems)).rejects.toThrow(TypeError);
  });
});
