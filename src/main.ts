import { openApp } from './app.ts';
import { loadConfig, readSecret } from './config/load-config.ts';
import { keepWorker } from './keep-worker.ts';
import { Failure } from './shared/failure.ts';
import { createSlackFront } from './slack/slack-front.ts';

/** Starts the bot: a front that listens to Slack, and beside it a worker that carries runs out. */
async function main(): Promise<void> {
  const config = await loadConfig();
  const app = await openApp(config);
  await app.refuseSharedServer();
  await app.schedules.applyConfigured();
  const worker = await keepWorker(app.logger);
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
  const confirming = app.stepUp?.pages({
    door: app.door,
    async person(voter, breaksGlass) {
      try {
        return await front.voter(voter, breaksGlass);
      } catch (error) {
        // Slack is down: who may vote at the terminal then may confirm it as well.
        const seen = error instanceof Failure ? await app.recallPerson(voter) : null;
        if (seen === null) throw error;
        return seen;
      }
    },
  });
  if (confirming) app.logger.info(await confirming.start(), 'approvals can be confirmed');
  app.logger.info({ mode: config.slack.mode, port, executor: config.bot.executor }, 'the bot is up');
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void Promise.allSettled([front.stop(), confirming?.stop(), worker.stop()])
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
