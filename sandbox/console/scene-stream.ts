import type { Message } from '../slack/message.ts';
import { type PersonName, people } from '../slack/people.ts';
import type { SimulatedSlack } from '../slack/slack.ts';
import type { ViewContent } from '../slack/views.ts';
import type { ChannelEntry, Entry, MessageEntry, PlaceEntry, SceneChange } from './scene.ts';

/** An entry, and what it is known by: the same version is the same content. */
interface Versioned {
  readonly version: string;
  content(): Entry;
}

/** Changes that come close together are told together: so many milliseconds. */
const pause = 40;

/** Calls `tell` with the whole scene now and with what changed after each change, until the answered function is called. */
export function streamScene(slack: SimulatedSlack, place: PlaceEntry, tell: (change: SceneChange) => void): () => void {
  const known = new Map<string, string>();
  let waiting: NodeJS.Timeout | null = null;
  const look = (fresh: boolean): void => {
    waiting = null;
    const change = changeSince(known, currentEntries(slack, place), fresh);
    if (fresh || change.gone.length > 0 || Object.keys(change.set).length > 0) tell(change);
  };
  const soon = (): void => {
    waiting ??= setTimeout(look, pause, false);
  };
  look(true);
  slack.workspace.changes.on('change', soon);
  return () => {
    slack.workspace.changes.off('change', soon);
    if (waiting) clearTimeout(waiting);
  };
}

function changeSince(known: Map<string, string>, entries: Map<string, Versioned>, fresh: boolean): SceneChange {
  const set: Record<string, Entry> = {};
  for (const [key, { version, content }] of entries) {
    if (known.get(key) === version) continue;
    known.set(key, version);
    set[key] = content();
  }
  const gone = [...known.keys()].filter((key) => !entries.has(key));
  for (const key of gone) known.delete(key);
  return { fresh, set, gone };
}

function currentEntries(slack: SimulatedSlack, place: PlaceEntry): Map<string, Versioned> {
  const entries = new Map<string, Versioned>([['place', { version: '', content: () => place }]]);
  for (const channel of slack.workspace.channels.values()) {
    const entry: ChannelEntry = {
      kind: 'channel',
      id: channel.id,
      name: channel.name,
      isDirect: channel.isDirect,
      isArchived: channel.isArchived,
      members: [...channel.members],
      pins: [...channel.pins],
    };
    entries.set(`channel ${channel.id}`, { version: JSON.stringify(entry), content: () => entry });
  }
  for (const message of slack.workspace.messages) {
    if (message.deleted) continue;
    const version = `${message.edits.length} ${JSON.stringify(message.reactions)}`;
    entries.set(`message ${message.channel} ${message.ts}`, { version, content: () => messageEntry(slack, message) });
  }
  for (const name of Object.keys(people) as PersonName[]) addViews(entries, slack, name);
  return entries;
}

function messageEntry(slack: SimulatedSlack, message: Message): MessageEntry {
  const { channel, ts, threadTs, user, text, blocks, files, onlyFor, reactions, edits } = message;
  const told = slack.workspace.notifications.filter((entry) => entry.message === message).map((entry) => entry.user);
  const edited = edits.length > 0;
  return { kind: 'message', channel, ts, threadTs, user, text, blocks, files, onlyFor, reactions, edited, told };
}

function addViews(entries: Map<string, Versioned>, slack: SimulatedSlack, name: PersonName): void {
  const person = slack.as(name);
  const home = person.home();
  const add = (open: { id: string; hash: string; view: ViewContent }, depth: number | null): void => {
    const { id, hash, view } = open;
    const content = (): Entry => ({ kind: 'view', id, user: person.id, depth, hash, view });
    entries.set(`view ${id}`, { version: `${hash} ${depth}`, content });
  };
  if (home) add(home, null);
  for (const [depth, open] of person.views().entries()) add(open, depth);
}
