import fc from 'fast-check';
import { canonicalJson, digestOf, type Json } from '../../src/shared/json.ts';

const anyJson = fc.jsonValue() as fc.Arbitrary<Json>;

/** The same value with the keys of every object in the opposite order. */
function turned(value: Json): Json {
  if (Array.isArray(value)) return value.map(turned);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, turned(item)]),
  );
}

describe('canonical JSON', () => {
  it('does not depend on the order of keys, at any depth', () => {
    fc.assert(fc.property(anyJson, (value) => canonicalJson(turned(value)) === canonicalJson(value)));
  });

  it('keeps the value: reading it back gives what was written', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('gives different values different text', () => {
    const texts = ['1', 1, [1], { a: 1 }, { a: '1' }, null, 'null', true, 'true', [], {}, [[]], ''] as Json[];
    expect(new Set(texts.map(canonicalJson)).size).toBe(texts.length);
  });

  it('sorts by code unit and writes no white space', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x y' }], a: true, B: 0, '10': 1, '9': 2 })).toBe(
      '{"10":1,"9":2,"B":0,"a":true,"b":[1,{"c":"x y","d":null}]}',
    );
  });

  it('leaves out fields that are undefined, and keeps those that are null', () => {
    const value = { a: undefined, b: null } as unknown as Json;
    expect(canonicalJson(value)).toBe('{"b":null}');
    expect(digestOf(value)).toBe(digestOf({ b: null }));
    expect(digestOf({ b: null })).not.toBe(digestOf({}));
  });

  it('keeps unicode as it is: composed and decomposed letters are different texts', () => {
    expect(digestOf('é')).not.toBe(digestOf('e\u0301'));
    expect(JSON.parse(canonicalJson({ '😀': 'ÿ\u2028\u0000' }))).toEqual({ '😀': 'ÿ\u2028\u0000' });
  });
});

describe('the digest', () => {
  it('is the SHA-256 of the canonical text in lower-case hex', () => {
    // printf '{"a":1}' | sha256sum
    expect(digestOf({ a: 1 })).toBe('015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862');
  });

  it('changes with any value in the tree', () => {
    const plan = { stages: [{ steps: [{ id: 'a', count: 40_000 }] }] };
    expect(digestOf({ stages: [{ steps: [{ id: 'a', count: 40_001 }] }] })).not.toBe(digestOf(plan));
    expect(digestOf({ stages: [{ steps: [{ id: 'a', count: '40000' }] }] })).not.toBe(digestOf(plan));
  });
});
