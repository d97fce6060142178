import type { Person } from '../../src/runs/door.ts';
import type { Run } from '../../src/runs/run.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { Secret } from '../../src/shared/secret.ts';
import { type OpenStepUp, openStepUp } from '../../src/step-up/open-step-up.ts';
import type { StepUpSettings } from '../../src/step-up/settings.ts';
import { bob, FakeDoor } from '../fake-door.ts';
import { MemoryNotices } from '../memory-notices.ts';
import { samplePlan, sampleRun } from '../sample-run.ts';
import { type Browser, openBrowser } from './browser.ts';
import { MemoryConfirmations } from './memory-confirmations.ts';
import { clientSecret, type StandInProvider, startStandInProvider } from './stand-in-provider.ts';

/** The real pages over a door and confirmations in memory, and a provider on this machine. */
export interface StepUpWorld {
  readonly provider: StandInProvider;
  readonly door: FakeDoor;
  readonly store: MemoryConfirmations;
  readonly notices: MemoryNotices;
  readonly stepUp: OpenStepUp;
  /** Where the pages really are. */
  readonly port: number;
  /** What was logged, as JSON lines. */
  readonly logged: string[];
  readonly run: Run;
  /** Seconds by which the bot's clock is ahead. */
  ahead: number;
  /** Asked for the voter's roles just before the vote. */
  person: (voter: Pick<Person, 'id' | 'name'>) => Promise<Person>;
  browser(): Browser;
  /** Bob's link for the run. */
  link(): Promise<string>;
  stop(): Promise<void>;
}

export const publicUrl = 'http://127.0.0.1:9/tas';

export async function startStepUpWorld(over: Partial<StepUpSettings> = {}): Promise<StepUpWorld> {
  const provider = await startStandInProvider();
  const door = new FakeDoor();
  const store = new MemoryConfirmations();
  const notices = new MemoryNotices();
  const logged: string[] = [];
  const silent = createLogger('silent');
  const keep = (...parts: unknown[]): void =>
    void logged.push(JSON.stringify(parts, (_key, value: unknown) => (value instanceof Error ? value.stack : value)));
  const logger = Object.assign(Object.create(silent) as typeof silent, { info: keep, warn: keep, error: keep });
  const clock = { now: () => new Date(Date.now() + world.ahead * 1000) };
  const settings: StepUpSettings = {
    issuer: provider.issuer,
    clientId: 'tas-bot',
    publicUrl,
    port: 0,
    claim: 'slack_user_id',
    for: 'one-way',
    maxAgeSeconds: 300,
    ...over,
  };
  const stepUp = openStepUp({ settings, clientSecret: new Secret(clientSecret), store, notices, clock, logger });
  const server = stepUp.pages({ door, person: (voter) => world.person(voter) });
  const { port } = await server.start();
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const run = door.add(sampleRun({ status: 'planned', expiresAt, plan: samplePlan({ undoClass: 'one-way' }) }));
  const world: StepUpWorld = {
    provider,
    door,
    store,
    notices,
    stepUp,
    port,
    logged,
    run,
    ahead: 0,
    person: async (voter) => ({ ...voter, roles: ['approver'], approverSince: null }),
    browser: () =>
      openBrowser((address) => {
        const real = new URL(address);
        if (address.origin === new URL(publicUrl).origin) real.port = String(port);
        return real;
      }),
    async link() {
      const { id, name } = bob;
      const asked = {
        runId: run.id,
        digest: run.digest,
        person: { id, name },
        reason: 'looked at it',
        breaksGlass: false,
        closesAt: expiresAt,
      };
      return (await stepUp.gate.ask(asked)).link;
    },
    async stop() {
      await server.stop();
      await provider.stop();
    },
  };
  return world;
}
