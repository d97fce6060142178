import { webApi } from '@slack/bolt';
import type { Block, HomeView, Message, Modal } from '../../blocks/message.ts';

/** Slack cannot be reached, or wants to be left alone for a while: the same call may work later. */
export class SlackBusy extends Error {
  readonly seconds: number;
  /** There were too many calls; nothing is wrong with Slack or the way there. */
  readonly limited: boolean;

  constructor(seconds: number, cause: unknown, limited = false) {
    super(cause instanceof Error ? cause.message : 'Slack does not answer', { cause });
    this.seconds = seconds;
    this.limited = limited;
  }
}

/** Slack answered no, with a word of its own (`channel_not_found`): the same call gets the same answer. */
export class SlackRefused extends Error {
  readonly word: string;

  constructor(word: string, cause: unknown) {
    super(`Slack refused: ${word}`, { cause });
    this.word = word;
  }
}

/** Which post about what a message is, as it is written into the message's metadata. */
interface PostMark {
  /** The run's id, or a notice's topic. */
  readonly run: string;
  readonly name: string;
}

const eventType = 'tas_run_event';
const uploadTimeout = 30_000;
const lookAgain = 60_000;
type Blocks = webApi.ChatPostMessageArguments['blocks' & keyof webApi.ChatPostMessageArguments];

/** The Web API as far as the bot uses it. Every call throws `SlackBusy` or `SlackRefused`; nothing is tried twice here. */
export interface SlackCalls {
  /** Id of a public channel by name; an id is taken as it is. */
  channelId(nameOrId: string): Promise<string>;
  /** Id of the channel of direct messages with a person. */
  directChannel(user: string): Promise<string>;
  /** Answers the file's id; nobody sees it before a message shows it. */
  upload(name: string, content: Buffer): Promise<string>;
  /** Answers the new message's ts. */
  post(channel: string, message: Message, mark: PostMark, thread: string | null): Promise<string>;
  /** Finds a post by its mark, looking no further back than `since`. */
  findPost(channel: string, mark: PostMark, thread: string | null, since: Date): Promise<string | null>;
  update(channel: string, ts: string, message: Message): Promise<void>;
  /** The address of a message; null where Slack gives none that a link may hold. */
  link(channel: string, ts: string): Promise<string | null>;
  /** A direct message. */
  tell(user: string, message: Message): Promise<void>;
  /** Answers its id, for what is put into it later. */
  openWindow(triggerId: string, window: Modal): Promise<string>;
  /**
   * Puts other contents into a window that is open, where `hash` is given only if it is still as it was then. Answers its
   * new hash.
   */
  updateWindow(viewId: string, window: Modal, hash?: string): Promise<string>;
  /** Shows somebody their Home tab. */
  publishHome(user: string, view: HomeView): Promise<void>;
  groupMembers(group: string): Promise<readonly string[]>;
}

