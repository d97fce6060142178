import { EventEmitter } from 'node:events';
import { bot, channels, firstMembers, people } from './people.ts';

export interface Message {
  readonly channel: string;
  readonly ts: string;
  readonly threadTs: string | null;
  /** User id of the sender; the bot's for the bot's messages. */
  readonly user: string;
  text: string;
  blocks: readonly Record<string, unknown>[];
  metadata: unknown;
  /** Earlier forms of the message, oldest first: edits notify nobody. */
  readonly edits: { readonly text: string; readonly blocks: readonly Record<string, unknown>[] }[];
  deleted: boolean;
  /** Only this person sees it; null = everybody in the channel. */
  readonly onlyFor: string | null;
}

export interface OpenView {
  readonly id: string;
  readonly user: string;
  view: Record<string, unknown> & { readonly blocks: readonly Record<string, unknown>[] };
}

export interface Notification {
  readonly user: string;
  readonly message: Message;
}

/** What the simulated workspace holds, in memory. Every change is an event `change`. */
export interface Workspace {
  readonly messages: Message[];
  readonly views: Map<string, OpenView>;
  readonly members: Map<string, string[]>;
  readonly notifications: Notification[];
  readonly changes: EventEmitter;
  post(
    message: Pick<Message, 'channel' | 'user' | 'text' | 'blocks'> &
      Partial<Pick<Message, 'threadTs' | 'metadata' | 'onlyFor'>>,
  ): Message;
  edit(message: Message, text: string, blocks: readonly Record<string, unknown>[]): void;
  /** A channel by id or name, or the direct channel of a user. Null when there is none. */
  channelId(idOrName: string): string | null;
  changed(): void;
}

export function createWorkspace(now: () => number): Workspace {
  const changes = new EventEmitter().setMaxListeners(0);
  let last = 0;
  /** Slack's timestamps: seconds with six digits, unique, growing. */
  const nextTs = (): string => {
    last = Math.max(last + 1, now() * 1000);
    return `${Math.floor(last / 1_000_000)}.${String(last % 1_000_000).padStart(6, '0')}`;
  };
  const workspace: Workspace = {
    messages: [],
    views: new Map(),
    members: new Map(Object.entries(firstMembers).map(([group, users]) => [group, [...users]])),
    notifications: [],
    changes,
    post(fields) {
      const message: Message = {
        threadTs: null,
        metadata: null,
        onlyFor: null,
        ...fields,
        ts: nextTs(),
        edits: [],
        deleted: false,
      };
      workspace.messages.push(message);
      for (const user of mentioned(workspace, message)) workspace.notifications.push({ user, message });
      workspace.changed();
      return message;
    },
    edit(message, text, blocks) {
      message.edits.push({ text: message.text, blocks: message.blocks });
      message.text = text;
      message.blocks = blocks;
      workspace.changed();
    },
    channelId(idOrName) {
      const name = idOrName.replace(/^#/, '');
      const channel = channels.find((candidate) => candidate.id === name || candidate.name === name);
      if (channel) return channel.id;
      const direct = Object.values(people).find(({ id }) => id === name || directChannel(id) === name);
      return direct ? directChannel(direct.id) : null;
    },
    changed: () => void changes.emit('change'),
  };
  return workspace;
}

/** The channel between the bot and one person. */
export function directChannel(userId: string): string {
  return userId.replace(/^U/, 'D');
}

/** Who is notified of a new message: those it mentions by user or group, and the other side of a direct channel. */
function mentioned(workspace: Workspace, message: Message): Set<string> {
  const text = `${message.text} ${JSON.stringify(message.blocks)}`;
  const users = new Set([...text.matchAll(/<@(U[A-Z0-9]+)/g)].map((match) => match[1] as string));
  for (const match of text.matchAll(/<!subteam\^(S[A-Z0-9]+)/g)) {
    for (const user of workspace.members.get(match[1] as string) ?? []) users.add(user);
  }
  if (message.channel.startsWith('D')) users.add(message.channel.replace(/^D/, 'U'));
  if (message.onlyFor !== null) users.add(message.onlyFor);
  users.delete(message.user === bot.userId ? bot.userId : message.user);
  return users;
}
