import type { Modal } from '../../blocks/message.ts';
import { brokenWindow, loadingWindow, refusedWindow } from '../../blocks/message-window.ts';
import { Failure } from '../shared/failure.ts';
import { type SlackCalls, SlackRefused } from './slack-calls.ts';

/**
 * Opens a window at once and fills it when it is known with what: a trigger is good for three seconds, and neither Slack's
 * groups nor a database promise an answer in them. A failure is told in the window.
 */
export async function openThen(
  calls: Pick<SlackCalls, 'openWindow' | 'updateWindow'>,
  triggerId: string,
  title: string,
  make: (viewId: string) => Promise<Modal>,
): Promise<void> {
  const viewId = await calls.openWindow(triggerId, loadingWindow(title));
  try {
    await putInto(calls, viewId, await make(viewId));
  } catch (error) {
    const isFailure = error instanceof Failure;
    const window = isFailure ? refusedWindow(title, error.report()) : brokenWindow(title);
    // What went wrong matters more than a window that cannot be reached either.
    await putInto(calls, viewId, window).catch(() => null);
    if (!isFailure) throw error;
  }
}

/** Its new hash; null when it was closed, or has changed meanwhile and `hash` was given. */
export async function putInto(
  calls: Pick<SlackCalls, 'updateWindow'>,
  viewId: string,
  window: Modal,
  hash?: string,
): Promise<string | null> {
  try {
    return await calls.updateWindow(viewId, window, hash);
  } catch (error) {
    if (error instanceof SlackRefused && ['not_found', 'hash_conflict'].includes(error.word)) return null;
    throw error;
  }
}
