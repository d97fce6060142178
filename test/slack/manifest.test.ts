import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { commands } from '../../commands/index.ts';
import { requestPath } from '../../src/slack/replay-guard.ts';

const root = resolve(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'manifest.yml'), 'utf8');
const url = z.url();
const manifest = z
  .object({
    display_information: z.object({ name: z.string().max(35), description: z.string().max(140) }),
    features: z.object({
      app_home: z.object({ home_tab_enabled: z.boolean(), messages_tab_enabled: z.boolean() }),
      shortcuts: z.array(z.object({ callback_id: z.string() })).optional(),
      slash_commands: z.array(
        z.object({ command: z.string(), url, description: z.string().max(2000), usage_hint: z.string().max(1000) }),
      ),
    }),
    oauth_config: z.object({ scopes: z.object({ bot: z.array(z.string()) }) }),
    settings: z.object({
      event_subscriptions: z.object({ request_url: url, bot_events: z.array(z.string()) }),
      interactivity: z.object({
        is_enabled: z.boolean(),
        request_url: url,
        message_menu_options_url: url.optional(),
      }),
      socket_mode_enabled: z.boolean(),
    }),
  })
  .parse(parse(text));

/** What Slack's documentation asks for each method that the code calls. */
const scopesOf: Readonly<Record<string, readonly string[]>> = {
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  'conversations.list': ['channels:read'],
  // Of channels and of direct messages.
  'conversations.history': ['channels:history', 'im:history'],
  'conversations.replies': ['channels:history', 'im:history'],
  'conversations.open': ['im:write'],
  'files.getUploadURLExternal': ['files:write'],
  'files.completeUploadExternal': ['files:write'],
  'usergroups.users.list': ['usergroups:read'],
  // The address of a message of ours; no scope.
  'chat.getPermalink': [],
  // Opened by a trigger; no scope.
  'views.open': [],
  'views.update': [],
  'views.publish': [],
};

const source = readdirSync(join(root, 'src/slack'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join(root, 'src/slack', file), 'utf8'))
  .join('\n');
const blocks = readdirSync(join(root, 'blocks'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join(root, 'blocks', file), 'utf8'));
const everything = [source, ...blocks].join('\n');
const called = new Set([...source.matchAll(/\bweb\.((?:\w+\.)+\w+)\(/g)].map((match) => match[1] ?? ''));

describe('the manifest', () => {
  it('asks for the scopes that the code needs and for no others', () => {
    expect([...called].filter((method) => !(method in scopesOf))).toEqual([]);
    const needed = new Set(['commands', ...[...called].flatMap((method) => scopesOf[method] ?? [])]);
    expect([...manifest.oauth_config.scopes.bot].sort()).toEqual([...needed].sort());
  });

  it('explains every scope to whoever installs it, and no other', () => {
    const guide = readFileSync(join(root, 'docs/slack-setup.md'), 'utf8');
    const explained = [...guide.matchAll(/^\| `([a-z]+(?::[a-z]+)?)` \|/gm)].map((match) => match[1]);
    expect(explained.toSorted()).toEqual([...manifest.oauth_config.scopes.bot].sort());
    expect([...guide.matchAll(/^(\d+)\. /gm)].length).toBeLessThanOrEqual(10);
  });

  it('offers what the code serves: the home tab, lists that are asked for, shortcuts', () => {
    expect(manifest.features.app_home.home_tab_enabled).toBe(called.has('views.publish'));
    expect(manifest.settings.interactivity.message_menu_options_url !== undefined).toBe(/app\.options\(/.test(source));
    const offered = (manifest.features.shortcuts ?? []).map((shortcut) => shortcut.callback_id);
    if (!/app\.shortcut\(/.test(source)) expect(offered).toEqual([]);
    else expect(offered.length).toBeGreaterThan(0);
    for (const id of offered) expect(everything).toContain(`'${id}'`);
  });

  it('says of every scope and event what it is for', () => {
    for (const name of [...manifest.oauth_config.scopes.bot, ...manifest.settings.event_subscriptions.bot_events]) {
      expect(text).toMatch(new RegExp(`# .+\\n\\s+- ${name}\\n`));
    }
  });

  it('subscribes to the events that the code listens to', () => {
    const heard = [...source.matchAll(/app\.event\('([^']+)'/g)].map((match) => match[1]);
    expect(manifest.settings.event_subscriptions.bot_events).toEqual(heard);
  });

  it('sends everything to where the bot listens', () => {
    const { event_subscriptions, interactivity } = manifest.settings;
    const [command] = manifest.features.slash_commands;
    const urls = [command?.url, event_subscriptions.request_url, interactivity.request_url];
    expect(new Set(urls.map((each) => new URL(each ?? '').pathname))).toEqual(new Set([requestPath]));
    expect(interactivity.is_enabled).toBe(true);
    expect(manifest.features.app_home.messages_tab_enabled).toBe(true);
  });

  it('has the one command, and hints at commands that there are', () => {
    expect(manifest.features.slash_commands.map(({ command }) => command)).toEqual(['/tas']);
    const hinted = (manifest.features.slash_commands[0]?.usage_hint ?? '')
      .split('|')
      .map((part) => part.trim().split(' ')[0]);
    expect(hinted.filter((word) => !commands.some((command) => command.word === word))).toEqual([]);
  });
});
