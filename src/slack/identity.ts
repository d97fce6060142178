import type { Called } from '../../blocks/called.ts';
import { approverSince } from '../approvals/seniority.ts';
import type { Config } from '../config/config.ts';
import type { Person, Role } from '../runs/door.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import type { Outbox } from './outbox.ts';
import { shareNext } from './share-next.ts';
import { SlackBusy, type SlackCalls } from './slack-calls.ts';

/** A Slack user as a request names them. */
export interface SlackUser {
  readonly id: string;
  readonly name: string;
}

/** What a person is looked up for. Slack allows few looks at its groups: only those that give the right to it are read anew. */
export type Asking = 'command' | 'vote' | 'break-glass';

const readAnewFor: Readonly<Record<Asking, readonly Role[]>> = {
  command: [],
  vote: ['approver'],
  'break-glass': ['approver', 'operator'],
};

export interface Identity {
  /** Roles as they are now: nothing remembered counts for the right to do what is asked for. Throws `unreachable`. */
  person(user: SlackUser, asking: Asking): Promise<Person>;
  /** Whom to call when a vote is wanted. */
  approvers(): Promise<Called>;
  /** Forgets what was remembered of a group and, if it is one of ours, reads it again. */
  groupChanged(group: string): Promise<void>;
}

type People = Config['people'];
const remembered = 10_000;
const groups: readonly (readonly ['viewers' | 'operators' | 'approvers', Role])[] = [
  ['viewers', 'viewer'],
  ['operators', 'operator'],
  ['approvers', 'approver'],
];

export function createIdentity(deps: {
  readonly people: People;
  readonly calls: SlackCalls;
  readonly outbox: Pick<Outbox, 'saveMembers' | 'members'>;
  readonly clock: Clock;
}): Identity {
  const { people, calls, outbox, clock } = deps;
  const cache = new Map<string, { readonly at: number; readonly users: Promise<readonly string[]> }>();

  async function read(group: string): Promise<readonly string[]> {
    const users = await calls.groupMembers(group).catch(async (error: unknown) => {
      // A short wait is not worth bothering the person with.
      if (!(error instanceof SlackBusy) || error.seconds > 2) throw error;
      await new Promise((resolve) => setTimeout(resolve, error.seconds * 1000));
      return calls.groupMembers(group);
    });
    await outbox.saveMembers(group, users, clock.now());
    return users;
  }

  // Fifty votes at once ask Slack twice, not fifty times: it allows few of these calls.
  const readAnew = shareNext(read);

  function members(group: string, fresh: boolean): Promise<readonly string[]> {
    const now = clock.now().getTime();
    const known = cache.get(group);
    if (!fresh && known !== undefined && now - known.at < remembered) return known.users;
    const users = readAnew(group);
    cache.set(group, { at: now, users });
    users.catch(() => cache.delete(group));
    return users;
  }

  async function isIn(group: People['viewers'], user: string, fresh: boolean): Promise<boolean> {
    if (group.users.includes(user)) return true;
    return group.group !== undefined && (await members(group.group, fresh)).includes(user);
  }

  return {
    async person(user, asking) {
      const roles: Role[] = [];
      try {
        for (const [name, role] of groups) {
          if (await isIn(people[name], user.id, readAnewFor[asking].includes(role))) roles.push(role);
        }
      } catch (error) {
        throw new Failure({
          code: 'unreachable',
          message: 'Slack does not say just now who is in which group.',
          advice: 'Nothing was done. Try again in a minute.',
          retryable: true,
          cause: error,
        });
      }
      const voting = asking !== 'command' && roles.includes('approver');
      const membersOf = (group: string) => outbox.members(group);
      const since = voting ? await approverSince(people.approvers.group, membersOf, user.id) : {};
      return { id: user.id, name: user.name, roles, ...since };
    },
    async approvers() {
      const { users, group } = people.approvers;
      if (group === undefined) return { users, groups: [] };
      const inGroup = new Set((await outbox.members(group)).map(({ id }) => id));
      return { users: users.filter((user) => !inGroup.has(user)), groups: [group] };
    },
    async groupChanged(group) {
      if (groups.some(([name]) => people[name].group === group)) await members(group, true);
    },
  };
}
