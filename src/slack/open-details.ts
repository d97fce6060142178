import { detailsWindow } from '../../blocks/details.ts';
import { refusedMessage } from '../../blocks/refused.ts';
import { samplesWindow } from '../../blocks/samples-window.ts';
import type { Door } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import type { Clock } from '../shared/clock.ts';
import type { Identity, SlackUser } from './identity.ts';
import type { Answerer } from './listen.ts';
import type { SlackCalls } from './slack-calls.ts';

const shownConflicts = 100;

interface Deps {
  readonly door: Pick<Door, 'conflicts'>;
  readonly identity: Identity;
  readonly calls: Pick<SlackCalls, 'openWindow'>;
  readonly clock: Clock;
}

/** Opens the window with all there is to say of a run; who has no role is told so. */
export async function openDetails(
  { door, identity, calls, clock }: Deps,
  run: Run,
  { user, triggerId }: { readonly user: SlackUser; readonly triggerId: string },
  answer: Answerer,
): Promise<void> {
  if (!(await mayLook(identity, user, answer))) return;
  const conflicts = await door.conflicts(run.id, shownConflicts);
  return calls.openWindow(triggerId, detailsWindow(run, conflicts, clock.now()));
}

/** The samples of its plan alone. */
export async function openSamples(
  { identity, calls }: Pick<Deps, 'identity' | 'calls'>,
  run: Run,
  { user, triggerId }: { readonly user: SlackUser; readonly triggerId: string },
  answer: Answerer,
): Promise<void> {
  if (await mayLook(identity, user, answer)) await calls.openWindow(triggerId, samplesWindow(run));
}

async function mayLook(identity: Identity, user: SlackUser, answer: Answerer): Promise<boolean> {
  const { roles } = await identity.person(user, 'command');
  if (roles.length === 0) await answer.tell([refusedMessage(strange(user))]);
  return roles.length > 0;
}

function strange(user: SlackUser) {
  return {
    code: 'not-allowed' as const,
    message: `${user.name} has no role here.`,
    advice: 'Whoever runs this bot can add you to one of its groups.',
  };
}
