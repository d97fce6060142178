/** What the page is told of the workspace: plain data, one entry for each thing, by key. */
export type Loose = Readonly<Record<string, unknown>>;

export interface PersonEntry {
  readonly id: string;
  readonly name: string;
  readonly realName: string;
}

/** A command or an example of one, as the composer offers it. */
export interface Hint {
  /** What it puts into the composer. */
  readonly line: string;
  readonly shown: string;
  readonly about: string;
}

export interface ShortcutEntry {
  readonly name: string;
  readonly callbackId: string;
  readonly on: 'global' | 'message';
}

/** What does not change while the workspace is up. */
export interface PlaceEntry {
  readonly kind: 'place';
  readonly team: string;
  readonly bot: PersonEntry;
  readonly people: readonly PersonEntry[];
  readonly groups: readonly { readonly id: string; readonly handle: string }[];
  readonly commands: readonly (Hint & { readonly examples: readonly Hint[] })[];
  readonly shortcuts: readonly ShortcutEntry[];
}

export interface ChannelEntry {
  readonly kind: 'channel';
  readonly id: string;
  readonly name: string;
  readonly isDirect: boolean;
  readonly isArchived: boolean;
  readonly members: readonly string[];
  readonly pins: readonly string[];
}

export interface MessageEntry {
  readonly kind: 'message';
  readonly channel: string;
  readonly ts: string;
  readonly threadTs: string | null;
  readonly user: string;
  readonly text: string;
  readonly blocks: readonly Loose[];
  readonly files: readonly { readonly id: string; readonly name: string; readonly title: string }[];
  readonly edited: boolean;
  /** Only this person sees it; null = everybody in the channel. */
  readonly onlyFor: string | null;
  readonly reactions: readonly { readonly name: string; readonly users: readonly string[] }[];
  /** Whom it told when it came, by user id. */
  readonly told: readonly string[];
}

export interface ViewEntry {
  readonly kind: 'view';
  readonly id: string;
  readonly user: string;
  /** A modal's place in its stack, 0 = lowest; null = the Home tab. */
  readonly depth: number | null;
  readonly hash: string;
  readonly view: Loose;
}

export type Entry = PlaceEntry | ChannelEntry | MessageEntry | ViewEntry;

/** One event of the stream. The first after a connection is `fresh` and holds all; later ones what changed since. */
export interface SceneChange {
  readonly fresh: boolean;
  readonly set: Readonly<Record<string, Entry>>;
  readonly gone: readonly string[];
}
