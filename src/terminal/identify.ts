import { createHash, timingSafeEqual } from 'node:crypto';
import { approverSince, type MembersOf } from '../approvals/seniority.ts';
import type { Config } from '../config/config.ts';
import type { Person, Role } from '../runs/door.ts';
import { Failure } from '../shared/failure.ts';

type People = Config['people'];

const groups: readonly (readonly [keyof Pick<People, 'viewers' | 'operators' | 'approvers'>, Role])[] = [
  ['viewers', 'viewer'],
  ['operators', 'operator'],
  ['approvers', 'approver'],
];

/**
 * Who acts at the terminal: the owner of the token, or, where the configuration trusts names, the person of that name.
 * Roles come from the configuration and from Slack's groups as last seen, so that it works while Slack is down.
 * Throws `not-allowed`.
 */
export async function identifyTerminal(
  people: People,
  membersOf: MembersOf,
  name: string | null,
  token: string | null,
): Promise<Person> {
  const entry = people.terminal.find((candidate) =>
    token === null ? people.trustNames && candidate.name === name : holds(candidate.tokenSha256, token),
  );
  if (!entry) {
    throw new Failure({
      code: 'not-allowed',
      message: token === null ? 'The terminal does not know who you are.' : 'That token is not known.',
      advice: people.trustNames
        ? `Say who you are: --as ${people.terminal.map((candidate) => candidate.name).join('|')}. Nothing was changed.`
        : 'Set TAS_TOKEN to your personal token. Nothing was changed.',
    });
  }
  return lastSeen(people, membersOf, { id: entry.user, name: entry.name });
}

/** One of those who may use the terminal, while Slack does not say who is in which group; null = he may not. */
export async function recallPerson(
  people: People,
  membersOf: MembersOf,
  { id, name }: Pick<Person, 'id' | 'name'>,
): Promise<Person | null> {
  if (!people.terminal.some(({ user }) => user === id)) return null;
  return lastSeen(people, membersOf, { id, name });
}

async function lastSeen(people: People, membersOf: MembersOf, who: Pick<Person, 'id' | 'name'>): Promise<Person> {
  const roles: Role[] = [];
  for (const [group, role] of groups) {
    const { users, group: slackGroup } = people[group];
    const members = slackGroup === undefined ? [] : await membersOf(slackGroup);
    if (users.includes(who.id) || members.some(({ id }) => id === who.id)) roles.push(role);
  }
  const since = roles.includes('approver') ? await approverSince(people.approvers.group, membersOf, who.id) : {};
  return { ...who, roles, ...since };
}

function holds(expected: string | undefined, token: string): boolean {
  if (expected === undefined) return false;
  return timingSafeEqual(Buffer.from(expected, 'hex'), createHash('sha256').update(token).digest());
}
