import { EventEmitter } from 'node:events';
import { notifiedBy } from './mentions.ts';
import { type Block, createIds, type EarlierForm, type Message, type NewMessage } from './message.ts';
import { bot, channels, firstMembers, people } from './people.ts';

export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly isDirect: boolean;
  isArchived: boolean;
  /** User ids, the bot's included. */
  readonly members: Set<string>;
  /** Timestamps of pinned messages. */
  readonly pins: Set<string>;
}

/** A new message that told somebody: a red badge, a push on the phone. */
export interface Notification {
  readonly user: string;
  readonly message: Message;
  readonly at: number;
}

type Stored = { -readonly [Name in keyof Message]: Message[Name] };

/** What the simulated workspace holds, in memory. Every change is an event `change`. */
export interface Workspace {
  readonly changes: EventEmitter;
  readonly channels: Map<string, Channel>;
  /** Members by group id. */
  readonly groups: Map<string, readonly string[]>;
  readonly messages: readonly Message[];
  readonly notifications: readonly Notification[];
  post(message: NewMessage): Message;
  /** Notifies nobody. */
  edit(message: Message, text: string, blocks: readonly Block[], metadata?: unknown): void;
  remove(message: Message): void;
  react(message: Message, name: string, user: string): void;
  find(channel: string, ts: string): Message | undefined;
  /** A channel by id, `#name` or name, or somebody's direct channel by user id; opened when need be. Null: there is none. */
  channel(idOrName: string): Channel | null;
  /** Gives blocks the ids that they came without. */
  withIds<T>(blocks: T): T;
  changed(): void;
}

export function createWorkspace(now: () => number): Workspace {
  const changes = new EventEmitter().setMaxListeners(0);
  const messages: Stored[] = [];
  const notifications: Notification[] = [];
  const byId = new Map<string, Channel>(channels.map(({ id, name }) => [id, openChannel(id, name)]));
  const groups = new Map<string, readonly string[]>(Object.entries(firstMembers));
  const nextTs = createTimestamps(now);
  const withIds = createIds();
  const changed = (): void => void changes.emit('change');
  const stored = (message: Message): Stored => message as Stored;
  return {
    changes,
    channels: byId,
    groups,
    messages,
    notifications,
    withIds,
    changed,
    post(fields) {
      const message: Stored = { ...blank, ...fields, blocks: withIds(fields.blocks), ts: nextTs() };
      messages.push(message);
      const members = byId.get(message.channel)?.members ?? [];
      for (const user of notifiedBy(message, members, (group) => groups.get(group) ?? [])) {
        if (user !== bot.userId) notifications.push({ user, message, at: now() });
      }
      changed();
      return message;
    },
    edit(message, text, blocks, metadata) {
      const earlier: EarlierForm = { text: message.text, blocks: message.blocks, until: now() };
      Object.assign(stored(message), { text, blocks: withIds(blocks), edits: [...message.edits, earlier] });
      if (metadata !== undefined) stored(message).metadata = metadata;
      changed();
    },
    remove(message) {
      stored(message).deleted = true;
      changed();
    },
    react(message, name, user) {
      const others = message.reactions.filter((reaction) => reaction.name !== name);
      const users = message.reactions.find((reaction) => reaction.name === name)?.users ?? [];
      stored(message).reactions = [...others, { name, users: [...users, user] }];
      changed();
    },
    find: (channel, ts) =>
      messages.find((message) => message.channel === channel && message.ts === ts && !message.deleted),
    channel: (idOrName) => findChannel(byId, idOrName),
  };
}

const blank = {
  threadTs: null,
  metadata: null,
  onlyFor: null,
  via: null,
  files: [],
  edits: [],
  deleted: false,
  reactions: [],
} as const;

function openChannel(id: string, name: string): Channel {
  const members = new Set<string>([...Object.values(people).map((member) => member.id), bot.userId]);
  return { id, name, isDirect: false, isArchived: false, members, pins: new Set() };
}

/** The channel between the bot and one person. */
export function directChannel(userId: string): string {
  return userId.replace(/^U/, 'D');
}

function findChannel(byId: Map<string, Channel>, idOrName: string): Channel | null {
  const name = idOrName.replace(/^#/, '');
  const known = byId.get(name) ?? [...byId.values()].find((channel) => !channel.isDirect && channel.name === name);
  if (known) return known;
  const person = Object.values(people).find(({ id }) => id === name || directChannel(id) === name);
  if (!person) return null;
  const id = directChannel(person.id);
  const direct = byId.get(id) ?? {
    id,
    name: 'directmessage',
    isDirect: true,
    isArchived: false,
    members: new Set([person.id, bot.userId]),
    pins: new Set<string>(),
  };
  byId.set(id, direct);
  return direct;
}

/** Slack's timestamps: seconds with six digits, unique, growing. */
function createTimestamps(now: () => number): () => string {
  let last = 0;
  return () => {
    last = Math.max(last + 1, Math.floor(now() * 1000));
    return `${Math.floor(last / 1_000_000)}.${String(last % 1_000_000).padStart(6, '0')}`;
  };
}
