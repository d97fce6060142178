import type { Acknowledgement, Delivery } from './delivery.ts';
import type { Dialog } from './elements.ts';
import type { Message } from './message.ts';
import type { Handles, StateValues } from './payloads.ts';
import type { Member } from './people.ts';
import type { ResponseUrls } from './response-urls.ts';
import type { SlackTime } from './time.ts';
import type { Triggers } from './triggers.ts';
import type { Views } from './views.ts';
import type { WaitFor } from './wait-for.ts';
import type { Channel, Workspace } from './workspace.ts';

/** What people act on. */
export interface Stage {
  readonly workspace: Workspace;
  readonly views: Views;
  readonly triggers: Triggers;
  readonly responseUrls: ResponseUrls;
  readonly delivery: Delivery;
  readonly time: SlackTime;
  readonly waitFor: WaitFor;
  baseUrl(): string;
  /** What people have chosen and not yet sent, by person and by message or view. */
  readonly chosen: Map<string, StateValues>;
  /** Options that the app offered in external selects, by person, message or view, block and element. */
  readonly suggested: Map<string, readonly Readonly<Record<string, unknown>>[]>;
}

/** What an act led to, as the person sees it. */
export interface Outcome extends Acknowledgement {
  /** The dialog that was confirmed on the way; null = there was none. */
  readonly confirmed: Dialog | null;
  /** What this person was shown alone since, and what came through the act's own response_url; oldest first. */
  shown(): readonly Message[];
  /** The first of these; waits for it. Throws when time is up. */
  answer(timeoutMs?: number): Promise<Message>;
}

/** The person's handles for one act, and where the answers to it will come in. */
export function beginAct(
  stage: Stage,
  member: Member,
  channel: Channel,
  message: Message | null,
): Handles & { readonly path: string } {
  const path = stage.responseUrls.give({ channel: channel.id, user: member.id, message });
  const triggerId = stage.triggers.give({ user: member.id, viewId: null });
  return { triggerId, responseUrl: `${stage.baseUrl()}${path}`, path };
}

export function endAct(
  stage: Stage,
  member: Member,
  act: { readonly acknowledgement: Acknowledgement; readonly from: number; readonly path: string | null },
  confirmed: Outcome['confirmed'] = null,
): Outcome {
  const shown = (): readonly Message[] =>
    stage.workspace.messages
      .slice(act.from)
      .filter(
        (message) =>
          !message.deleted && (message.onlyFor === member.id || (act.path !== null && message.via === act.path)),
      );
  return {
    ...act.acknowledgement,
    get lateMs() {
      return act.acknowledgement.lateMs;
    },
    confirmed,
    shown,
    answer: (timeoutMs = 10_000) =>
      stage.waitFor(`an answer to ${member.name}'s “${act.acknowledgement.what}”`, () => shown()[0], timeoutMs),
  };
}
