import { useEffect, useState } from 'react';
import type { MessageEntry } from '../scene.ts';
import type { Unread } from './sidebar.tsx';

const stored = 'read';

/** How far each person has read each channel. It outlives a reload of the page, not the tab. */
export function useUnread(
  me: string,
  messages: readonly MessageEntry[],
  openChannel: string,
): (channel: string) => Unread {
  const [read, setRead] = useState<Readonly<Record<string, string>>>(load);
  const visible = messages.filter(({ onlyFor }) => onlyFor === null || onlyFor === me);
  const key = `${me} ${openChannel}`;
  const last = visible.findLast(({ channel }) => channel === openChannel)?.ts;
  useEffect(() => {
    if (last === undefined || read[key] === last) return;
    const next = { ...read, [key]: last };
    sessionStorage.setItem(stored, JSON.stringify(next));
    setRead(next);
  }, [key, last, read]);
  return (channel) => {
    const from = Number(read[`${me} ${channel}`] ?? 0);
    const fresh = visible.filter(
      (message) => message.channel === channel && Number(message.ts) > from && message.user !== me,
    );
    return { messages: fresh.length, mentions: fresh.filter(({ told }) => told.includes(me)).length };
  };
}

function load(): Readonly<Record<string, string>> {
  try {
    return JSON.parse(sessionStorage.getItem(stored) ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}
