import { mentionGroup, mentionUser } from './escape.ts';

/** Who is called to vote: Slack ids. */
export interface Called {
  readonly users: readonly string[];
  readonly groups: readonly string[];
}

const most = 20;

/** Groups first, since they reach more people; empty where nobody is called. */
export function mentionAll({ groups, users }: Called): string {
  return [...groups.map(mentionGroup), ...users.map(mentionUser)].slice(0, most).join(' ');
}
