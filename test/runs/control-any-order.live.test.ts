import { jest } from '@jest/globals';
import fc from 'fast-check';
import type { ControlWord, Person } from '../../src/runs/door.ts';
import type { Durable } from '../../src/runs/execution.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { isOver, standsStill } from '../../src/runs/run-status.ts';
import { type BotDatabase, createBotDatabase } from '../storage/fresh-bot-database.ts';
import { Killed, RememberedSteps } from './remembered-steps.ts';
import { createSmallWorld, fillTenants, type SmallWorld, users } from './small-world.ts';

jest.setTimeout(300_000);

const count = 2_100;
const erin: Person = { id: 'UERIN', name: 'erin', roles: ['operator'] };
const bob: Person = { id: 'UBOB', name: 'bob', roles: ['approver'], approverSince: null };
const words = ['pause', 'resume', 'stop', 'cancel', 'slower', 'faster'] as const;

/** What people, workers and accidents do to a run. */
type Deed =
  | { readonly do: 'control'; readonly word: ControlWord }
  | { readonly do: 'vote'; readonly choice: 'approve' | 'reject' }
  | { readonly do: 'retry' }
  /** A worker carries the run on, dies after so many steps (if ever), and somebody asks for something meanwhile. */
  | {
      readonly do: 'work';
      readonly death: number | null;
      readonly remembered: boolean;
      readonly meanwhile: ControlWord | null;
      readonly at: number;
    }
  /** A worker that was thought dead carries an attempt on that is over. */
  | { readonly do: 'zombie' };

const word = fc.constantFrom(...words);
const step = fc.integer({ min: 0, max: 18 });
const work = fc.record({
  do: fc.constant('work' as const),
  death: fc.option(step),
  remembered: fc.boolean(),
  meanwhile: fc.option(word),
  at: step,
});
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 5, arbitrary: work },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('control' as const), word }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('vote' as const), choice: fc.constantFrom('approve', 'approve', 'reject') }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('retry' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('zombie' as const) }) },
) as fc.Arbitrary<Deed>;

/** How often the sequences led to what. */
const seen = new Map<string, number>();
const saw = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);

let bot: BotDatabase;
let nextWorld = 1;

beforeAll(async () => {
  bot = await createBotDatabase({ now: () => new Date('2026-11-22T10:00:00Z') });
});
afterAll(() => bot.drop());

/** One run with everything that was remembered of its attempts. */
class Story {
  readonly attempts = new Map<number, RememberedSteps>();
  readonly world: SmallWorld;
  readonly id: string;

  constructor(world: SmallWorld, id: string) {
    this.world = world;
    this.id = id;
  }

  run(): Promise<StoredRun> {
    return this.world.run(this.id);
  }

  async act(deed: Deed): Promise<void> {
    const run = await this.run();
    if (deed.do === 'control') await this.control(deed.word);
    if (deed.do === 'retry') await this.world.door.retry(this.id, erin);
    if (deed.do === 'vote') await this.vote(deed.choice);
    if (deed.do === 'work' && (run.status === 'queued' || run.status === 'running')) await this.work(deed, run);
    if (deed.do === 'zombie') await this.zombie(run);
  }

  control(what: ControlWord): Promise<unknown> {
    return this.world.door.control({ runId: this.id, what, person: erin, seen: null });
  }

  async vote(choice: 'approve' | 'reject'): Promise<void> {
    const digest = (await this.run()).control.ballot?.digest ?? 'none';
    await this.world.door.vote({ runId: this.id, digest, person: bob, choice, reason: null });
  }

