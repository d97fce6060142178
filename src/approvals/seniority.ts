/** Somebody in a group, as it was last seen. */
export interface Member {
  readonly id: string;
  /** When he was first seen in it, ISO 8601; null = he was in it when the group was first listed. */
  readonly since: string | null;
}

/** The list of approvers in the configuration file, as a group beside Slack's. */
export const configuredApprovers = 'approvers of the configuration';

/** Whoever has been an approver for less does not approve what destroys: 24 hours in which somebody may notice, in milliseconds. */
export const seasoning = 24 * 3_600_000;

/** Who is in a group, as it was last seen. */
export type MembersOf = (group: string) => Promise<readonly Member[]>;

/**
 * What is known of since when somebody approves, by the group that he has been in for longest: Slack's, or the configured one.
 * Null = from the beginning; nothing where it is not known.
 */
export async function approverSince(
  slackGroup: string | undefined,
  membersOf: MembersOf,
  id: string,
): Promise<{ readonly approverSince?: string | null }> {
  const groups = [configuredApprovers, ...(slackGroup === undefined ? [] : [slackGroup])];
  const members = (await Promise.all(groups.map((group) => membersOf(group)))).flat();
  const times = members.filter((member) => member.id === id).map(({ since }) => since);
  if (times.includes(null)) return { approverSince: null };
  const [first] = times.toSorted();
  return first === undefined ? {} : { approverSince: first };
}
