import fc from 'fast-check';
import neo4j from 'neo4j-driver';
import { canonicalJson } from '../../../src/shared/json.ts';
import { decodeValue, encodeProperties, encodeValue, UnknownValueError } from '../../../src/systems/neo4j/encode.ts';
import { showEncoded, showValue, textOf } from '../../../src/systems/neo4j/show-value.ts';

const textForm = (value: unknown) => canonicalJson(encodeValue(value));

describe('encoding of graph values', () => {
  it('tells apart what Cypher calls equal, and calls NaN equal to itself', () => {
    const different = [
      1n,
      1,
      '1',
      true,
      'true',
      [1n],
      [1],
      0,
      -0,
      Number.NaN,
      'NaN',
      Number.POSITIVE_INFINITY,
      null,
      [],
      {},
      '',
      { i: '1' },
    ];
    expect(new Set(different.map(textForm)).size).toBe(different.length);
    expect(textForm(Number.NaN)).toBe(textForm(Number.NaN));
  });

  it('reads back every value as it was', () => {
    const { Date: GraphDate, DateTime, Duration, LocalDateTime, LocalTime, Point, Time } = neo4j.types;
    const values = [
      2n ** 63n - 1n,
      -(2n ** 63n),
      -0,
      Number.NaN,
      5e-324,
      new Int8Array([-128, 0, 127]),
      new GraphDate(-999999999, 1, 1),
      new Time(23, 59, 59, 999999999, -64800),
      new LocalTime(0, 0, 0, 1),
      new LocalDateTime(2024, 2, 29, 1, 2, 3, 4),
      new DateTime(2024, 2, 29, 1, 2, 3, 4, 3600, undefined),
      new DateTime(2024, 10, 27, 2, 30, 0, 0, 3600, 'Europe/Berlin'),
      new Duration(-1n, 2n, 2n ** 62n, 999999999n),
      new Point(9157, -0, Number.POSITIVE_INFINITY, 3),
      new Point(4326, 1.5, -2.5),
      [1n, 2n],
      [],
      { a: { b: [null, 1] } },
    ];
    for (const value of values) expect(textForm(decodeValue(encodeValue(value)))).toBe(textForm(value));
    expect(decodeValue(encodeValue(-0))).toBe(-0);
    expect(Object.keys(encodeProperties(JSON.parse('{"__proto__": "x"}')))).toEqual(['__proto__']);
  });

  it('survives storage as JSON', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.double(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.string(), leaf)), (value) => {
        expect(textForm(decodeValue(JSON.parse(JSON.stringify(encodeValue(value)))))).toBe(textForm(value));
      }),
    );
  });

  it('refuses what it did not make', () => {
    const forged: readonly unknown[] = [
      { i: 1 },
      { i: '1; DROP' },
      { x: 1 },
      {},
      { i: '1', f: '2' },
      { date: [1, 2] },
      { date: ['1', 2, 3] },
      { f: 'x' },
      { p: [1] },
      { duration: [1, 2, 3, 4] },
      { b: 5 },
      { datetime: [1, 1, 1, 1, 1, 1, 1, 'x', null] },
      { toString: 'x' },
    ];
    for (const value of forged) expect(() => decodeValue(value as never)).toThrow(UnknownValueError);
    expect(() => encodeValue(new Map())).toThrow(UnknownValueError);
    expect(() => encodeValue(() => 1)).toThrow(UnknownValueError);
  });

  it('shows values as people read them', () => {
    const { DateTime, Node } = neo4j.types;
    expect(showValue(5n)).toBe(5);
    expect(showValue(2n ** 60n)).toBe('1152921504606846976');
    expect(showValue(Number.NaN)).toBe('NaN');
    expect(showValue(new Int8Array(3))).toBe('3 bytes');
    expect(showValue(new DateTime(2024, 2, 29, 1, 2, 3, 0, 0, undefined))).toBe('2024-02-29T01:02:03Z');
    expect(showValue(new Node(1n, ['User'], { id: 'u', n: 1n }, '4:x:1'))).toEqual({ labels: ['User'], id: 'u', n: 1 });
    expect(showEncoded({ m: { a: { i: '1' } } })).toEqual({ a: 1 });
    expect([textOf({ i: '12' }), textOf('x'), textOf(true), textOf(null), textOf(['a'])]).toEqual([
      '12',
      'x',
      'true',
      null,
      null,
    ]);
  });
});
