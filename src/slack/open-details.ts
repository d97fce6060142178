import { detailsWindow } from '../../blocks/details.ts';
import type { Modal } from '../../blocks/message.ts';
import { refusedWindow } from '../../blocks/message-window.ts';
import { samplesWindow } from '../../blocks/samples-window.ts';
import { refusalFor } from '../../commands/answer.ts';
import type { Door } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import type { Clock } from '../shared/clock.ts';
import type { Identity, SlackUser } from './identity.ts';
import { openThen } from './open-then.ts';
import type { SlackCalls } from './slack-calls.ts';

const shownConflicts = 100;

interface Deps {
  readonly door: Pick<Door, 'conflicts'>;
  readonly identity: Identity;
  readonly calls: Pick<SlackCalls, 'openWindow' | 'updateWindow'>;
  readonly clock: Clock;
}

interface Looking {
  readonly user: SlackUser;
  readonly triggerId: string;
}

/** Opens the window with all there is to say of a run that is found meanwhile; who has no role is told so. */
export function openDetails(
  deps: Deps,
  title: string,
  find: () => Promise<Run | null>,
  looking: Looking,
): Promise<void> {
  const { door, clock } = deps;
  return openFor(deps, title, looking, async () => {
    const run = await find();
    if (run === null) return refusedWindow(title, noRun);
    return detailsWindow(run, await door.conflicts(run.id, shownConflicts), clock.now());
  });
}

/** The samples of its plan alone. */
export function openSamples(deps: Pick<Deps, 'identity' | 'calls'>, run: Run, looking: Looking): Promise<void> {
  return openFor(deps, run.id, looking, async () => samplesWindow(run));
}

const noRun = {
  code: 'unknown-run',
  message: 'That message is about no run of this bot.',
  advice: 'Use it on a card of a run, or on what stands in its thread.',
} as const;

/** Who may look at runs sees it, whatever is in the window. */
function openFor(
  { identity, calls }: Pick<Deps, 'identity' | 'calls'>,
  title: string,
  { user, triggerId }: Looking,
  make: () => Promise<Modal>,
): Promise<void> {
  return openThen(calls, triggerId, title, async () => {
    const refusal = refusalFor('runs', await identity.person(user, 'command'));
    return refusal === null ? make() : refusedWindow(title, refusal);
  });
}
