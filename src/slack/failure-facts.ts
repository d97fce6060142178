import type { FailureFacts } from '../../blocks/failure-card.ts';
import type { Desks } from '../../commands/desks.ts';
import type { Door, Person } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';

/** In whose name the bot reads what it tells by itself. */
const reader: Person = { id: 'tas-bot', name: 'the bot', roles: ['viewer'] };

/** What a failure card tells beside the run. What does not answer within this many milliseconds is left out: the card must not wait. */
export async function readFailureFacts(
  { door, desks }: { readonly door: Pick<Door, 'status'>; readonly desks: Pick<Desks, 'runbooks' | 'oncall'> },
  run: Run,
  within = 5_000,
): Promise<FailureFacts> {
  const [status, called] = await Promise.all([
    inTime(() => door.status(run.environment, reader), within),
    inTime(() => desks.oncall.view(run.environment, reader), within),
  ]);
  // What another run has set up by now is none of this one's.
  const ours = status !== null && !('kind' in status) && status.holder?.runId === run.id;
  return {
    standing: ours ? (status.standing ?? []) : null,
    called: called === null || 'kind' in called ? null : called,
    link: desks.runbooks.of(run).link,
  };
}

/** Null where it fails or takes too long. */
async function inTime<T>(read: () => Promise<T>, within: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), within).unref();
  });
  const answer = Promise.resolve().then(read);
  try {
    return await Promise.race([answer.catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}
