import type { Environment } from '../../src/plans/environment.ts';
import type { Plan } from '../../src/plans/plan.ts';
import { requestersOf } from '../../src/plans/requesters.ts';
import type { RunRequest } from '../../src/runs/door.ts';
import type { NewRun, RunRecords } from '../../src/runs/run-records.ts';
import { submit } from '../../src/runs/submit.ts';
import { sampleRun } from '../sample-run.ts';

const sample = sampleRun();

/** What is stored of a request, where the plan that is made of it is this. */
async function storedOf(made: Partial<Plan>, alsoAskedBy?: readonly string[]): Promise<NewRun> {
  let stored: NewRun | undefined;
  const records = {
    leaseHolder: async () => null,
    create: async (run: NewRun) => {
      stored = run;
    },
    find: async () => sample,
  } as unknown as RunRecords;
  const environment = { name: 'sandbox', production: false, votesRequired: 1, expiresMinutes: 60 };
  const request: RunRequest = {
    action: 'migrate',
    environment: 'sandbox',
    subject: 'fill',
    person: { id: 'UALICE', name: 'alice', roles: ['operator'] },
    reason: null,
    ...(alsoAskedBy === undefined ? {} : { alsoAskedBy }),
  };
  const submission = await submit(
    {
      environments: new Map([['sandbox', environment as unknown as Environment]]),
      records,
      makePlan: async () => ({ ...sample.plan, findings: [], ...made }),
      listBackups: async () => [],
      clock: { now: () => new Date('2026-11-20T10:00:00.000Z') },
    },
    request,
  );
  expect(submission.kind).toBe('accepted');
  if (stored === undefined) throw new Error('nothing was stored');
  return stored;
}

describe('a request', () => {
  it('keeps in its plan, and so in its digest, who else asked: authors of the file and those who are named with it', async () => {
    const alone = await storedOf({});
    expect(alone.plan).not.toHaveProperty('alsoAskedBy');
    const both = await storedOf({ alsoAskedBy: ['UDORA'] }, ['UBOB', 'UDORA']);
    expect(requestersOf(both)).toEqual(['UALICE', 'UDORA', 'UBOB']);
    expect(both.digest).not.toBe(alone.digest);
    expect(requestersOf(await storedOf({ alsoAskedBy: ['UDORA'] }))).toEqual(['UALICE', 'UDORA']);
    expect(requestersOf(await storedOf({}, ['UBOB']))).toEqual(['UALICE', 'UBOB']);
  });
});
