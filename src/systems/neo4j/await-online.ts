import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../shared/failure.ts';
import { type Connection, refuseAborted } from './connection.ts';

/** Between two looks at an index that is being filled. */
const LOOK_EVERY = 200;

/** How far an index is filled. */
export interface Filling {
  readonly online: boolean;
  /** 0 to 100. */
  readonly percent: number;
}

function failedIndex(connection: Connection, name: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${connection.place.name}: the index ${name} could not be filled; the server has marked it FAILED.`,
    advice: `SHOW INDEXES YIELD name, failureMessage says which value it could not take (often a text that is too long). Correct the record, then retry.`,
  });
}

/** Waits until an index is ONLINE, at most so long. Throws where the server could not fill it, or there is none. */
export async function awaitOnline(
  connection: Connection,
  name: string,
  limitMs: number,
  signal?: AbortSignal,
): Promise<Filling> {
  const end = performance.now() + limitMs;
  for (;;) {
    refuseAborted(signal, connection.place);
    const [row] = await connection.read((transaction) =>
      transaction.run(
        'SHOW INDEXES YIELD name, state, populationPercent WHERE name = $name RETURN state, populationPercent',
        {
          name,
        },
      ),
    );
    if (row?.[0] === 'ONLINE') return { online: true, percent: 100 };
    if (row?.[0] === 'FAILED') throw failedIndex(connection, name);
    if (!row) {
      throw new Failure({
        code: 'conflict',
        message: `${connection.place.name}: the index ${name} was dropped by somebody while it was filled.`,
        advice: 'Retry: it is made again.',
        retryable: true,
      });
    }
    const percent = Math.floor(Number(row[1]));
    if (performance.now() >= end) return { online: false, percent };
    await pause(LOOK_EVERY);
  }
}
