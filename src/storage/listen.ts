import pg from 'pg';
import type { Secret } from '../shared/secret.ts';

/** A connection of its own that listens; reconnects by itself and wakes then, since it may have missed something. */
export async function listen(url: Secret, channel: string, wake: () => void): Promise<() => Promise<void>> {
  let client: pg.Client | null = null;
  let stopped = false;
  const connect = async (): Promise<void> => {
    if (stopped) return;
    const next = new pg.Client({ connectionString: url.reveal() });
    next.on('notification', wake);
    next.on('error', () => undefined);
    next.on('end', () => {
      if (!stopped) setTimeout(() => void connect().catch(() => undefined), 1000).unref();
    });
    client = next;
    await next.connect();
    await next.query(`listen ${channel}`);
    wake();
  };
  const stop = async (): Promise<void> => {
    stopped = true;
    await client?.end();
  };
  await connect().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return stop;
}
