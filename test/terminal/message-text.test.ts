import fc from 'fast-check';
import { code, plain } from '../../blocks/escape.ts';
import { section } from '../../blocks/message.ts';
import { messageText } from '../../src/terminal/message-text.ts';

function textOf(mrkdwn: string): string {
  return messageText({ text: '', blocks: [section(mrkdwn)] }, new Map([['UBOB', 'bob']])).trimEnd();
}

describe('messageText', () => {
  it('turns mrkdwn into plain words', () => {
    expect(textOf('✓ *Done: A · B*\n<@UBOB>: `a_b*c*` at <!date^1^{time}|10:00 UTC> &amp; more')).toBe(
      '✓ Done: A · B\nbob: a_b*c* at 10:00 UTC & more',
    );
    expect(textOf('e.g. `/tas help` or /tas/elsewhere')).toBe('e.g. npx tas help or /tas/elsewhere');
  });

  it('prints data without control characters, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (data) => {
        expect(textOf(`${plain(data)} ${code(data)}`)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
    );
  });
});
