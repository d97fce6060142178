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

/** Since when somebody approves, by the group that he has been in for longest; null = always, undefined = it is not known. */
export function approverSince(groups: readonly (readonly Member[])[], id: string): string | null | undefined {
  const times = groups.flatMap((members) => members.filter((member) => member.id === id).map(({ since }) => since));
  return times.includes(null) ? null : times.toSorted()[0];
}
