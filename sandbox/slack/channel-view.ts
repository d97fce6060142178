import type { Message } from './message.ts';
import { type PersonName, people } from './people.ts';
import type { Workspace } from './workspace.ts';

/** A channel as everybody in it sees it. */
export interface ChannelView {
  readonly id: string;
  /** Oldest first, with the replies in threads; deleted and ephemeral ones left out. */
  messages(): readonly Message[];
  /** The replies to a message, oldest first. */
  thread(parent: Message): readonly Message[];
  pinned(): readonly Message[];
  /** What one person was shown alone in this channel. */
  ephemeralsOf(name: PersonName): readonly Message[];
  /** Puts somebody or the bot (by user id) into the channel, or out of it. */
  admit(userId: string): void;
  expel(userId: string): void;
  archive(): void;
}

/** Throws when there is no such channel. */
export function viewChannel(workspace: Workspace, name: string): ChannelView {
  const channel = workspace.channel(name);
  if (!channel) throw new Error(`there is no channel ${name}`);
  const here = (): Message[] =>
    workspace.messages.filter((message) => message.channel === channel.id && !message.deleted);
  const messages = (): Message[] => here().filter(({ onlyFor }) => onlyFor === null);
  return {
    id: channel.id,
    messages,
    thread: (parent) => messages().filter(({ threadTs }) => threadTs === parent.ts),
    pinned: () => messages().filter(({ ts }) => channel.pins.has(ts)),
    ephemeralsOf: (person) => here().filter(({ onlyFor }) => onlyFor === people[person].id),
    admit: (userId) => void channel.members.add(userId),
    expel: (userId) => void channel.members.delete(userId),
    archive: () => {
      channel.isArchived = true;
    },
  };
}
