import { openApp } from './app.ts';
import { loadConfig, readSecret } from './config/load-config.ts';
import { startEngine } from './runs/engine.ts';
import { startHousekeeping } from './schedules/housekeeping.ts';
import { Failure } from './shared/failure.ts';
import { repeat } from './shared/repeat.ts';
import { createSlackFront } from './slack/slack-front.ts';

/** Starts the bot: a front that listens to Slack and a worker that carries runs out, in one process. */
async function main(): Promise<void> {
  const config = await loadConfig();
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
    repeat(5_000, () => app.checklists.board.sweep(), unwell('nobody brought checklists up to date')),
    repeat(5_000, () => app.maintenance.tick(), unwell('nobody looked after maintenance windows')),
    repeat(10_000, () => app.schedules.tick(), unwell('nobody looked for what is due')),
    repeat(15_000, () => app.onCall.bake(), unwell('nobody looked after runs that have ended')),
  ];
  const front = createSlackFront({
    config: config.slack,
    people: config.people,
    reveal: app.reveal,
    readSecret,
    door: app.door,
    desks: app.desks,
    outbox: app.outbox,
    notices: app.notices,
    clock: app.engine.clock,
    logger: app.logger,
  });
  const { port } = await front.start();
  app.logger.info({ mode: config.slack.mode, port, executor: config.bot.executor }, 'the bot is up');
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    // Runs need no farewell: what is unfinished is taken up again at the next start.
    void Promise.allSettled([
      front.stop(),
      housekeeping.stop(),
      ...keepers.map((keeper) => keeper.stop()),
      engine.stop(),
    ])
      .then(() => app.close())
      .finally(() => process.exit(0));
    setTimeout(() => process.exit(0), 10_000).unref();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  const text =
    error instanceof Failure ? `${error.message}\n${error.advice}` : ((error as Error).stack ?? String(error));
  process.stderr.write(`tas-bot did not start: ${text}\n`);
  process.exit(1);
});
