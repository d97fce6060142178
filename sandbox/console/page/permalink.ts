import type { Names } from './names.ts';

/** Slack's address of a message; of a reply the thread is named as well. */
const permalink =
  /^https:\/\/[a-z0-9-]+\.slack\.com\/archives\/([A-Z0-9]+)\/p(\d{10})(\d{6})(?:\?thread_ts=(\d{10}\.\d{6})(?:&.*)?)?$/;

/** Where in this page a message is that Slack's address leads to: with its thread open. Null = it is no message from here. */
export function placeOf(url: string, { me, channels }: Pick<Names, 'me' | 'channels'>): string | null {
  const [, channel, seconds, fraction, thread] = permalink.exec(url) ?? [];
  if (me === null || !channels.some(({ id }) => id === channel)) return null;
  return `#/${me.name}/${channel}/${thread ?? `${seconds}.${fraction}`}`;
}
