import type { Run } from '../src/runs/run.ts';
import { linkButton } from './button.ts';
import { code, plain } from './escape.ts';
import { actions, context, type Message, section } from './message.ts';
import { sayHeadline } from './say.ts';
import { clockTime } from './when.ts';

/** To the voter alone: the approval counts once it is confirmed outside of Slack. The link is in its button only. */
export function confirmMessage(run: Run, link: string, expiresAt: string): Message {
  const headline = plain(sayHeadline(run));
  const lines = [
    `🔑 *Not counted yet: ${headline}*`,
    `This approval counts once you have logged in for it outside of Slack. The link is yours alone and works once, until ${clockTime(expiresAt)}.`,
  ];
  return {
    text: `Not counted yet: ${headline}. Log in once more to confirm it.`,
    blocks: [section(lines.join('\n')), ...actions([linkButton('Log in and confirm', link)]), context(code(run.id))],
  };
}
