import fc from 'fast-check';
import { cut } from '../../blocks/cut.ts';
import { bare, code, mentionGroup, mentionUser, plain, ticked } from '../../blocks/escape.ts';

describe('plain', () => {
  it.each([
    ['<!channel> <@U123> <https://evil|bank>', '&lt;!channel&gt; &lt;@\u2060U123'.replace('\u2060', '')],
    ['a & b', 'a &amp; b'],
    ['line\nbreak\ttab', 'line break tab'],
    ['*bold* ~gone~ `code`', '∗bold∗ ∼gone∼ ʹcodeʹ'],
    ['_slanted_ but tenant_17_x', 'ˍslanted_ but tenant_17_x'],
    ['\u202Eevil\u200B\u0007', 'evil'],
  ])('makes %j harmless', (data, shown) => {
    expect(plain(data)).toContain(shown);
  });

  it('calls nobody and shows no emoji', () => {
    expect(plain('@here @Channel @everyone')).not.toMatch(/@(here|channel|everyone)/i);
    expect(plain(':white_check_mark:')).not.toContain(':white_check_mark:');
  });

  it('leaves nothing that Slack would parse, whatever the data', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (data) => {
        for (const shown of [plain(data), code(data)]) {
          expect(shown).not.toMatch(/[<>\n\r\p{Cc}]/u);
          expect(shown.replace(/&(amp|lt|gt);/g, '')).not.toContain('&');
        }
        expect(plain(data)).not.toMatch(/[*~`]/);
        expect(code(data).slice(1, -1)).not.toContain('`');
        expect([...bare(data, 20)].length).toBeLessThanOrEqual(20);
      }),
    );
  });
});

describe('ticked', () => {
  it('keeps names between backticks as code and the rest plain', () => {
    expect(ticked('There is no run `x<y`. Did you mean `run-1`?')).toBe(
      'There is no run `x&lt;y`. Did you mean `run-1`?',
    );
    expect(ticked('an odd ` tick *here*')).toBe('an odd  tick ∗here∗');
  });
});

describe('mentions', () => {
  it('are made of Slack ids only', () => {
    expect(mentionUser('UALICE')).toBe('<@UALICE>');
    expect(mentionUser('schedule:nightly')).toBe('schedule:nightly');
    expect(mentionUser('U1> <!channel')).toBe('U1&gt; &lt;!channel');
    expect(mentionGroup('SAPPROVERS')).toBe('<!subteam^SAPPROVERS>');
    expect(mentionGroup('!here')).toBe('!here');
  });
});

describe('cut', () => {
  it('never cuts inside of an entity, a mention or a pair', () => {
    expect(cut('aaaa&amp;', 8)).toBe('aaaa…');
    expect(cut('aaaa <@UALICE> b', 10)).toBe('aaaa …');
    expect(cut('aaa😀', 5)).toBe('aaa😀');
    expect(cut('aaa😀b', 5)).toBe('aaa…');
    expect(cut('short', 5)).toBe('short');
  });
});
