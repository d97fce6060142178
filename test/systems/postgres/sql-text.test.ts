import { describeError, isRetryable, scrub, toFailure } from '../../../src/systems/postgres/errors.ts';
import {
  parseTableName,
  quoteName,
  quoteTable,
  quoteText,
  sameTable,
} from '../../../src/systems/postgres/identifiers.ts';
import { withoutCasts } from '../../../src/systems/postgres/schema-description.ts';
import { checkExpression, checkStatement } from '../../../src/systems/postgres/statements.ts';
import { toText } from '../../../src/systems/postgres/values.ts';

const place = { system: 'relational', host: 'db', port: 5432, database: 'shared', user: 'tas' };
const serverError = (code: string, message: string, more = {}) =>
  Object.assign(new Error(message), { code, severity: 'ERROR', ...more });

describe('identifiers', () => {
  it('are quoted whatever they hold', () => {
    expect(quoteName('a"; DROP TABLE b; --')).toBe('"a""; DROP TABLE b; --"');
    expect(quoteText("it's")).toBe("'it''s'");
    expect(quoteText('back\\slash')).toBe(" E'back\\\\slash'");
  });

  it.each(['', 'x'.repeat(64), 'nul\0'])('refuses %p', (name) => {
    expect(() => quoteName(name)).toThrow(expect.objectContaining({ code: 'invalid-statement' }));
  });

  it('take apart schema and table', () => {
    expect(parseTableName('files')).toEqual({ schema: null, name: 'files' });
    expect(quoteTable(parseTableName('app."odd.na""me"'))).toBe('"app"."odd.na""me"');
    expect(sameTable('files', 'public.files')).toBe(true);
    expect(sameTable('files', 'app.files')).toBe(false);
    for (const wrong of ['', 'a.b.c', '.a', 'a.', 'a..b', '"open']) expect(() => parseTableName(wrong)).toThrow();
  });
});

describe('statements', () => {
  it.each([
    "select ';' as a",
    'SELECT $tag$ ; ) $tag$',
    "SELECT E'\\';)' -- ; comment",
    'SELECT "a;b" FROM t /* ; /* nested */ ) */',
    'WITH a AS (SELECT 1) SELECT * FROM a;',
    '(SELECT 1) UNION (SELECT 2)',
    "SELECT a::text || 'x', b->>'y', 1.5e3, .5 FROM t WHERE c @> '{}' AND d ? 'e'",
  ])('accepts %p', (sql) => {
    expect(() => checkStatement(sql)).not.toThrow();
  });

  it.each([
    ['SELECT 1; SELECT 2', 'line 1, column 9'],
    ['SELECT 1\n) SELECT 2', 'line 2, column 1'],
    ['SELECT (1', 'column 10'],
    ["SELECT 'open", 'column 8'],
    ['SELECT $a$ open $b$', 'column 8'],
    ['SELECT 1 /* open /* */', 'column 10'],
    ['SELECT $1', 'column 8'],
    ["SELECT U&'\\0027'", 'column 8'],
    ['UPDATE t SET a = 1', 'column 1'],
    ['', 'column 1'],
  ])('refuses %p and says where', (sql, where) => {
    expect(() => checkStatement(sql)).toThrow(
      expect.objectContaining({ code: 'invalid-statement', message: expect.stringContaining(where) }),
    );
  });

  it('refuses expressions that leave their parentheses', () => {
    expect(() => checkExpression('true) OR (true')).toThrow();
    expect(() => checkExpression('-- nothing')).toThrow();
    expect(checkExpression("a = ')' AND (b OR c)")).toBe("a = ')' AND (b OR c)");
  });
});

describe('errors', () => {
  it('lose the values of records', () => {
    expect(scrub('Key (email)=(a@b.c) already exists.')).toBe('Key (email)=(…hidden…) already exists.');
    expect(scrub('Key (a, b)=(x, (y)) is not present in table "t".')).toBe(
      'Key (a, b)=(…hidden…) is not present in table "t".',
    );
    expect(scrub('Failing row contains (1, secret, (x)).')).toBe('Failing row contains (…hidden…).');
    const wrongForm = describeError(serverError('22P02', 'invalid input syntax for type uuid: "secret "x""'));
    expect(wrongForm).toContain('type uuid');
    expect(wrongForm).not.toContain('secret');
    expect(describeError(serverError('P0001', 'user a@b.c is not allowed'))).not.toContain('a@b.c');
    expect(describeError(serverError('22003', 'value "123456" is out of range for type integer'))).not.toContain(
      '123456',
    );
  });

  it.each([
    ['28P01', 'wrong-password'],
    ['42501', 'missing-rights'],
    ['53100', 'disk-full'],
    ['55P03', 'timed-out'],
    ['57P01', 'unreachable'],
    ['3D000', 'unreachable'],
    ['23505', 'step-failed'],
  ])('make of %s the failure %s', (code, expected) => {
    expect(toFailure(serverError(code, 'text'), place)).toMatchObject({
      code: expected,
      message: expect.stringContaining('relational'),
    });
  });

  it('are told apart from bugs, and what may be tried again from what may not', () => {
    const bug = new TypeError('x is not a function');
    expect(toFailure(bug, place)).toBe(bug);
    expect(isRetryable(serverError('40P01', ''))).toBe(true);
    expect(isRetryable(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isRetryable(serverError('23505', ''))).toBe(false);
  });
});

describe('values', () => {
  it('become the text that a column reads', () => {
    expect(toText(['a"b', 'c\\d', null, 'NULL'], { typeName: '_text' })).toBe('{"a\\"b","c\\\\d",NULL,"NULL"}');
    expect(toText(['a'], { typeName: 'jsonb' })).toBe('["a"]');
    expect(toText('x', { typeName: 'jsonb' })).toBe('"x"');
    expect(toText(null, { typeName: 'jsonb' })).toBeNull();
    expect(toText(12, { typeName: 'int8' })).toBe('12');
  });

  it('of a schema are the same before and after a restore', () => {
    const before = "CHECK (((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))";
    const after =
      "CHECK (((status)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))";
    expect(withoutCasts(before)).toBe(withoutCasts(after));
    expect(withoutCasts(before)).not.toBe(withoutCasts(before.replace("'b'", "'c'")));
  });
});
