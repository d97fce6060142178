import { randomBytes } from 'node:crypto';
import type { Message } from './message.ts';
import { bot, type Member, team } from './people.ts';
import type { OpenView } from './views.ts';
import { viewAsSlack } from './views.ts';
import { messageAsSlack } from './web-api/content.ts';
import type { Channel } from './workspace.ts';

/** Slack's old way of proving itself: apps should look at the signature instead. */
const verificationToken = 'sandbox-verification-token';
const common = { token: verificationToken, team_id: team.id, api_app_id: bot.appId };
const teamField = { id: team.id, domain: team.domain };

/** What somebody has filled in: block id → action id → what is chosen. */
export type StateValues = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What only the workspace knows: the trigger and the response_url of this act. */
export interface Handles {
  readonly triggerId: string;
  readonly responseUrl: string;
}

function userField(member: Member): object {
  return { id: member.id, username: member.name, name: member.name, team_id: team.id };
}

export function commandPayload(
  member: Member,
  channel: Channel,
  words: { readonly command: string; readonly text: string },
  handles: Handles,
): object {
  return {
    token: common.token,
    team_id: team.id,
    team_domain: team.domain,
    channel_id: channel.id,
    channel_name: channel.isDirect ? 'directmessage' : channel.name,
    user_id: member.id,
    user_name: member.name,
    command: words.command,
    text: words.text,
    api_app_id: bot.appId,
    is_enterprise_install: 'false',
    response_url: handles.responseUrl,
    trigger_id: handles.triggerId,
  };
}

/** An element of a message was used. The payload of an ephemeral message does not hold the message, as in Slack. */
export function messageActionPayload(
  member: Member,
  channel: Channel,
  used: { readonly message: Message; readonly action: object; readonly values: StateValues },
  handles: Handles,
): object {
  const { message } = used;
  const isEphemeral = message.onlyFor !== null;
  const thread = message.threadTs === null ? {} : { thread_ts: message.threadTs };
  return {
    type: 'block_actions',
    user: userField(member),
    api_app_id: bot.appId,
    token: common.token,
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: channel.id,
      is_ephemeral: isEphemeral,
      ...thread,
    },
    trigger_id: handles.triggerId,
    team: teamField,
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: channel.id, name: channel.name },
    ...(isEphemeral ? {} : { message: messageAsSlack(message) }),
    state: { values: used.values },
    response_url: handles.responseUrl,
    actions: [used.action],
  };
}

export function viewActionPayload(
  member: Member,
  used: { readonly open: OpenView; readonly action: object; readonly values: StateValues },
  triggerId: string,
): object {
  return {
    type: 'block_actions',
    user: userField(member),
    api_app_id: bot.appId,
    token: common.token,
    container: { type: 'view', view_id: used.open.id },
    trigger_id: triggerId,
    team: teamField,
    enterprise: null,
    is_enterprise_install: false,
    view: viewAsSlack(used.open, used.values),
    actions: [used.action],
  };
}

export function submissionPayload(member: Member, open: OpenView, values: StateValues, triggerId: string): object {
  return {
    type: 'view_submission',
    team: teamField,
    user: userField(member),
    api_app_id: bot.appId,
    token: common.token,
    trigger_id: triggerId,
    view: viewAsSlack(open, values),
    response_urls: [],
    is_enterprise_install: false,
    enterprise: null,
  };
}

/** What somebody has typed into a select whose options come from the app. */
export function suggestionPayload(
  member: Member,
  place: { readonly open: OpenView } | { readonly message: Message; readonly channel: Channel },
  asked: { readonly blockId: string; readonly actionId: string; readonly value: string },
): object {
  const inView = 'open' in place;
  return {
    type: 'block_suggestion',
    user: userField(member),
    container: inView
      ? { type: 'view', view_id: place.open.id }
      : {
          type: 'message',
          message_ts: place.message.ts,
          channel_id: place.channel.id,
          is_ephemeral: place.message.onlyFor !== null,
        },
    api_app_id: bot.appId,
    token: common.token,
    action_id: asked.actionId,
    block_id: asked.blockId,
    value: asked.value,
    team: teamField,
    enterprise: null,
    is_enterprise_install: false,
    ...(inView
      ? { view: viewAsSlack(place.open) }
      : { channel: { id: place.channel.id, name: place.channel.name }, message: messageAsSlack(place.message) }),
  };
}

export function closedPayload(member: Member, open: OpenView, values: StateValues, isCleared: boolean): object {
  return {
    type: 'view_closed',
    team: teamField,
    user: userField(member),
    api_app_id: bot.appId,
    token: common.token,
    view: viewAsSlack(open, values),
    is_cleared: isCleared,
    is_enterprise_install: false,
    enterprise: null,
  };
}

export function shortcutPayload(member: Member, callbackId: string, triggerId: string): object {
  return {
    type: 'shortcut',
    token: common.token,
    action_ts: actionTs(),
    team: teamField,
    user: userField(member),
    is_enterprise_install: false,
    enterprise: null,
    callback_id: callbackId,
    trigger_id: triggerId,
  };
}

export function messageShortcutPayload(
  member: Member,
  channel: Channel,
  used: { readonly message: Message; readonly callbackId: string },
  handles: Handles,
): object {
  return {
    type: 'message_action',
    token: common.token,
    action_ts: actionTs(),
    team: teamField,
    user: userField(member),
    channel: { id: channel.id, name: channel.name },
    is_enterprise_install: false,
    enterprise: null,
    callback_id: used.callbackId,
    trigger_id: handles.triggerId,
    response_url: handles.responseUrl,
    message_ts: used.message.ts,
    message: messageAsSlack(used.message),
  };
}

export function eventPayload(event: object, now: number): object {
  const eventId = `Ev0${randomBytes(5).toString('hex').toUpperCase()}`;
  const authorization = { enterprise_id: null, team_id: team.id, user_id: bot.userId, is_bot: true };
  return {
    ...common,
    event: { ...event, event_ts: actionTs() },
    type: 'event_callback',
    event_id: eventId,
    event_time: Math.floor(now / 1000),
    authorizations: [{ ...authorization, is_enterprise_install: false }],
    is_ext_shared_channel: false,
    event_context: `4-${eventId}`,
  };
}

let lastAction = 0;

/** In microseconds, and later than every one before. */
export function actionTs(): string {
  lastAction = Math.max(lastAction + 1, Date.now() * 1000);
  return `${Math.floor(lastAction / 1_000_000)}.${String(lastAction % 1_000_000).padStart(6, '0')}`;
}
