import type { OnCallView } from '../src/oncall/on-call-desk.ts';
import type { Door, Person } from '../src/runs/door.ts';
import type { Run } from '../src/runs/run.ts';
import { withinTime } from '../src/shared/within-time.ts';
import type { Desks } from './desks.ts';

/** What is told beside the run, as far as it could be read in time. */
export interface FailureFacts {
  /** What stands stopped or switched just now, in words; null = it could not be read. */
  readonly standing: readonly string[] | null;
  /** Who is called, and for what; null = it could not be read. */
  readonly called: OnCallView | null;
  /** The database admin's own page; null = none is configured. */
  readonly link: string | null;
}

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
  const answer = Promise.resolve().then(read);
  return withinTime(
    answer.catch(() => null),
    within,
    () => null,
  );
}
