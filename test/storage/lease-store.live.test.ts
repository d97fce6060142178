import { jest } from '@jest/globals';
import { samplePlan } from '../sample-run.ts';
import { type BotDatabase, createBotDatabase, newRun } from './fresh-bot-database.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
let environment: string;
let nextEnvironment = 0;

beforeAll(async () => {
  bot = await createBotDatabase();
});
afterAll(() => bot.drop());
beforeEach(() => {
  nextEnvironment += 1;
  environment = `env-${nextEnvironment}`;
});

async function stored(): Promise<string> {
  const run = newRun({ plan: samplePlan({ environment }) });
  await bot.records.create(run);
  return run.id;
}

async function tokenOf(runId: string, inherit: string | null = null): Promise<number> {
  const lease = await bot.records.acquireLease(environment, runId, inherit);
  if ('holder' in lease) throw new Error(`held by ${lease.holder.runId}`);
  return lease.token;
}

const stateOf = async (): Promise<unknown> =>
  (await bot.sql('select state from tas.environment_lease where environment = $1', [environment]))[0]?.state;

describe('the lease of an environment', () => {
  it('has one holder, who is named to everybody else', async () => {
    const [first, second] = [await stored(), await stored()];
    await tokenOf(first);
    expect(await bot.records.acquireLease(environment, second, null)).toEqual({
      holder: { runId: first, status: 'planned', since: expect.any(String) },
    });
    expect((await bot.records.leaseHolder(environment))?.runId).toBe(first);
  });

  it('goes to exactly one of twenty who ask at once', async () => {
    const runs = await Promise.all(Array.from({ length: 20 }, stored));
    const answers = await Promise.all(runs.map((run) => bot.records.acquireLease(environment, run, null)));
    const winners = answers.flatMap((answer, i) => ('token' in answer ? [runs[i]] : []));
    expect(winners).toHaveLength(1);
    for (const answer of answers) if ('holder' in answer) expect(answer.holder.runId).toBe(winners[0]);
  });

  it('has a token that grows at every acquisition, by the same run too', async () => {
    const [first, second] = [await stored(), await stored()];
    const tokens = [await tokenOf(first), await tokenOf(first)];
    await bot.records.releaseLease(environment, first);
    tokens.push(await tokenOf(second), await tokenOf(second));
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
    expect(new Set(tokens).size).toBe(4);
    const many = await Promise.all(Array.from({ length: 10 }, () => tokenOf(second)));
    expect(new Set(many).size).toBe(10);
  });

  it('says since when it is held, whatever is renewed or taken up again since', async () => {
    const run = await stored();
    await tokenOf(run);
    const since = (await bot.records.leaseHolder(environment))?.since;
    await bot.records.renewLease(environment, run);
    await tokenOf(run);
    expect((await bot.records.leaseHolder(environment))?.since).toBe(since);
  });

  it('stays with a parked run, also when its time is over', async () => {
    const [run, other] = [await stored(), await stored()];
    await tokenOf(run);
    await bot.records.parkLease(environment, run);
    await bot.sql(`update tas.environment_lease set expires_at = now() - interval '1 day' where environment = $1`, [
      environment,
    ]);
    expect(await stateOf()).toBe('parked');
    expect(await bot.records.acquireLease(environment, other, null)).toHaveProperty('holder.runId', run);
    await tokenOf(run);
    expect(await stateOf()).toBe('held');
  });

  it('is inherited by a run that names its holder, and by no other', async () => {
    const [parked, undo, other] = [await stored(), await stored(), await stored()];
    const before = await tokenOf(parked);
    await bot.records.parkLease(environment, parked);
    expect(await bot.records.acquireLease(environment, other, undo)).toHaveProperty('holder');
    expect(await tokenOf(undo, parked)).toBeGreaterThan(before);
    expect((await bot.records.leaseHolder(environment))?.runId).toBe(undo);
    expect(await bot.records.acquireLease(environment, parked, null)).toHaveProperty('holder.runId', undo);
  });

  it('is renewed, parked and released by its holder only', async () => {
    const [run, other] = [await stored(), await stored()];
    await tokenOf(run);
    expect(await bot.records.renewLease(environment, run)).toBe(true);
    expect(await bot.records.renewLease(environment, other)).toBe(false);
    await bot.records.parkLease(environment, other);
    await bot.records.releaseLease(environment, other);
    expect(await stateOf()).toBe('held');
    await bot.records.releaseLease(environment, run);
    expect(await bot.records.leaseHolder(environment)).toBeNull();
    expect(await bot.records.renewLease(environment, run)).toBe(false);
    await tokenOf(other);
  });

  it('counts for nothing once its run is over, though a crash kept it from being released', async () => {
    const [ended, next] = [await stored(), await stored()];
    const before = await tokenOf(ended);
    await bot.sql(`update tas.run set status = 'closed' where id = $1`, [ended]);
    expect(await bot.records.leaseHolder(environment)).toBeNull();
    expect(await tokenOf(next)).toBeGreaterThan(before);
    await bot.records.releaseLease(environment, ended);
    expect((await bot.records.leaseHolder(environment))?.runId).toBe(next);
  });

  it('is one for each environment', async () => {
    const run = await stored();
    await tokenOf(run);
    environment = `${environment}-b`;
    expect(await bot.records.leaseHolder(environment)).toBeNull();
    await tokenOf(await stored());
  });
});
