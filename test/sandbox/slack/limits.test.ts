import { blockErrors, viewErrors } from '../../../sandbox/slack/limits/blocks.ts';
import { createRates } from '../../../sandbox/slack/limits/rates.ts';
import { createResponseUrls } from '../../../sandbox/slack/response-urls.ts';
import { createWorkspace } from '../../../sandbox/slack/workspace.ts';

const section = (length: number) => ({ type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(length) } });
const button = (text: string, id: string) => ({ type: 'button', action_id: id, text: { type: 'plain_text', text } });

describe('block limits', () => {
  it.each([
    ['a section of 3,000 characters', [section(3000)], 0],
    ['a section of 3,001 characters', [section(3001)], 1],
    ['an empty section', [section(0)], 1],
    ['a header of 151 characters', [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }], 1],
    ['a header in mrkdwn', [{ type: 'header', text: { type: 'mrkdwn', text: 'x' } }], 1],
    ['51 blocks', Array.from({ length: 51 }, () => section(1)), 1],
    ['more than 13,200 characters in all', Array.from({ length: 5 }, () => section(2900)), 1],
    [
      '11 context elements',
      [{ type: 'context', elements: Array.from({ length: 11 }, () => ({ type: 'mrkdwn', text: 'x' })) }],
      1,
    ],
    ['a button text of 76 characters', [{ type: 'actions', elements: [button('x'.repeat(76), 'a')] }], 1],
    ['26 buttons', [{ type: 'actions', elements: Array.from({ length: 26 }, (_, i) => button('x', `${i}`)) }], 1],
    ['two buttons with one action_id', [{ type: 'actions', elements: [button('x', 'a'), button('y', 'a')] }], 1],
    ['an unknown property', [{ ...section(1), colour: 'red' }], 1],
    ['an unknown block', [{ type: 'carousel' }], 1],
  ])('%s', (_, blocks, faults) => {
    expect(blockErrors(blocks, 50)).toHaveLength(faults);
  });

  it('asks a modal for a title of at most 24 characters', () => {
    const modal = { type: 'modal', blocks: [section(1)] };
    expect(viewErrors(modal)).toHaveLength(1);
    expect(viewErrors({ ...modal, title: { type: 'plain_text', text: 'x'.repeat(25) } })).toHaveLength(1);
    expect(viewErrors({ ...modal, title: { type: 'plain_text', text: 'Why?' } })).toEqual([]);
  });
});

describe('rates', () => {
  it('let a short burst through, then about one post a second and channel', () => {
    let now = 0;
    const wait = createRates(() => now);
    for (let i = 0; i < 5; i += 1) expect(wait('chat.postMessage', 'C1')).toBe(0);
    expect(wait('chat.postMessage', 'C1')).toBeGreaterThan(0);
    expect(wait('chat.postMessage', 'C2')).toBe(0);
    now = 1_000;
    expect(wait('chat.postMessage', 'C1')).toBe(0);
    expect(wait('chat.postMessage', 'C1')).toBeGreaterThan(0);
  });
});

describe('a response_url', () => {
  it('answers five times within thirty minutes, and not once more', () => {
    let now = 0;
    const workspace = createWorkspace(() => now);
    const urls = createResponseUrls(workspace, () => now);
    const path = urls.give({ channel: 'C0PLATFRM', user: 'U0ALICE00', message: null });
    for (let i = 0; i < 5; i += 1) expect(urls.answer(path, { text: 'hi' }).ok).toBe(true);
    expect(urls.answer(path, { text: 'hi' })).toMatchObject({ ok: false, error: 'used_url' });
    const late = urls.give({ channel: 'C0PLATFRM', user: 'U0ALICE00', message: null });
    now = 31 * 60_000;
    expect(urls.answer(late, { text: 'hi' })).toMatchObject({ ok: false, error: 'expired_url' });
    expect(workspace.messages).toHaveLength(5);
  });
});
