import { refusedWindow } from '../../blocks/message-window.ts';
import { type EnvironmentLook, statusWindow } from '../../blocks/status.ts';
import { refusalFor } from '../../commands/answer.ts';
import type { Door, Person } from '../runs/door.ts';
import { Failure } from '../shared/failure.ts';
import type { Identity } from './identity.ts';
import { openThen, putInto } from './open-then.ts';
import type { ShortcutRequest } from './requests.ts';
import type { SlackCalls } from './slack-calls.ts';

interface Deps {
  readonly door: Pick<Door, 'environments' | 'status'>;
  readonly identity: Identity;
  readonly calls: Pick<SlackCalls, 'openWindow' | 'updateWindow'>;
}

const title = 'Where things stand';
const mostEnvironments = 10;

/** Opens a window with the status of every environment; each is shown as soon as its stores have answered. */
export function openStatus(deps: Deps, { user, triggerId }: ShortcutRequest): Promise<void> {
  const { door, identity, calls } = deps;
  return openThen(calls, triggerId, title, async (viewId) => {
    const person = await identity.person(user, 'command');
    const refusal = refusalFor('status', person);
    if (refusal !== null) return refusedWindow(title, refusal);
    const names = door.environments.slice(0, mostEnvironments).map(({ name }) => name);
    const seen = new Map<string, EnvironmentLook['seen']>();
    const window = () => statusWindow(names.map((name) => ({ name, seen: seen.get(name) ?? null })));
    let shown = putInto(calls, viewId, window());
    await Promise.all(
      names.map(async (name) => {
        seen.set(name, await look(door, name, person));
        // One after another, so that what is shown last is what is known last.
        if (seen.size < names.length) shown = shown.then(() => putInto(calls, viewId, window()));
      }),
    );
    await shown;
    return window();
  });
}

async function look(door: Deps['door'], name: string, person: Person): Promise<EnvironmentLook['seen']> {
  try {
    return await door.status(name, person);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { kind: 'refused', ...error.report() };
  }
}
