import fc from 'fast-check';
import { parseArguments, parseWords } from '../../commands/parse-words.ts';
import { Failure } from '../../src/shared/failure.ts';

describe('parseWords', () => {
  it('takes words, environment and reason apart', () => {
    expect(parseWords('  Migrate space-isolation env:sandbox reason:"tenant rollout"  ')).toEqual({
      word: 'migrate',
      names: ['space-isolation'],
      environment: 'sandbox',
      reason: 'tenant rollout',
      extras: {},
      again: 'migrate space-isolation reason:"tenant rollout"',
    });
  });

  it('keeps options of single commands apart, several conflicts among them, and asks again with all of them', () => {
    const words = parseWords('rollback run-1 way:undo take:graph:User.name:u-1 take:"graph:User.name:u 2"');
    expect(words.extras).toEqual({ way: ['undo'], take: ['graph:User.name:u-1', 'graph:User.name:u 2'] });
    expect(parseWords(words.again)).toEqual(words);
    expect(() => parseWords('rollback run-1 way:undo way:restore')).toThrow(/`way:` is given twice/);
    expect(() => parseWords(`rollback r ${'take:a:B.c:d '.repeat(21)}`)).toThrow(/At most 20/);
  });

  it('asks for help when nothing is typed', () => {
    expect(parseWords('   ').word).toBe('help');
  });

  it.each(['reason:“it’s late”', 'reason:„it’s late“', 'reason:«it’s late»', 'reason:"it’s late"'])(
    'takes the quotes that Slack and phones make: %s',
    (option) => {
      expect(parseWords(`reject run-1 ${option}`).reason).toBe('it’s late');
    },
  );

  it('leaves an apostrophe inside of a word alone', () => {
    expect(parseWords("reject run-1 reason:don't").reason).toBe("don't");
  });

  it('takes a quoted word as a name even when it looks like an option', () => {
    expect(parseWords('migrate "env:production"')).toMatchObject({ names: ['env:production'], environment: null });
  });

  it.each([
    ['migrate x enviroment:production', /no option `enviroment`/],
    ['migrate x evn:production', /Did you mean `env:`/],
    ['migrate x --force', /no option `force`/],
    ['migrate x env:', /has no value/],
    ['migrate x env:a env:b', /given twice/],
    ['reject x reason:"no end', /never closed/],
    [`reject x reason:"${'x'.repeat(501)}"`, /at most 500/],
    ['x'.repeat(2001), /at most 2000/],
  ])('refuses %s', (line, message) => {
    expect(() => parseWords(line)).toThrow(Failure);
    expect(() => parseWords(line)).toThrow(message);
  });

  it('gives words that mean the same again, without the environment', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9 '.:“-]{0,12}$/);
    const reason = fc.stringMatching(/^[a-z][a-zA-Z0-9 '’!?.-]{0,30}[a-z]$/);
    fc.assert(
      fc.property(fc.array(name, { maxLength: 3 }), reason, (names, why) => {
        const quoted = names.map((each) => `"${each.replaceAll('“', '')}"`).join(' ');
        const first = parseWords(`migrate ${quoted} env:sandbox reason:"${why}"`);
        const second = parseWords(first.again);
        expect(second).toEqual({ ...first, environment: null });
      }),
    );
  });
});

describe('parseArguments', () => {
  it('takes what a shell has unquoted as it is', () => {
    expect(parseArguments(['reject', 'run-1', 'reason:not before the "audit"', '--env=sandbox'])).toMatchObject({
      word: 'reject',
      names: ['run-1'],
      environment: 'sandbox',
      reason: 'not before the "audit"',
    });
  });
});