export function createSlackCalls(web: webApi.WebClient): SlackCalls {
  const channels = new Map<string, string>();
  const direct = new Map<string, string>();
  /** When a channel was looked for in vain. */
  const missed = new Map<string, number>();
  const blocksOf = (blocks: readonly Block[]): Blocks => blocks as unknown as Blocks;
  return {
    async channelId(nameOrId) {
      if (/^[CGD][A-Z0-9]{6,}$/.test(nameOrId)) return nameOrId;
      const missing = (missed.get(nameOrId) ?? 0) > Date.now() - lookAgain;
      if (!channels.has(nameOrId) && !missing) await listChannels(web, channels);
      const id = channels.get(nameOrId);
      if (id !== undefined) return id;
      if (!missing) missed.set(nameOrId, Date.now());
      throw new SlackRefused('channel_not_found', undefined);
    },
    async directChannel(user) {
      const known = direct.get(user);
      if (known !== undefined) return known;
      const { channel } = await call(() => web.conversations.open({ users: user }));
      if (direct.size > 10_000) direct.clear();
      direct.set(user, channel?.id ?? '');
      return channel?.id ?? '';
    },
    upload: (name, content) => upload(web, name, content),
    async post(channel, { text, blocks }, mark, thread) {
      const answer = await call(() =>
        web.chat.postMessage({
          channel,
          text,
          blocks: blocksOf(blocks) ?? [],
          unfurl_links: false,
          unfurl_media: false,
          metadata: { event_type: eventType, event_payload: { ...mark } },
          ...(thread === null ? {} : { thread_ts: thread }),
        }),
      );
      return answer.ts ?? '';
    },
    findPost: (channel, mark, thread, since) => findPost(web, channel, mark, thread, since),
    async update(channel, ts, { text, blocks }) {
      await call(() => web.chat.update({ channel, ts, text, blocks: blocksOf(blocks) ?? [] }));
    },
    async link(channel, ts) {
      const { permalink = '' } = await call(() => web.chat.getPermalink({ channel, message_ts: ts }));
      return /^https:\/\/[^\s<>|^]+$/.test(permalink) ? permalink : null;
    },
    async tell(user, { text, blocks }) {
      await call(() => web.chat.postMessage({ channel: user, text, blocks: blocksOf(blocks) ?? [] }));
    },
    async updateWindow(viewId, window, hash) {
      const view = window as unknown as webApi.ViewsUpdateArguments['view'];
      const answer = await call(() => web.views.update({ view_id: viewId, view, ...(hash ? { hash } : {}) }));
      return answer.view?.hash ?? '';
    },
    async openWindow(triggerId, window) {
      const view = window as unknown as webApi.ViewsOpenArguments['view'];
      const answer = await call(() => web.views.open({ trigger_id: triggerId, view }));
      return answer.view?.id ?? '';
    },
    async publishHome(user, view) {
      await call(() =>
        web.views.publish({ user_id: user, view: view as unknown as webApi.ViewsPublishArguments['view'] }),
      );
    },
    async groupMembers(group) {
      const answer = await call(() => web.usergroups.users.list({ usergroup: group }));
      return answer.users ?? [];
    },
  };
}

async function upload(web: webApi.WebClient, name: string, content: Buffer): Promise<string> {
  const place = await call(() => web.files.getUploadURLExternal({ filename: name, length: content.length }));
  const id = place.file_id ?? '';
  const signal = AbortSignal.timeout(uploadTimeout);
  const body = new Uint8Array(content);
  const answer = await fetch(place.upload_url ?? '', { method: 'POST', body, signal }).catch((error: unknown) => {
    throw new SlackBusy(1, error);
  });
  if (!answer.ok) throw new SlackBusy(1, new Error(`an upload was answered with ${answer.status}`));
  await call(() => web.files.completeUploadExternal({ files: [{ id, title: name }] }));
  return id;
}

async function listChannels(web: webApi.WebClient, into: Map<string, string>): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await call(() =>
      web.conversations.list({
        exclude_archived: true,
        limit: 500,
        types: 'public_channel',
        ...(cursor ? { cursor } : {}),
      }),
    );
    for (const { id, name } of page.channels ?? []) if (id !== undefined && name !== undefined) into.set(name, id);
    cursor = page.response_metadata?.next_cursor;
  } while (cursor);
}

async function findPost(
  web: webApi.WebClient,
  channel: string,
  mark: PostMark,
  thread: string | null,
  since: Date,
): Promise<string | null> {
  let cursor: string | undefined;
  do {
    const page = {
      channel,
      include_all_metadata: true,
      oldest: String(Math.floor(since.getTime() / 1000)),
      limit: 200,
      ...(cursor ? { cursor } : {}),
    };
    const answer = await call(() =>
      thread === null ? web.conversations.history(page) : web.conversations.replies({ ...page, ts: thread }),
    );
    for (const { metadata, ts } of answer.messages ?? []) {
      const payload = metadata?.event_payload as Partial<PostMark> | undefined;
      if (metadata?.event_type !== eventType || ts === undefined) continue;
      if (payload?.run === mark.run && payload.name === mark.name) return ts;
    }
    cursor = answer.response_metadata?.next_cursor;
  } while (cursor);
  return null;
}

async function call<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof webApi.WebAPIRateLimitedError) throw new SlackBusy(error.retryAfter, error, true);
    if (error instanceof webApi.WebAPIPlatformError) {
      const { error: word } = error.data;
      const passes = ['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'ratelimited'];
      throw passes.includes(word) ? new SlackBusy(1, error) : new SlackRefused(word, error);
    }
    if (error instanceof webApi.WebAPIHTTPError || error instanceof webApi.WebAPIRequestError) {
      throw new SlackBusy(1, error);
    }
    throw error;
  }
}
