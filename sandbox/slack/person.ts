import type { Acknowledgement, Delivery } from './delivery.ts';
import { bot, channels, type Member, team } from './people.ts';
import { type ResponseUrls, respond } from './response-urls.ts';
import { asSlack } from './web-api/chat.ts';
import { directChannel, type Message, type OpenView, type Workspace } from './workspace.ts';

type Loose = Readonly<Record<string, unknown>>;

/** A button as a person sees it. */
export interface Button {
  readonly text: string;
  readonly actionId: string;
  readonly blockId: string;
  readonly value: string;
  readonly confirm: { readonly title: string; readonly text: string } | null;
}

/** What somebody does in the workspace. Every act resolves when the app has acknowledged it, or three seconds are over. */
export interface PersonInSlack {
  readonly id: string;
  command(text: string, options?: { channel?: string }): Promise<Acknowledgement>;
  /** Clicks a button of a message by its text; a confirm dialog is confirmed. Throws when there is no such button. */
  click(message: Message, text: string): Promise<Acknowledgement>;
  /** Clicks with made-up values, as a forger would. */
  clickForged(message: Message, actionId: string, value: string): Promise<Acknowledgement>;
  /** Fills a modal's inputs by action id and submits it. */
  submit(view: OpenView, values: Readonly<Record<string, string>>): Promise<Acknowledgement>;
  openHome(): Promise<Acknowledgement>;
  /** The modal that is open for this person, newest last. */
  views(): readonly OpenView[];
  /** What this person alone was shown, oldest first. */
  ephemerals(): readonly Message[];
  notifications(): readonly Message[];
}

export interface PersonDeps {
  readonly workspace: Workspace;
  readonly delivery: Delivery;
  readonly responseUrls: ResponseUrls;
  readonly baseUrl: string;
  readonly acknowledgements: { readonly what: string; readonly ms: number; readonly status: number | null }[];
  giveTrigger(user: string): string;
}

export function createPerson(deps: PersonDeps, member: Member): PersonInSlack {
  const { workspace } = deps;
  const click = (message: Message, action: Loose): Promise<Acknowledgement> => interact(deps, member, message, action);
  return {
    id: member.id,
    command: (text, options) => command(deps, member, text, options?.channel ?? channels[0].id),
    async click(message, text) {
      const button = buttonsOf(message.blocks).find((candidate) => candidate.text === text);
      if (!button)
        throw new Error(
          `there is no button “${text}”, there are: ${buttonsOf(message.blocks)
            .map((found) => found.text)
            .join(', ')}`,
        );
      return click(message, {
        type: 'button',
        action_id: button.actionId,
        block_id: button.blockId,
        value: button.value,
        text: { type: 'plain_text', text },
      });
    },
    clickForged: (message, actionId, value) =>
      click(message, { type: 'button', action_id: actionId, block_id: 'forged', value }),
    submit: (view, values) => submit(deps, member, view, values),
    openHome: () =>
      deliver(deps, 'events_api', `home ${member.name}`, {
        ...envelope(),
        type: 'event_callback',
        event: { type: 'app_home_opened', user: member.id, channel: directChannel(member.id), tab: 'home' },
      }),
    views: () => [...workspace.views.values()].filter((view) => view.user === member.id),
    ephemerals: () => workspace.messages.filter((message) => message.onlyFor === member.id && !message.deleted),
    notifications: () => workspace.notifications.filter(({ user }) => user === member.id).map(({ message }) => message),
  };
}

/** Every button in these blocks, in order. */
export function buttonsOf(blocks: readonly Loose[]): Button[] {
  return blocks.flatMap((block, at) => {
    const elements = (block.elements as Loose[] | undefined) ?? (block.accessory ? [block.accessory as Loose] : []);
    return elements
      .filter((element) => element.type === 'button')
      .map((element) => {
        const confirm = element.confirm as { title: { text: string }; text: { text: string } } | undefined;
        return {
          text: (element.text as { text: string }).text,
          actionId: String(element.action_id ?? ''),
          blockId: String(block.block_id ?? `block-${at}`),
          value: String(element.value ?? ''),
          confirm: confirm ? { title: confirm.title.text, text: confirm.text.text } : null,
        };
      });
  });
}

function envelope(): Record<string, unknown> {
  return { token: 'unused', team_id: team.id, api_app_id: bot.appId };
}

