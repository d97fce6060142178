import { randomUUID } from 'node:crypto';
import { bot } from './people.ts';
import { type Answer, done, type Fields, fail } from './web-api/answer.ts';
import { contentOf } from './web-api/chat.ts';
import type { Message, Workspace } from './workspace.ts';

const mostUses = 5;
const lifetime = 30 * 60_000;

interface Ticket {
  readonly channel: string;
  readonly user: string;
  /** The message whose button was clicked; null for commands. */
  readonly message: Message | null;
  readonly bornAt: number;
  uses: number;
}

/** The `response_url`s that were given out: five uses in thirty minutes each. */
export interface ResponseUrls {
  /** The path of a new one. */
  give(ticket: Pick<Ticket, 'channel' | 'user' | 'message'>): string;
  answer(path: string, fields: Fields): Answer;
}

export function createResponseUrls(workspace: Workspace, now: () => number): ResponseUrls {
  const tickets = new Map<string, Ticket>();
  return {
    give(ticket) {
      const path = `/response/${randomUUID()}`;
      tickets.set(path, { ...ticket, bornAt: now(), uses: 0 });
      return path;
    },
    answer(path, fields) {
      const ticket = tickets.get(path);
      if (!ticket || now() - ticket.bornAt > lifetime) return fail('expired_url');
      ticket.uses += 1;
      if (ticket.uses > mostUses) return fail('used_url');
      return respond(workspace, ticket, fields);
    },
  };
}

/** What an app says in an acknowledgement's body or at a response_url. */
export function respond(
  workspace: Workspace,
  ticket: Pick<Ticket, 'channel' | 'user' | 'message'>,
  fields: Fields,
): Answer {
  if (fields.delete_original === true && ticket.message) {
    ticket.message.deleted = true;
    workspace.changed();
    return done();
  }
  const content = contentOf(fields);
  if ('fault' in content) return content.fault;
  if (fields.replace_original === true && ticket.message) {
    workspace.edit(ticket.message, content.text, content.blocks);
    return done();
  }
  const onlyFor = fields.response_type === 'in_channel' ? null : ticket.user;
  workspace.post({ channel: ticket.channel, user: bot.userId, ...content, onlyFor });
  return done();
}
