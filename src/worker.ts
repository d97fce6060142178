import { openApp } from './app.ts';
import type { Config } from './config/config.ts';
import { startEngine } from './runs/engine.ts';
import { startHousekeeping } from './schedules/housekeeping.ts';
import { repeat } from './shared/repeat.ts';

/** What carries runs out, and does what the bot does by itself. */
export interface Worker {
  /** Runs need no farewell: what is unfinished is taken up again at the next start. */
  stop(): Promise<void>;
}

/** Starts a worker with connections of its own: it shares nothing with a front but the bot's database. */
export async function startWorker(config: Config): Promise<Worker> {
  const app = await openApp(config);
  await app.refuseSharedServer();
  const engine = await startEngine({
    databaseUrl: app.reveal(config.bot.database),
    executorId: config.bot.executor,
    deps: app.engine,
    logger: app.logger,
  });
  const housekeeping = startHousekeeping({ ...app.engine, undoOverdue: app.undoOverdue });
  const unwell = (what: string) => (error: Error) => app.logger.warn({ error: error.message }, what);
  const keepers = [
    repeat(3_000, () => app.onCall.tick(), unwell('nobody followed what to page for')),
    repeat(3_000, () => app.votes.giveReceipts(), unwell('nobody gave voters their receipts')),
    repeat(30_000, () => app.votes.remind(), unwell('nobody reminded of votes that are wanted')),
    repeat(5_000, () => app.checklists.board.sweep(), unwell('nobody brought checklists up to date')),
    repeat(5_000, () => app.maintenance.tick(), unwell('nobody looked after maintenance windows')),
    repeat(10_000, () => app.schedules.tick(), unwell('nobody looked for what is due')),
    repeat(15_000, () => app.onCall.bake(), unwell('nobody looked after runs that have ended')),
  ];
  return {
    async stop() {
      await Promise.allSettled([housekeeping.stop(), ...keepers.map((keeper) => keeper.stop()), engine.stop()]);
      await app.close();
    },
  };
}