  async work(deed: Extract<Deed, { do: 'work' }>, run: StoredRun): Promise<void> {
    const steps = this.attempts.get(run.attempt) ?? new RememberedSteps();
    this.attempts.set(run.attempt, steps);
    const death = deed.death === null ? null : { at: deed.death, remembered: deed.remembered };
    const durable = this.asking(steps.execution(death), deed);
    await this.world.carryOut(run, durable, run.attempt).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
      saw('killed');
    });
  }

  /** Asks for something after the given number of steps. */
  asking(durable: Durable, { meanwhile, at }: Extract<Deed, { do: 'work' }>): Durable {
    let steps = 0;
    return {
      step: async (name, stepWork) => {
        const result = await durable.step(name, stepWork);
        if (meanwhile !== null && steps++ === at) await this.control(meanwhile);
        return result;
      },
    };
  }

  async zombie(run: StoredRun): Promise<void> {
    const before = (await this.world.people.fingerprint()).hash;
    for (const [attempt, steps] of this.attempts) {
      if (attempt === run.attempt && run.status === 'running') continue;
      await this.world.carryOut(run, steps.execution(), attempt);
    }
    expect((await this.world.people.fingerprint()).hash).toBe(before);
    expect((await this.run()).status).toBe(run.status);
  }

  async checkPromises(): Promise<void> {
    const { status, environment } = await this.run();
    saw(status);
    const [lease] = await bot.sql('select run_id, state from tas.environment_lease where environment = $1', [
      environment,
    ]);
    if (standsStill(status)) expect(lease).toEqual({ run_id: this.id, state: 'parked' });
    if (isOver(status)) expect(await bot.records.leaseHolder(environment)).toBeNull();
    const written: string[] = [];
    const { journal } = this.world.people;
    for await (const values of journal.writtenValues(this.id, 'data.fill', 'tenant')) written.push(...values);
    expect(new Set(written).size).toBe(written.length);
    const { tokens } = this.world;
    expect(tokens).toEqual([...new Set(tokens)].toSorted((a, b) => a - b));
  }

  /** Brings the run to its end, as people would; answers how it ended. */
  async finish(): Promise<string> {
    for (let turn = 0; turn < 30; turn += 1) {
      const { status, control } = await this.run();
      if (isOver(status)) return status;
      if (status === 'paused' && control.ballot === null) await this.control('resume');
      else if (status === 'paused') await this.vote('approve');
      else if (status === 'parked') await this.world.door.retry(this.id, erin);
      else await this.act({ do: 'work', death: null, remembered: true, meanwhile: null, at: 0 });
    }
    throw new Error(`it did not come to an end: ${(await this.run()).status}`);
  }
}

async function begin(): Promise<Story> {
  const world = await createSmallWorld({
    records: bot.records,
    name: `order-${nextWorld++}`,
    users: [...users(count), ...['z-1', 'z-2'].map((id) => ({ id, name: 'gone' }))],
    steps: [
      fillTenants,
      {
        id: 'delete-gone',
        title: 'Delete who is gone',
        system: 'people',
        use: 'memory.delete-records',
        approval: 'own',
        with: { collection: 'User', where: { field: 'name', equals: 'gone' } },
      },
    ],
  });
  return new Story(world, (await world.ask('migrate')).id);
}

it('whatever is asked of a run, in any order, and wherever its workers die, each record is changed once', async () => {
  const ended = { done: 0, closed: 0 };
  const property = fc.asyncProperty(fc.array(deed, { minLength: 3, maxLength: 14 }), async (deeds) => {
    const story = await begin();
    try {
      for (const each of deeds) {
        await story.act(each);
        await story.checkPromises();
      }
      const end = await story.finish();
      await story.checkPromises();
      const tenants = users(count).map(({ id }) => story.world.people.read('User', id)?.tenant);
      if (end === 'done') {
        expect(tenants).toEqual(users(count).map((_, i) => `tenant_${1_795_341_600_000_000 + i}`));
        expect(story.world.people.read('User', 'z-1')).toBeNull();
      } else {
        // Withdrawn before it began.
        expect(end).toBe('closed');
        expect(tenants.filter((tenant) => tenant !== undefined)).toEqual([]);
      }
      ended[end as 'done' | 'closed'] += 1;
    } finally {
      await story.world.close();
    }
  });
  await fc.assert(property, { numRuns: 40 });
  // The sequences must have led somewhere, or this test would say nothing.
  expect(ended.done).toBeGreaterThan(20);
  for (const status of ['paused', 'parked', 'running', 'killed']) expect(seen.get(status) ?? 0).toBeGreaterThan(5);
});
