import { blockErrors } from '../../../sandbox/slack/limits/blocks.ts';
import { viewErrors } from '../../../sandbox/slack/limits/views.ts';

const plain = (length: number) => ({ type: 'plain_text', text: 'x'.repeat(length) });
const mrkdwn = (length: number) => ({ type: 'mrkdwn', text: 'x'.repeat(length) });
const section = (length: number, more: object = {}) => ({ type: 'section', text: mrkdwn(length), ...more });
const button = (more: object = {}) => ({ type: 'button', text: plain(2), action_id: 'a', ...more });
const actions = (...elements: object[]) => [{ type: 'actions', elements }];
const buttons = (count: number) => Array.from({ length: count }, (_, at) => button({ action_id: `a${at}` }));
const option = (value: string, more: object = {}) => ({ text: plain(1), value, ...more });
const options = (count: number) => Array.from({ length: count }, (_, at) => option(`${at}`));
const select = (more: object) => actions({ type: 'static_select', action_id: 's', ...more });
const input = (element: object) => [{ type: 'input', label: plain(3), element }];
const dialog = (more: object = {}) => ({
  title: plain(100),
  text: plain(300),
  confirm: plain(30),
  deny: plain(30),
  ...more,
});
const image = (alt: number) => ({ type: 'image', image_url: 'https://example.test/a.png', alt_text: 'x'.repeat(alt) });
const long = 'x'.repeat(256);

describe('blocks that Slack takes', () => {
  it.each<[string, object[]]>([
    ['nothing', []],
    ['50 blocks', Array.from({ length: 50 }, () => section(1))],
    ['a section of 3,000 characters', [section(3000)]],
    ['a field of 2,000 among ten', [{ type: 'section', fields: [mrkdwn(2000), ...Array(9).fill(plain(1))] }]],
    ['a header of 150', [{ type: 'header', text: plain(150) }]],
    ['ten context elements', [{ type: 'context', elements: Array.from({ length: 10 }, () => mrkdwn(1)) }]],
    ['25 buttons', actions(...buttons(25))],
    [
      'a button with everything',
      actions(button({ text: plain(75), value: 'x'.repeat(2000), style: 'danger', confirm: dialog() })),
    ],
    ['100 options', select({ options: options(100), initial_option: option('7') })],
    ['an overflow of five', actions({ type: 'overflow', action_id: 'o', options: options(5) })],
    ['ten checkboxes', input({ type: 'checkboxes', action_id: 'c', options: options(10) })],
    ['a text input', input({ type: 'plain_text_input', action_id: 't', min_length: 1, max_length: 3000 })],
    ['one action_id in two blocks', [...actions(button()), ...actions(button())]],
    ['a picture', [{ ...image(2000), title: plain(2000) }]],
    ['a divider', [{ type: 'divider', block_id: 'd'.repeat(255) }]],
  ])('%s', (_, blocks) => {
    expect(blockErrors(blocks, 50)).toEqual([]);
  });
});

