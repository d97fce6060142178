import { useSyncExternalStore } from 'react';
import type { ChannelEntry, Entry, MessageEntry, PlaceEntry, SceneChange, ViewEntry } from '../scene.ts';

/** The workspace as the page knows it now. */
export interface Scene {
  /** Null until the first event has come. */
  readonly place: PlaceEntry | null;
  /** False while the stream is cut: what is shown may be old. */
  readonly live: boolean;
  readonly channels: readonly ChannelEntry[];
  /** Oldest first. */
  readonly messages: readonly MessageEntry[];
  readonly views: readonly ViewEntry[];
}

const entries = new Map<string, Entry>();
const listeners = new Set<() => void>();
let scene: Scene = { place: null, live: false, channels: [], messages: [], views: [] };

function derive(live: boolean): void {
  const all = [...entries.values()];
  scene = {
    live,
    place: all.find((entry) => entry.kind === 'place') ?? null,
    channels: all.filter((entry) => entry.kind === 'channel'),
    messages: all.filter((entry) => entry.kind === 'message').sort((a, b) => Number(a.ts) - Number(b.ts)),
    views: all.filter((entry) => entry.kind === 'view'),
  };
  for (const listener of listeners) listener();
}

function apply({ fresh, set, gone }: SceneChange): void {
  if (fresh) entries.clear();
  for (const [key, entry] of Object.entries(set)) entries.set(key, entry);
  for (const key of gone) entries.delete(key);
  derive(true);
}

let started = false;

/** The browser connects again by itself when the stream is cut; it then begins with the whole scene. */
function start(): void {
  if (started) return;
  started = true;
  const stream = new EventSource('/events');
  stream.onmessage = ({ data }) => apply(JSON.parse(String(data)) as SceneChange);
  stream.onerror = () => derive(false);
}

export function useScene(): Scene {
  return useSyncExternalStore(
    (listener) => {
      start();
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => scene,
  );
}
