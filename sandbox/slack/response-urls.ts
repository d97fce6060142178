import { randomBytes } from 'node:crypto';
import type { Message } from './message.ts';
import { bot, team } from './people.ts';
import { type Answer, done, type Fields, fail, isTrue, textOf } from './web-api/call.ts';
import { contentOf } from './web-api/content.ts';
import type { Workspace } from './workspace.ts';

const mostUses = 5;
const lifetime = 30 * 60_000;

/** What a response_url speaks to. */
export interface Ticket {
  readonly channel: string;
  readonly user: string;
  /** The message whose element was used; null for commands. */
  readonly message: Message | null;
}

/** The `response_url`s that were given out: five uses within thirty minutes each. */
export interface ResponseUrls {
  /** The path of a new one. */
  give(ticket: Ticket): string;
  answer(path: string, fields: Fields): Answer;
}

export function createResponseUrls(workspace: Workspace, now: () => number): ResponseUrls {
  const tickets = new Map<string, Ticket & { readonly bornAt: number; uses: number }>();
  return {
    give(ticket) {
      const kind = ticket.message === null ? 'commands' : 'actions';
      const path = `/${kind}/${team.id}/${randomBytes(12).toString('hex')}`;
      tickets.set(path, { ...ticket, bornAt: now(), uses: 0 });
      return path;
    },
    answer(path, fields) {
      const ticket = tickets.get(path);
      if (!ticket || now() - ticket.bornAt > lifetime) return fail('expired_url');
      if (ticket.uses >= mostUses) return fail('used_url');
      ticket.uses += 1;
      return respond(workspace, ticket, path, fields);
    },
  };
}

/**
 * What an app says in a command's acknowledgement or at a response_url: a new message for the person alone, or for the
 * channel, or the original message changed or removed. Without an original (a command) it is always a new message.
 */
export function respond(workspace: Workspace, ticket: Ticket, via: string, fields: Fields): Answer {
  const original = ticket.message;
  if (isTrue(fields, 'delete_original')) {
    if (original) workspace.remove(original);
    return done();
  }
  const content = contentOf(fields);
  if ('refused' in content) return content.refused;
  if (isTrue(fields, 'replace_original') && original) {
    if (!original.deleted) workspace.edit(original, content.text, content.blocks);
    return done();
  }
  const inChannel = textOf(fields, 'response_type') === 'in_channel';
  const threadTs = textOf(fields, 'thread_ts') || null;
  const onlyFor = inChannel ? null : ticket.user;
  workspace.post({ channel: ticket.channel, user: bot.userId, threadTs, onlyFor, via, ...content });
  return done();
}
