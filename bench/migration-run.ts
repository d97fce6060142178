import pg from 'pg';
import type { BotSession } from '../sandbox/bot-session.ts';
import type { Endpoints } from '../sandbox/servers/endpoints.ts';
import { renderMessage } from '../sandbox/slack/render.ts';
import type { Acknowledgement, Message } from '../sandbox/slack/slack.ts';
import { giveCommands } from './commands.ts';
import { type Memory, readMemory } from './memory.ts';

const channel = 'tas-platform';
const patience = 45 * 60_000;

export interface StepFigures {
  readonly step: string;
  readonly records: number;
  readonly seconds: number;
}

/** What was seen of one whole run, from the command to the end. */
export interface MigrationRun {
  readonly users: number;
  readonly seconds: number;
  /** Of the bot's process: when it was up and had done nothing yet, and when the run was over. */
  readonly before: Memory;
  readonly after: Memory;
  /** Of commands that other people gave while nothing ran, and while the migration ran. */
  readonly idle: readonly Acknowledgement[];
  readonly busy: readonly Acknowledgement[];
  /** Calls of the Web API that were refused because there were too many. */
  readonly refusedCalls: number;
  readonly steps: readonly StepFigures[];
}

/** Asks for space-isolation in Slack, has it approved and waits for its end; other people give commands all the while. */
export async function runMigration(
  session: BotSession,
  endpoints: Endpoints,
  users: number,
  idleCommands: number,
): Promise<MigrationRun> {
  const { slack } = session;
  const { pid } = session.bot();
  const before = await readMemory(pid);
  const idle = await giveCommands(slack, (given) => given >= idleCommands);
  const known = slack.messages(channel).length;
  const started = performance.now();
  await slack.as('alice').command('/tas migrate space-isolation env:sandbox reason:"a measurement"');
  let over = false;
  const [busy, runId] = await Promise.all([
    giveCommands(slack, () => over),
    approveAndAwait(session, known).finally(() => {
      over = true;
    }),
  ]);
  return {
    users,
    seconds: (performance.now() - started) / 1000,
    before,
    after: await readMemory(pid),
    idle,
    busy,
    refusedCalls: slack.calls.filter(({ answer }) => answer.error === 'ratelimited').length,
    steps: await readSteps(endpoints, runId),
  };
}

async function approveAndAwait({ slack }: BotSession, known: number): Promise<string> {
  const find = (says: RegExp): Message | undefined => {
    const posts = slack.messages(channel).slice(known);
    const stopped = posts.find((post) => /^(Failed|Stopped|Voided)/.test(post.text));
    if (stopped) throw new Error(`the run did not end well: ${renderMessage(stopped)}`);
    return posts.find((post) => says.test(post.text) || says.test(renderMessage(post)));
  };
  const card = await slack.waitFor('the approval card', () => find(/Approval wanted/), patience);
  const runId = /run-[0-9a-z]{10}/.exec(renderMessage(card))?.[0];
  if (runId === undefined) throw new Error('the approval card names no run');
  await slack.as('bob').click(card, 'Approve');
  await slack.waitFor('the end of the run', () => find(/^✓ Done: /m), patience);
  return runId;
}

/** The engine's own books: what it wrote and when, verification of the step included. */
async function readSteps(endpoints: Endpoints, runId: string): Promise<StepFigures[]> {
  const client = new pg.Client({ connectionString: endpoints.botPostgres.url });
  await client.connect();
  try {
    const { rows } = await client.query(
      `select step_id as step, done::int as records, extract(epoch from ended_at - started_at)::float8 as seconds
         from tas.run_step where run_id = $1 order by started_at`,
      [runId],
    );
    return rows;
  } finally {
    await client.end();
  }
}
