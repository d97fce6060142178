import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from '../../blocks/message.ts';
import { isUnfit } from './refusals.ts';
import { SlackRefused } from './slack-calls.ts';

/** Milliseconds: Slack refuses a picture that it has not looked at yet. */
const pauses = [1_000, 3_000];

/**
 * Sends a message as it is; when Slack does not want it so, without its pictures; at last as its text alone. `unfit` hears
 * each refusal.
 */
export async function sendFitting<T>(
  message: Message,
  send: (message: Message) => Promise<T>,
  unfit: (word: string) => void,
): Promise<T> {
  const words = { ...message, blocks: message.blocks.filter(({ type }) => type !== 'image') };
  const hasPictures = words.blocks.length < message.blocks.length;
  const variants = [
    ...(hasPictures ? [{ message, wait: 0 }, ...pauses.map((wait) => ({ message, wait }))] : []),
    { message: words, wait: 0 },
  ];
  for (const { message: variant, wait } of variants) {
    if (wait > 0) await sleep(wait);
    try {
      return await send(variant);
    } catch (error) {
      if (!(error instanceof SlackRefused) || !isUnfit(error.word)) throw error;
      unfit(error.word);
    }
  }
  return send({ text: message.text, blocks: [] });
}
