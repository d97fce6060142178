import { createElement, type FunctionComponent } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { BlockList } from '../../../../sandbox/console/page/blocks/block-list.tsx';
import { parseMrkdwn, withoutForm } from '../../../../sandbox/console/page/blocks/mrkdwn.ts';
import { MrkdwnText } from '../../../../sandbox/console/page/blocks/mrkdwn-text.tsx';
import { NamesProvider } from '../../../../sandbox/console/page/names.ts';
import { readPlace } from '../../../../sandbox/console/place.ts';
import { people } from '../../../../sandbox/slack/people.ts';

const place = await readPlace();
const channel = { kind: 'channel', id: 'C0GENERAL', name: 'general', isDirect: false } as const;
const channels = [{ ...channel, isArchived: false, members: [], pins: [] }];

function draw<P extends object>(component: FunctionComponent<P>, props: P): string {
  const value = { me: people.alice, place, channels };
  return renderToStaticMarkup(createElement(NamesProvider, { value }, createElement(component, props)));
}

const mrkdwn = (text: string): string =>
  draw(MrkdwnText, { text }).replace(/^<span class="mrkdwn">([\s\S]*)<\/span>$/, '$1');
const blocks = (...list: object[]): string => draw(BlockList, { blocks: list as never });

describe('mrkdwn as it is drawn', () => {
  it.each([
    ['*bold* _italic_ ~struck~', '<strong>bold</strong> <em>italic</em> <s>struck</s>'],
    ['*_both_*', '<strong><em>both</em></strong>'],
    ['snake_case_name and 2*3*4', 'snake_case_name and 2*3*4'],
    ['`*code*` stays', '<code>*code*</code> stays'],
    ['one\ntwo', 'one<br/>two'],
    ['&gt; said *so*', '<span class="quote">said <strong>so</strong></span>'],
    ['```a\n  *b*```', '<code class="code-block">a\n  *b*</code>'],
    [':tada: :no_such_thing:', '🎉 :no_such_thing:'],
    ['12:30:45', '12:30:45'],
    ['<@U0BOB0000>', '<span class="mention">@bob</span>'],
    ['<@U0ALICE00>', '<span class="mention mine">@alice</span>'],
    ['<!subteam^S0APPROVE>', '<span class="mention">@tas-approvers</span>'],
    ['<#C0GENERAL>', '<span class="mention">#general</span>'],
    ['<!here>', '<span class="mention mine">@here</span>'],
    [
      '<https://example.com/a?b=1&amp;c=2|there>',
      '<a href="https://example.com/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">there</a>',
    ],
    [
      '<https://tas-sandbox.slack.com/archives/C0GENERAL/p1732000000000100|run-1>',
      '<a href="#/alice/C0GENERAL/1732000000.000100">run-1</a>',
    ],
    [
      '<https://tas-sandbox.slack.com/archives/C0GENERAL/p1732000000000200?thread_ts=1732000000.000100&amp;cid=C0GENERAL|reply>',
      '<a href="#/alice/C0GENERAL/1732000000.000100">reply</a>',
    ],
    [
      '<https://other.slack.com/archives/C0ELSEWHERE/p1732000000000100|x>',
      '<a href="https://other.slack.com/archives/C0ELSEWHERE/p1732000000000100" target="_blank" rel="noopener noreferrer">x</a>',
    ],
    ['<!date^0^{date_num}|once>', '01/01/1970'],
    ['<!date^0^{no_such_form}|once>', 'once'],
  ])('%s', (text, drawn) => {
    expect(mrkdwn(text)).toBe(drawn);
  });

  it('never makes markup, scripts or links of foreign text', () => {
    expect(mrkdwn('<script>alert(1)</script>')).toBe('scriptalert(1)/script');
    expect(mrkdwn('&lt;img src=x onerror=alert(1)&gt;')).toBe('&lt;img src=x onerror=alert(1)&gt;');
    for (const url of ['javascript:alert(1)', 'JavaScript:alert(1)', 'data:text/html,x', 'vbscript:x', ' https://x'])
      expect(mrkdwn(`<${url}|click>`)).toBe('click');
    expect(mrkdwn('<https://a"onmouseover="x|y>')).not.toContain('"onmouseover');
    expect(mrkdwn('```<script>```')).toContain('&lt;script&gt;');
  });

  it('shows what cannot be seen: control characters and those that turn the direction around', () => {
    expect(mrkdwn('a\u0000b\u001bc\u202egnp.exe\u2066d')).toBe('a\ufffdb\ufffdc\ufffdgnp.exe\ufffdd');
  });

  it('has words for what is read out', () => {
    expect(withoutForm('*A* snake_case `x_y` <https://example.com|link>\n:tada:<@U0BOB0000|bob>')).toBe(
      'A snake_case x_y link bob',
    );
  });

  it('parses thousands of marks in no time', () => {
    const started = performance.now();
    for (const text of ['*a '.repeat(1_000), '_*~`<'.repeat(600), ':a'.repeat(1_500), '```'.repeat(999)])
      expect(parseMrkdwn(text).length).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('blocks as they are drawn', () => {
  it('draws every block and element that Slack takes from an app', () => {
    const text = { type: 'plain_text', text: 'Words' };
    const options = [{ text, value: 'one', description: text }];
    const kinds = [
      ['button', '<button'],
      ['static_select', '<select'],
      ['users_select', 'Bob Brandt'],
      ['channels_select', '#general'],
      ['conversations_select', '<optgroup'],
      ['external_select', 'role="combobox"'],
      ['multi_static_select', '<details'],
      ['multi_users_select', 'Bob Brandt'],
      ['multi_external_select', 'role="combobox"'],
      ['checkboxes', 'type="checkbox"'],
      ['radio_buttons', 'type="radio"'],
      ['datepicker', 'type="date"'],
      ['timepicker', 'type="time"'],
      ['datetimepicker', 'type="datetime-local"'],
      ['overflow', 'aria-expanded="false"'],
      ['plain_text_input', 'type="text"'],
      ['email_text_input', 'type="email"'],
      ['url_text_input', 'type="url"'],
      ['number_input', 'inputMode="decimal"'],
    ] as const;
    for (const [type, drawn] of kinds) {
      const element = { type, action_id: 'a', text, options, placeholder: text };
      expect(blocks({ type: 'actions', block_id: 'b', elements: [element] })).toContain(drawn);
      expect(blocks({ type: 'input', block_id: 'b', label: text, element })).toContain(drawn);
    }
  });

  it('draws what is no block as nothing, and breaks at nothing', () => {
    expect(blocks({ type: 'header' }, { type: 'section' }, { type: 'actions', elements: 'x' })).not.toContain(
      'undefined',
    );
    expect(blocks({ type: 'rich_text', elements: [null, 3, { type: 'rich_text_section' }] })).toContain('rich-text');
    expect(blocks({ type: 'video' })).toContain('A block of type video is not drawn here.');
  });

  it('loads uploaded pictures from this machine, and links the others', () => {
    const picture = (more: object): string => blocks({ type: 'image', alt_text: 'a "chart"', ...more });
    expect(picture({ slack_file: { id: 'F00000001' } })).toContain(
      '<img src="/files/F00000001" alt="a &quot;chart&quot;"/>',
    );
    expect(picture({ slack_file: { id: '../acts' } })).not.toContain('<img');
    expect(picture({ image_url: 'https://example.com/a.png' })).toContain('<a href="https://example.com/a.png"');
    expect(picture({ image_url: 'javascript:alert(1)' })).not.toContain('href');
  });

  it('opens web addresses of buttons only', () => {
    const button = (url: string): string =>
      blocks({ type: 'actions', elements: [{ type: 'button', action_id: 'a', text: { text: 'Go' }, url }] });
    expect(button('https://example.com')).toContain('<a class="button " href="https://example.com"');
    expect(button('javascript:alert(1)')).not.toContain('href');
  });
});
