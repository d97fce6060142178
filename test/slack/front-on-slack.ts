import { jest } from '@jest/globals';
import type { Desks } from '../../commands/desks.ts';
import { groups, people } from '../../sandbox/slack/people.ts';
import { type SimulatedSlack, startSlack } from '../../sandbox/slack/slack.ts';
import { configSchema } from '../../src/config/config.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { createLogger, type Logger } from '../../src/shared/logger.ts';
import { Secret } from '../../src/shared/secret.ts';
import { createSlackFront, type SlackFront } from '../../src/slack/slack-front.ts';
import { fakeDesks } from '../fake-desks.ts';
import { FakeDoor } from '../fake-door.ts';
import { MemoryNotices } from '../memory-notices.ts';
import { MemoryOutbox } from './memory-outbox.ts';

// Machines that build something meanwhile are slow.
jest.setTimeout(30_000);

const quick = { edit: 60, stage: 20, poll: 500, backoff: 20 };

/** The real front on the simulated Slack, with a door and an outbox in memory. */
export interface FrontOnSlack {
  readonly slack: SimulatedSlack;
  readonly door: FakeDoor;
  readonly outbox: MemoryOutbox;
  readonly notices: MemoryNotices;
  /** What commands ask beside the door, from the next start on. */
  desks: Partial<Desks>;
  /** What was logged, as JSON lines. */
  readonly logged: string[];
  front: SlackFront;
  url: string | null;
  /** A new front over the same memory, as after a restart. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startFrontOnSlack(
  mode: 'http' | 'socket',
  start = true,
  slowAfter?: number,
  rates = { message: 0, factor: 20 },
): Promise<FrontOnSlack> {
  const slack = await startSlack();
  const door = new FakeDoor();
  const outbox = new MemoryOutbox();
  const notices = new MemoryNotices();
  const logged: string[] = [];
  const setup: FrontOnSlack = {
    slack,
    door,
    outbox,
    notices,
    desks: {},
    logged,
    front: makeFront(mode, slack, { door, outbox, notices, desks: fakeDesks() }, logged, slowAfter, rates),
    url: null,
    async restart() {
      const memory = { door, outbox, notices, desks: fakeDesks(setup.desks) };
      setup.front = makeFront(mode, slack, memory, logged, slowAfter, rates);
      const { port } = await setup.front.start();
      setup.url = mode === 'http' ? `http://127.0.0.1:${port}/slack/events` : null;
      slack.connectApp(setup.url);
    },
    async stop() {
      await setup.front.stop();
      await slack.stop();
    },
  };
  if (start) await setup.restart();
  return setup;
}

function makeFront(
  mode: 'http' | 'socket',
  slack: SimulatedSlack,
  memory: {
    readonly door: FakeDoor;
    readonly outbox: MemoryOutbox;
    readonly notices: MemoryNotices;
    readonly desks: Desks;
  },
  logged: string[],
  slowAfter: number | undefined,
  rates: { readonly message: number; readonly factor: number },
): SlackFront {
  const { slack: config, people: who } = configSchema.pick({ slack: true, people: true }).parse({
    slack: {
      mode,
      botToken: 'env:BOT_TOKEN',
      signingSecret: 'env:SIGNING_SECRET',
      appToken: 'env:APP_TOKEN',
      port: 0,
      apiUrl: slack.apiUrl,
    },
    people: {
      viewers: { users: [people.carol.id] },
      operators: { group: groups.operators.id },
      approvers: { group: groups.approvers.id },
    },
  });
  // As they are in the workspace at each moment: who rotates one puts it where the bot reads it.
  const secretOf = (reference: string): Secret => {
    const { botToken, signingSecret, appToken } = slack;
    const secrets: Record<string, string> = {
      'env:BOT_TOKEN': botToken,
      'env:SIGNING_SECRET': signingSecret,
      'env:APP_TOKEN': appToken,
    };
    return new Secret(secrets[reference] ?? '');
  };
  return createSlackFront({
    config,
    people: who,
    reveal: secretOf,
    readSecret: async (reference) => secretOf(reference),
    ...memory,
    clock: systemClock,
    logger: memoryLogger(logged),
    pace: quick,
    rates,
    ...(slowAfter === undefined ? {} : { slowAfter }),
  });
}

function memoryLogger(logged: string[]): Logger {
  const silent = createLogger('silent');
  const keep = (...parts: unknown[]): void =>
    void logged.push(JSON.stringify(parts, (_key, value: unknown) => (value instanceof Error ? value.stack : value)));
  return Object.assign(Object.create(silent) as Logger, { warn: keep, error: keep });
}

/** Looks again and again, for what the workspace does not show. */
export async function until(holds: () => boolean, timeoutMs = 20_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
