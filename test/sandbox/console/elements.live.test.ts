import type { BlockAction } from '@slack/bolt';
import type { Browser, Page } from 'playwright-core';
import { type Console, serveConsole } from '../../../sandbox/console/serve-console.ts';
import { browserIfThere } from '../../journeys/browser-if-there.ts';
import { openWorkspace, type Workspace } from '../../journeys/open-workspace.ts';
import { type BoltOnSlack, startBolt } from '../slack/bolt-app.ts';

const text = (words: string) => ({ type: 'plain_text' as const, text: words });
const option = (value: string) => ({ text: text(`Option ${value}`), value });
const options = ['a', 'b', 'c'].map(option);
const confirm = { title: text('Really?'), text: text('It counts.'), confirm: text('Yes'), deny: text('No') };

const section = (type: string, more: object = {}) => ({
  type: 'section',
  block_id: `block-${type}`,
  text: { type: 'mrkdwn', text: `A ${type}` },
  accessory: { type, action_id: 'it', ...more },
});
const input = (type: string, more: object = {}) => ({
  type: 'input',
  block_id: `input-${type}`,
  label: text(`The ${type}`),
  optional: true,
  element: { type, action_id: 'it', ...more },
});

const browser = await browserIfThere();

(browser === null ? describe.skip : describe)('elements in Chromium, with the real Bolt behind them', () => {
  let bolt: BoltOnSlack;
  let served: Console;
  let slack: Workspace;
  let page: Page;
  const heard: string[] = [];
  const state: unknown[] = [];

  beforeAll(async () => {
    bolt = await startBolt('http', (app) => {
      app.options('it', async ({ ack, options: { value } }) => {
        await ack({ options: options.filter((entry) => entry.value.includes(value)) });
      });
      app.action('it', async ({ ack, payload, body }) => {
        await ack();
        const {
          type,
          action_id: _,
          block_id: __,
          action_ts: ___,
          ...rest
        } = payload as unknown as Record<string, unknown>;
        heard.push(`${String(type)} ${said(rest)}`);
        const triggerId = (body as BlockAction).trigger_id;
        if (type === 'button') await app.client.views.open({ trigger_id: triggerId, view: modal as never });
      });
      app.view('all', async ({ ack, view }) => {
        state.push(view.state.values);
        await ack();
      });
    });
    served = await serveConsole(bolt.slack);
    slack = await openWorkspace(browser as Browser, served.url);
    page = slack.page;
    await bolt.app.client.chat.postMessage({ channel: 'tas-platform', text: 'all', blocks: blocks as never });
    await slack.card(/A static_select/).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
    await bolt?.stop();
  });

  const blocks = [
    section('button', { text: text('Open') }),
    section('static_select', { options, confirm }),
    section('multi_static_select', { options, max_selected_items: 2 }),
    section('external_select', { min_query_length: 0 }),
    section('users_select'),
    section('checkboxes', { options, initial_options: [option('b')] }),
    section('radio_buttons', { options }),
    section('datepicker', { initial_date: '2026-11-23' }),
    section('timepicker'),
    section('overflow', { options }),
  ];
  const modal = {
    type: 'modal',
    callback_id: 'all',
    title: text('Everything'),
    submit: text('Send'),
    blocks: [
      input('plain_text_input', { min_length: 2 }),
      input('number_input', { is_decimal_allowed: false }),
      input('static_select', { options }),
      input('external_select', { min_query_length: 1 }),
      input('checkboxes', { options }),
      input('datetimepicker'),
      input('url_text_input'),
    ],
  };

  /** What is in an action, whatever its kind calls it. */
  function said(rest: Record<string, unknown>): string {
    const values = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(values)
        : value !== null && typeof value === 'object' && 'value' in value
          ? value.value
          : value;
    return Object.entries(rest)
      .filter(([name]) => name.startsWith('selected'))
      .map(([, value]) => JSON.stringify(values(value)))
      .join(' ');
  }

  async function next(act: () => Promise<unknown>): Promise<string | undefined> {
    const before = heard.length;
    await act();
    await bolt.slack.waitFor('the app to hear of it', () => heard.length > before);
    return heard.at(-1);
  }

  it('tell the app at once what a person chose', async () => {
    expect(await next(() => page.getByLabel('A users_select').selectOption('Bob Brandt'))).toBe(
      'users_select "U0BOB0000"',
    );
    expect(await next(() => page.getByLabel('A datepicker').fill('2026-12-24'))).toBe('datepicker "2026-12-24"');
    expect(await next(() => page.getByLabel('A timepicker').fill('03:10'))).toBe('timepicker "03:10"');
    const boxes = page.getByRole('group', { name: 'A checkboxes' });
    expect(await boxes.getByLabel('Option b').isChecked()).toBe(true);
    expect(await next(() => boxes.getByLabel('Option a').check())).toBe('checkboxes ["b","a"]');
    expect(await next(() => boxes.getByLabel('Option b').uncheck())).toBe('checkboxes ["a"]');
    expect(await next(() => page.getByRole('radio', { name: 'Option c' }).check())).toBe('radio_buttons "c"');
  });

  it('ask first where there is a dialog, and keep the old choice after a no', async () => {
    const select = page.getByLabel('A static_select');
    await select.selectOption('Option a');
    await slack.dialog.getByRole('button', { name: 'No' }).click();
    await slack.dialog.waitFor({ state: 'detached' });
    expect(await select.inputValue()).toBe('');
    await select.selectOption('Option a');
    expect(await next(() => slack.dialog.getByRole('button', { name: 'Yes' }).click())).toBe('static_select "a"');
    expect(await select.inputValue()).toBe('a');
    expect(heard.filter((line) => line.startsWith('static_select'))).toHaveLength(1);
  });

  it('take several, never more than allowed, and those of the app by typing', async () => {
    await page.getByText('Choose options').click();
    const many = page.getByRole('group', { name: 'A multi_static_select' });
    expect(await next(() => many.getByLabel('Option a').check())).toBe('multi_static_select ["a"]');
    expect(await next(() => many.getByLabel('Option c').check())).toBe('multi_static_select ["a","c"]');
    expect(await many.getByLabel('Option b').isDisabled()).toBe(true);
    const typed = page.getByRole('combobox', { name: 'A external_select' });
    await typed.pressSequentially('b');
    await page.getByRole('listbox').getByRole('option', { name: 'Option b' }).waitFor();
    expect(await slack.violations()).toEqual([]);
    expect(await next(() => typed.press('Enter'))).toBe('external_select "b"');
    expect(await typed.inputValue()).toBe('Option b');
    const more = page.getByRole('button', { name: 'More actions for A overflow' });
    await more.click();
    await page.keyboard.press('Escape');
    expect(await more.getAttribute('aria-expanded')).toBe('false');
    await more.click();
    expect(await next(() => page.getByRole('button', { name: 'Option b' }).click())).toBe('overflow "b"');
  });

  it('hold what was put into a modal until it is submitted as a whole', async () => {
    await page.getByRole('button', { name: 'Open' }).click();
    const { dialog } = slack;
    await dialog.waitFor();
    await dialog.getByLabel('The plain_text_input').fill('<b>&');
    await dialog.getByLabel('The number_input').fill('12');
    await dialog.getByLabel('The static_select').selectOption('Option b');
    await dialog.getByRole('combobox', { name: 'The external_select' }).pressSequentially('c');
    await dialog.getByRole('listbox').getByRole('option', { name: 'Option c' }).click();
    await dialog.getByLabel('Option a').check();
    await dialog.getByLabel('The datetimepicker').fill('2026-11-24T03:10');
    await dialog.getByLabel('The url_text_input').fill('no address');
    await dialog.getByRole('button', { name: 'Send' }).click();
    await dialog.getByText('Please enter a valid URL.').waitFor();
    expect(await slack.violations()).toEqual([]);
    expect(state).toEqual([]);
    await dialog.getByLabel('The url_text_input').fill('https://example.com');
    await dialog.getByRole('button', { name: 'Send' }).click();
    await dialog.waitFor({ state: 'detached' });
    const seconds = new Date('2026-11-24T03:10').getTime() / 1000;
    expect(state[0]).toMatchObject({
      'input-plain_text_input': { it: { value: '<b>&' } },
      'input-number_input': { it: { value: '12' } },
      'input-static_select': { it: { selected_option: { value: 'b' } } },
      'input-external_select': { it: { selected_option: { value: 'c' } } },
      'input-checkboxes': { it: { selected_options: [{ value: 'a' }] } },
      'input-datetimepicker': { it: { selected_date_time: seconds } },
      'input-url_text_input': { it: { value: 'https://example.com' } },
    });
    expect(slack.troubles).toEqual([]);
  });
});