describe('blocks that Slack refuses', () => {
  it.each<[string, unknown, string]>([
    ['no list', { type: 'section' }, 'must provide an array [json-pointer:/blocks]'],
    ['51 blocks', Array.from({ length: 51 }, () => section(1)), 'no more than 50 items allowed [json-pointer:/blocks]'],
    ['a section of 3,001', [section(3001)], 'must be less than 3001 characters [json-pointer:/blocks/0/text/text]'],
    ['an empty section', [section(0)], 'must be more than 0 characters [json-pointer:/blocks/0/text/text]'],
    ['a section of nothing', [{ type: 'section' }], 'missing required field: text or fields [json-pointer:/blocks/0]'],
    [
      'eleven fields',
      [{ type: 'section', fields: Array(11).fill(mrkdwn(1)) }],
      'no more than 10 items allowed [json-pointer:/blocks/0/fields]',
    ],
    [
      'a field of 2,001',
      [{ type: 'section', fields: [mrkdwn(2001)] }],
      'must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]',
    ],
    [
      'a header of 151',
      [{ type: 'header', text: plain(151) }],
      'must be less than 151 characters [json-pointer:/blocks/0/text/text]',
    ],
    [
      'a header in mrkdwn',
      [{ type: 'header', text: mrkdwn(1) }],
      'must be one of: plain_text [json-pointer:/blocks/0/text/type]',
    ],
    [
      'eleven context elements',
      [{ type: 'context', elements: Array(11).fill(mrkdwn(1)) }],
      'no more than 10 items allowed [json-pointer:/blocks/0/elements]',
    ],
    [
      'a button in a context',
      [{ type: 'context', elements: [button()] }],
      'unsupported type: button [json-pointer:/blocks/0/elements/0/type]',
    ],
    ['26 buttons', actions(...buttons(26)), 'no more than 25 items allowed [json-pointer:/blocks/0/elements]'],
    ['no button', actions(), 'no less than 1 items allowed [json-pointer:/blocks/0/elements]'],
    [
      'a button text of 76',
      actions(button({ text: plain(76) })),
      'must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]',
    ],
    [
      'a button in mrkdwn',
      actions(button({ text: mrkdwn(1) })),
      'must be one of: plain_text [json-pointer:/blocks/0/elements/0/text/type]',
    ],
    [
      'a button without text',
      actions({ type: 'button' }),
      'missing required field: text [json-pointer:/blocks/0/elements/0]',
    ],
    [
      'a value of 2,001',
      actions(button({ value: 'x'.repeat(2001) })),
      'must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]',
    ],
    [
      'a style of its own',
      actions(button({ style: 'blue' })),
      'must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]',
    ],
    [
      'an action_id of 256',
      actions(button({ action_id: long })),
      'must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]',
    ],
    [
      'a block_id of 256',
      [section(1, { block_id: long })],
      'must be less than 256 characters [json-pointer:/blocks/0/block_id]',
    ],
    [
      'a doubled block_id',
      [section(1, { block_id: 'b' }), section(1, { block_id: 'b' })],
      '`block_id` "b" already exists [json-pointer:/blocks]',
    ],
    ['a doubled action_id', actions(button(), button()), '`action_id` "a" already exists [json-pointer:/blocks/0]'],
    [
      'a dialog title of 101',
      actions(button({ confirm: dialog({ title: plain(101) }) })),
      'must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]',
    ],
    [
      'a dialog text of 301',
      actions(button({ confirm: dialog({ text: plain(301) }) })),
      'must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]',
    ],
    [
      'a dialog button of 31',
      actions(button({ confirm: dialog({ deny: plain(31) }) })),
      'must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/deny/text]',
    ],
    [
      '101 options',
      select({ options: options(101) }),
      'no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]',
    ],
    ['no options', select({}), 'must provide either options or option_groups [json-pointer:/blocks/0/elements/0]'],
    [
      'an initial option from elsewhere',
      select({ options: options(2), initial_option: option('9') }),
      'initial option must match one of the options [json-pointer:/blocks/0/elements/0]',
    ],
    [
      'an option value of 151',
      select({ options: [option('x'.repeat(151))] }),
      'must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]',
    ],
    [
      'an option in mrkdwn',
      select({ options: [option('1', { text: mrkdwn(1) })] }),
      'must be one of: plain_text [json-pointer:/blocks/0/elements/0/options/0/text/type]',
    ],
    [
      'an overflow of six',
      actions({ type: 'overflow', options: options(6) }),
      'no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]',
    ],
    [
      'a text input among actions',
      actions({ type: 'plain_text_input' }),
      'unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]',
    ],
    ['a button as an input', input(button()), 'unsupported type: button [json-pointer:/blocks/0/element/type]'],
    [
      'min over max',
      input({ type: 'plain_text_input', min_length: 5, max_length: 2 }),
      'min_length must not be greater than max_length [json-pointer:/blocks/0/element]',
    ],
    ['an alt text of 2,001', [image(2001)], 'must be less than 2001 characters [json-pointer:/blocks/0/alt_text]'],
    [
      'a picture of nothing',
      [{ type: 'image', alt_text: 'x' }],
      'must provide either image_url or slack_file [json-pointer:/blocks/0]',
    ],
    [
      'a broken address',
      actions(button({ url: 'not one' })),
      'must be a valid URL [json-pointer:/blocks/0/elements/0/url]',
    ],
    [
      'an unknown property',
      [section(1, { colour: 'red' })],
      'invalid additional property: colour [json-pointer:/blocks/0]',
    ],
    [
      'an inherited property',
      [section(1, { constructor: 'x' })],
      'invalid additional property: constructor [json-pointer:/blocks/0]',
    ],
    ['an unknown block', [{ type: 'carousel' }], 'unsupported type: carousel [json-pointer:/blocks/0/type]'],
    ['a block without type', [{ text: plain(1) }], 'missing required field: type [json-pointer:/blocks/0]'],
    ['null', [null], 'must provide an object [json-pointer:/blocks/0]'],
  ])('%s', (_, blocks, fault) => {
    expect(blockErrors(blocks, 50)).toEqual([fault]);
  });

  it('more than 13,200 characters in all, as JSON', () => {
    const blocks = Array.from({ length: 5 }, () => section(2900));
    expect(blockErrors(blocks.slice(1), 50)).toEqual([]);
    expect(blockErrors(blocks, 50)).toEqual(['must be less than 13201 characters in all [json-pointer:/blocks]']);
    expect(blockErrors(blocks, 100)).toEqual([]);
  });
});

describe('views', () => {
  const modal = { type: 'modal', title: plain(24), blocks: [section(1)] };

  it.each<[string, object]>([
    ['a modal', modal],
    ['a modal of 100 blocks', { ...modal, blocks: Array.from({ length: 100 }, () => section(1)) }],
    [
      'a form',
      { ...modal, submit: plain(24), blocks: input({ type: 'plain_text_input' }), private_metadata: 'x'.repeat(3000) },
    ],
    ['a Home tab', { type: 'home', blocks: [section(1)] }],
  ])('%s is taken', (_, view) => {
    expect(viewErrors(view)).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['no title', { type: 'modal', blocks: [] }, 'missing required field: title [json-pointer:/view]'],
    [
      'a title of 25',
      { ...modal, title: plain(25) },
      'must be less than 25 characters [json-pointer:/view/title/text]',
    ],
    [
      'a form without submit',
      { ...modal, blocks: input({ type: 'plain_text_input' }) },
      'a submit button is required when an input block is present [json-pointer:/view]',
    ],
    [
      '101 blocks',
      { ...modal, blocks: Array.from({ length: 101 }, () => section(1)) },
      'no more than 100 items allowed [json-pointer:/view/blocks]',
    ],
    [
      'metadata of 3,001',
      { ...modal, private_metadata: 'x'.repeat(3001) },
      'must be less than 3001 characters [json-pointer:/view/private_metadata]',
    ],
    [
      'a Home tab with a title',
      { type: 'home', title: plain(1), blocks: [] },
      'invalid additional property: title [json-pointer:/view]',
    ],
    ['another type', { ...modal, type: 'window' }, 'must be one of: modal [json-pointer:/view/type]'],
  ])('%s is refused', (_, view, fault) => {
    expect(viewErrors(view)).toEqual([fault]);
  });
});
