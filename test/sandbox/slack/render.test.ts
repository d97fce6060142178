import { readable, renderBlocks, renderMessage, renderView } from '../../../sandbox/slack/render.ts';

const plain = (text: string) => ({ type: 'plain_text', text });
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text });

describe('mrkdwn as plain text', () => {
  it.each([
    ['*bold*, _italic_ and ~struck~', 'bold, italic and struck'],
    ['*SANDBOX · space-isolation · changes 41,203*', 'SANDBOX · space-isolation · changes 41,203'],
    ['2*3*4 and snake_case_name', '2*3*4 and snake_case_name'],
    ['<@U0ALICE00> and <!subteam^S0APPROVE>', '@alice and @tas-approvers'],
    ['<@U0UNKNOWN|zed>, <#C0GENERAL>, <!here>', '@zed, #general, @here'],
    ['<https://example.test/x|the report> or <https://example.test>', 'the report or https://example.test'],
    ['<!date^1392734382^{date}|18 February>', '18 February'],
    ['a &lt;b&gt; &amp;amp; c', 'a <b> &amp; c'],
    ['`run-1` is `*as it is* &lt;@U0ALICE00&gt;`', 'run-1 is *as it is* <@U0ALICE00>'],
    ['```\na  *b*\n```', 'a  *b*'],
    ['✓ one\n✗ two', '✓ one\n✗ two'],
  ])('%j is drawn as %j', (text, drawn) => {
    expect(readable(text)).toBe(drawn);
  });
});

describe('blocks as plain text', () => {
  it('are drawn one below the other', () => {
    const blocks = [
      { type: 'header', text: plain('Backup') },
      { type: 'section', text: mrkdwn('*graph*'), fields: [mrkdwn('a'), plain('*b*')] },
      { type: 'divider' },
      { type: 'context', elements: [mrkdwn('one'), mrkdwn('two')] },
      {
        type: 'actions',
        elements: [
          { type: 'button', text: plain('Approve') },
          { type: 'static_select', placeholder: plain('Where?') },
        ],
      },
    ];
    expect(renderBlocks(blocks)).toBe(`BACKUP\ngraph\na\n*b*\n${'─'.repeat(40)}\none  two\n[Approve] [Where? ▾]`);
  });

  it('show the text where a message has none, and its files', () => {
    const files = [{ id: 'F1', name: 'a.csv', title: 'Conflicts' }];
    expect(renderMessage({ text: '*done*', blocks: [], files })).toBe('done\n[file: Conflicts]');
  });

  it('stand in a window with its title and buttons', () => {
    const input = {
      type: 'input',
      label: plain('Why?'),
      element: { type: 'plain_text_input' },
      hint: plain('in a word'),
    };
    const view = {
      type: 'modal',
      title: plain('Reject'),
      close: plain('Cancel'),
      submit: plain('Send'),
      blocks: [input],
    };
    expect(renderView({ view }).split('\n')).toEqual([
      `┌ Reject ${'─'.repeat(34)}`,
      'Why?: ____',
      '  in a word',
      '[Cancel] [Send]',
    ]);
  });
});
