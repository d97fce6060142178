import type { Choice } from './choices.ts';
import { blocksOf, type ClickOptions, channelSeenBy, choose, click, clickForged, fill } from './clicks.ts';
import { giveCommand } from './commands.ts';
import type { Acknowledgement } from './delivery.ts';
import { type ElementName, findElement } from './elements.ts';
import type { Message } from './message.ts';
import { eventPayload, messageShortcutPayload, shortcutPayload } from './payloads.ts';
import { bot, channels, type Member } from './people.ts';
import { beginAct, endAct, type Outcome, type Stage } from './stage.ts';
import { closeView, type SubmitOutcome, submit } from './submissions.ts';
import { type Suggested, suggest } from './suggestions.ts';
import { type OpenView, viewAsSlack } from './views.ts';
import type { Channel } from './workspace.ts';

/** What somebody does in the workspace. Every act resolves when the app has acknowledged it, or three seconds are over. */
export interface PersonInSlack {
  readonly id: string;
  readonly name: string;
  /** `/tas help`, in #tas-platform when no channel is named; in the direct channel with the bot by the person's own id. */
  command(line: string, options?: { channel?: string }): Promise<Outcome>;
  click(target: Message | OpenView, button: ElementName, options?: ClickOptions): Promise<Outcome>;
  clickForged(message: Message, actionId: string, value: string): Promise<Outcome>;
  /** By an option's value or its words, or by id. Null where the app is not told. */
  select(target: Message | OpenView, element: ElementName, choice: Choice): Promise<Outcome | null>;
  /** Puts something in and tells nobody yet. */
  fill(target: Message | OpenView, element: ElementName, choice: Choice): void;
  /** Types into an external select; answers the list that opens. Its options may then be selected. */
  suggest(target: Message | OpenView, element: ElementName, typed: string): Promise<Suggested>;
  submit(view: OpenView, values?: Readonly<Record<string, Choice>>): Promise<SubmitOutcome>;
  close(view: OpenView): Promise<Outcome | null>;
  /** A global shortcut, or one on a message. */
  shortcut(callbackId: string, message?: Message): Promise<Outcome>;
  openHome(): Promise<Acknowledgement>;
  /** Writes into a channel; the app is told of mentions of it and of direct messages to it. */
  say(
    text: string,
    options?: { channel?: string; threadTs?: string },
  ): Promise<{ readonly message: Message; readonly told: Acknowledgement | null }>;
  /** Modals that are open, the one in front last. */
  views(): readonly OpenView[];
  home(): OpenView | null;
  /** What this person alone was shown, oldest first. */
  ephemerals(): readonly Message[];
  /** Everything that the person sees in a channel, oldest first. */
  sees(channel?: string): readonly Message[];
  /** New messages that told this person: mentions and direct messages. Edits tell nobody. */
  notifications(): readonly Message[];
}

export function createPerson(stage: Stage, member: Member): PersonInSlack {
  const { workspace, views } = stage;
  const visible = (message: Message): boolean => !message.deleted && (message.onlyFor ?? member.id) === member.id;
  return {
    id: member.id,
    name: member.name,
    command: async (line, options = {}) => giveCommand(stage, member, line, channelNamed(stage, options.channel)),
    click: async (target, button, options) => click(stage, member, target, button, options),
    clickForged: async (message, actionId, value) => clickForged(stage, member, message, { actionId, value }),
    select: async (target, element, choice) => choose(stage, member, target, element, choice),
    fill: (target, element, choice) =>
      void fill(stage, member, target, { element: findElement(blocksOf(target), element), choice }),
    suggest: async (target, name, typed) => suggest(stage, member, target, { name, typed }),
    submit: async (view, values = {}) => submit(stage, member, view, values),
    close: async (view) => closeView(stage, member, view),
    shortcut: async (callbackId, message) => useShortcut(stage, member, callbackId, message),
    openHome: () => openHome(stage, member),
    say: async (text, options = {}) => say(stage, member, text, options),
    views: () => views.stack(member.id),
    home: () => views.home(member.id),
    ephemerals: () => workspace.messages.filter((message) => message.onlyFor === member.id && visible(message)),
    sees(name) {
      const channel = channelNamed(stage, name);
      if (!channel.members.has(member.id)) return [];
      return workspace.messages.filter((message) => message.channel === channel.id && visible(message));
    },
    notifications: () => workspace.notifications.filter(({ user }) => user === member.id).map(({ message }) => message),
  };
}

function channelNamed(stage: Stage, name: string = channels[0].id): Channel {
  const channel = stage.workspace.channel(name);
  if (!channel) throw new Error(`there is no channel ${name}`);
  return channel;
}

async function useShortcut(stage: Stage, member: Member, callbackId: string, message?: Message): Promise<Outcome> {
  const from = stage.workspace.messages.length;
  const what = `shortcut ${callbackId}`;
  if (!message) {
    const triggerId = stage.triggers.give({ user: member.id, viewId: null });
    const acknowledgement = await stage.delivery.deliver(
      'interactive',
      what,
      shortcutPayload(member, callbackId, triggerId),
    );
    return endAct(stage, member, { acknowledgement, from, path: null });
  }
  const channel = channelSeenBy(stage, member, message);
  const handles = beginAct(stage, member, channel, message);
  const payload = messageShortcutPayload(member, channel, { message, callbackId }, handles);
  const acknowledgement = await stage.delivery.deliver('interactive', what, payload);
  return endAct(stage, member, { acknowledgement, from, path: handles.path });
}

function openHome(stage: Stage, member: Member): Promise<Acknowledgement> {
  const home = stage.views.home(member.id);
  const event = {
    type: 'app_home_opened',
    user: member.id,
    channel: channelNamed(stage, member.id).id,
    tab: 'home',
    ...(home ? { view: viewAsSlack(home) } : {}),
  };
  return stage.delivery.deliver('events_api', 'app_home_opened', eventPayload(event, stage.time.now()));
}

async function say(
  stage: Stage,
  member: Member,
  text: string,
  options: { readonly channel?: string; readonly threadTs?: string },
): Promise<{ message: Message; told: Acknowledgement | null }> {
  const channel = channelNamed(stage, options.channel);
  if (!channel.members.has(member.id)) throw new Error(`${member.name} is not in #${channel.name}`);
  const threadTs = options.threadTs ?? null;
  const message = stage.workspace.post({ channel: channel.id, user: member.id, text, blocks: [], threadTs });
  const type = channel.isDirect
    ? 'message'
    : text.includes(`<@${bot.userId}>`) && channel.members.has(bot.userId)
      ? 'app_mention'
      : null;
  if (type === null) return { message, told: null };
  const event = {
    type,
    user: member.id,
    text,
    ts: message.ts,
    channel: channel.id,
    ...(threadTs === null ? {} : { thread_ts: threadTs }),
    ...(channel.isDirect ? { channel_type: 'im' } : {}),
  };
  const told = await stage.delivery.deliver('events_api', type, eventPayload(event, stage.time.now()));
  return { message, told };
}
