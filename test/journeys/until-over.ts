import pg from 'pg';
import type { Journey } from './open-journey.ts';

/**
 * Waits for the run's end and answers how often the bot was killed: at every event for which `kills` answers true, and
 * that was not the cause of a kill before. Work that is repeated reports its progress anew: the same progress is the same place.
 */
export async function untilOver(
  journey: Journey,
  runId: string,
  kills: (event: { readonly key: string; readonly type: string }) => boolean = () => false,
): Promise<number> {
  const listener = new pg.Client({ connectionString: journey.botPool.options.connectionString as string });
  await listener.connect();
  await listener.query('listen tas_run_event');
  let wake: () => void = () => undefined;
  listener.on('notification', () => wake());
  const seen = new Set<string>();
  let killed = 0;
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, 1_000).unref();
      });
      const { rows } = await journey.botPool.query<{ key: string; type: string }>(
        `select coalesce(once, type || (select sum(done) from tas.run_step where run_id = $1)) as key, type
           from tas.run_event where run_id = $1 order by id desc limit 1`,
        [runId],
      );
      const last = rows[0];
      if (last && ['done', 'failed', 'voided', 'paused'].includes(last.type)) return killed;
      const fresh = last !== undefined && !seen.has(last.key);
      if (last) seen.add(last.key);
      if (fresh && kills(last)) {
        killed += 1;
        await journey.session.bot().kill('SIGKILL');
        await journey.session.restart();
      } else {
        await woken;
      }
    }
  } finally {
    await listener.end();
  }
}
