import { contentType, type Delivery, formBody } from './delivery.ts';
import { channels, people, team } from './people.ts';
import type { RawReply, RawRequest, Requests } from './request.ts';
import { signedHeaders } from './signing.ts';
import type { SlackTime } from './time.ts';

/** Not signed; signed with another secret; signed, then changed; older than five minutes; dated in the future. */
export type ForgeryKind = 'unsigned' | 'wrong-signature' | 'tampered' | 'late' | 'early';

/** Requests as a stranger might send them. All reject in Socket Mode: there is no request to forge. */
export interface Forgery {
  /** A command of alice's that she never gave. */
  send(kind: ForgeryKind, text: string): Promise<RawReply>;
  /** The last real request once more, byte by byte. */
  replay(): Promise<RawReply>;
}

export function createForgery(options: {
  readonly secrets: { readonly signingSecret: string };
  readonly requestUrl: () => string | null;
  readonly requests: Requests;
  readonly delivery: Delivery;
  readonly time: SlackTime;
}): Forgery {
  return {
    async send(kind, text) {
      const url = options.requestUrl();
      if (url === null) throw new Error('the app uses Socket Mode: there is nothing to forge');
      return options.requests.send(forge(kind, text, url, options));
    },
    async replay() {
      const { last } = options.delivery;
      if (!last) throw new Error('there was no request yet');
      return options.requests.send(last);
    },
  };
}

function forge(
  kind: ForgeryKind,
  text: string,
  url: string,
  { secrets, time }: { readonly secrets: { readonly signingSecret: string }; readonly time: SlackTime },
): RawRequest {
  const fields = {
    token: 'forged',
    team_id: team.id,
    command: '/tas',
    text,
    user_id: people.alice.id,
    user_name: people.alice.name,
    channel_id: channels[0].id,
    channel_name: channels[0].name,
    trigger_id: `forged.${time.now()}`,
  };
  const body = formBody('slash_commands', fields);
  const offset = { late: -600, early: 600 }[kind as string] ?? 0;
  const secret = kind === 'wrong-signature' ? 'not the secret' : secrets.signingSecret;
  const signed = signedHeaders(secret, body, Math.floor(time.now() / 1000) + offset);
  const headers = kind === 'unsigned' ? { 'content-type': contentType('slash_commands') } : signed;
  return {
    url,
    headers,
    body: kind === 'tampered' ? formBody('slash_commands', { ...fields, text: `${text} now` }) : body,
  };
}
