import { isLooking } from '../../blocks/notices.ts';
import type { Message } from '../slack/message.ts';
import type { PersonName } from '../slack/people.ts';
import type { SimulatedSlack } from '../slack/slack.ts';

/** What a person was shown alone, oldest first, without the notices that an answer takes a while. */
export function answersTo(slack: SimulatedSlack, who: PersonName): readonly Message[] {
  return slack
    .as(who)
    .ephemerals()
    .filter((message) => !isLooking(message));
}