async function command(deps: PersonDeps, member: Member, text: string, channel: string): Promise<Acknowledgement> {
  const [word = '', ...rest] = text.split(' ');
  const channelId = deps.workspace.channelId(channel) ?? channel;
  const ticket = { channel: channelId, user: member.id, message: null };
  const acknowledgement = await deliver(deps, 'slash_commands', text, {
    ...envelope(),
    team_domain: team.domain,
    channel_id: channelId,
    channel_name: channels.find(({ id }) => id === channelId)?.name ?? 'directmessage',
    user_id: member.id,
    user_name: member.name,
    command: word,
    text: rest.join(' '),
    response_url: `${deps.baseUrl}${deps.responseUrls.give(ticket)}`,
    trigger_id: deps.giveTrigger(member.id),
    is_enterprise_install: 'false',
  });
  if (acknowledgement.status === null) {
    deps.workspace.post({
      ...ticket,
      user: bot.userId,
      text: `${word} failed with the error "operation_timeout"`,
      blocks: [],
      onlyFor: member.id,
    });
  } else if (acknowledgement.status === 200 && acknowledgement.body !== '') {
    respond(deps.workspace, ticket, asFields(acknowledgement.body));
  }
  return acknowledgement;
}

async function interact(deps: PersonDeps, member: Member, message: Message, action: Loose): Promise<Acknowledgement> {
  const container = {
    type: 'message',
    message_ts: message.ts,
    channel_id: message.channel,
    is_ephemeral: message.onlyFor !== null,
    ...(message.threadTs === null ? {} : { thread_ts: message.threadTs }),
  };
  return deliver(deps, 'interactive', `click ${String(action.action_id)}`, {
    ...envelope(),
    type: 'block_actions',
    user: userOf(member),
    team: { id: team.id, domain: team.domain },
    container,
    trigger_id: deps.giveTrigger(member.id),
    channel: { id: message.channel, name: channels.find(({ id }) => id === message.channel)?.name ?? 'directmessage' },
    message: asSlack(message),
    state: { values: {} },
    response_url: `${deps.baseUrl}${deps.responseUrls.give({ channel: message.channel, user: member.id, message })}`,
    actions: [{ ...action, action_ts: message.ts }],
  });
}

async function submit(
  deps: PersonDeps,
  member: Member,
  open: OpenView,
  values: Readonly<Record<string, string>>,
): Promise<Acknowledgement> {
  const state: Record<string, Record<string, unknown>> = {};
  open.view.blocks.forEach((block, at) => {
    const element = block.element as Loose | undefined;
    if (!element) return;
    const actionId = String(element.action_id);
    state[String(block.block_id ?? `block-${at}`)] = {
      [actionId]: { type: element.type, value: values[actionId] ?? null },
    };
  });
  const acknowledgement = await deliver(deps, 'interactive', `submit ${String(open.view.callback_id)}`, {
    ...envelope(),
    type: 'view_submission',
    user: userOf(member),
    team: { id: team.id, domain: team.domain },
    trigger_id: deps.giveTrigger(member.id),
    view: {
      ...open.view,
      id: open.id,
      hash: open.id,
      state: { values: state },
      root_view_id: open.id,
      app_id: bot.appId,
      bot_id: bot.botId,
      team_id: team.id,
    },
    response_urls: [],
  });
  const answer = asFields(acknowledgement.body);
  if (answer.response_action === 'update') open.view = answer.view as OpenView['view'];
  else if (answer.response_action !== 'errors' && acknowledgement.status === 200) deps.workspace.views.delete(open.id);
  deps.workspace.changed();
  return acknowledgement;
}

async function deliver(
  deps: PersonDeps,
  type: Parameters<Delivery['deliver']>[0],
  what: string,
  payload: Record<string, unknown>,
): Promise<Acknowledgement> {
  const acknowledgement = await deps.delivery.deliver(type, payload);
  deps.acknowledgements.push({ what, ms: acknowledgement.ms, status: acknowledgement.status });
  return acknowledgement;
}

function userOf(member: Member): object {
  return { id: member.id, username: member.name, name: member.name, team_id: team.id };
}

function asFields(body: string): Record<string, unknown> {
  if (body === '') return {};
  try {
    const parsed = JSON.parse(body) as unknown;
    return parsed !== null && typeof parsed === 'object'
      ? (parsed as Record<string, unknown>)
      : { text: String(parsed) };
  } catch {
    return { text: body };
  }
}
