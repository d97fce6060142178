import type { Picture } from '../../sandbox/demo/stores.ts';
import { type Journey, openJourney } from './open-journey.ts';
import { untilOver } from './until-over.ts';

/** Enough for a few batches of the larger steps, and little enough for a restart at every event. */
const users = 2_200;
const patience = 300_000;

interface Outcome {
  /** Records with generated ids written as their place in the sequence, so that two runs can be compared. */
  readonly picture: Picture;
  readonly steps: readonly Record<string, unknown>[];
  readonly votes: number;
  readonly kills: number;
}

async function askAndApprove({ session: { slack } }: Journey): Promise<string> {
  await slack.as('alice').command('/tas migrate space-isolation env:sandbox');
  const card = await slack.waitFor(
    'the card',
    () => slack.messages('tas-platform').find(({ text }) => text.startsWith('Approval wanted')),
    patience,
  );
  await slack.as('bob').click(card, 'Approve');
  // Killed before the vote is stored, the click is lost and nobody is told that it counted: bob would click again.
  const told = () =>
    slack
      .as('bob')
      .ephemerals()
      .some(({ text }) => text.startsWith('You approved'));
  await slack.waitFor('bob to be told that his vote counts', told, patience);
  return /run-[0-9a-z]{10}/.exec(JSON.stringify(card.blocks))?.[0] ?? '';
}

async function outcomeOf(journey: Journey, kill: boolean): Promise<Outcome> {
  const runId = await askAndApprove(journey);
  const kills = await untilOver(journey, runId, () => kill);
  const run = await journey.botPool.query<{ status: string; failure: unknown; sequence_base: string }>(
    'select status, failure, sequence_base from tas.run where id = $1',
    [runId],
  );
  expect(run.rows[0]).toMatchObject({ status: 'done', failure: null });
  const steps = await journey.botPool.query(
    'select step_id, state, done::int, kept::int from tas.run_step where run_id = $1 order by step_id',
    [runId],
  );
  const votes = await journey.botPool.query('select from tas.vote where run_id = $1', [runId]);
  const base = BigInt(run.rows[0]?.sequence_base ?? '0');
  return {
    picture: normalize(await journey.stores.picture(), base),
    steps: steps.rows,
    votes: votes.rowCount ?? 0,
    kills,
  };
}

/** Copies that the migration inserts get the time of their insertion from the table itself. */
const insertedAt = /^(users|spaces)\/.*/;

function normalize(picture: Picture, base: bigint): Picture {
  const rename = (text: string): string =>
    text.replaceAll(
      /\b(tenant|space)_(\d{16})\b/g,
      (_, kind: string, digits: string) => `${kind}_#${BigInt(digits) - base}`,
    );
  return new Map(
    [...picture].map(([key, values]) => [
      rename(key),
      Object.fromEntries(
        Object.entries(values)
          .filter(([name]) => !(name === 'created_at' && insertedAt.test(key)))
          .map(([name, value]) => [name, rename(value)]),
      ),
    ]),
  );
}

describe('a bot that is killed at every event of a run', () => {
  it('carries it to the same end as one that is not: nothing twice, nothing left out, approvals kept', async () => {
    const unbroken = await openJourney(users);
    const expected = await outcomeOf(unbroken, false).finally(() => unbroken.close());
    const broken = await openJourney(users);
    try {
      const outcome = await outcomeOf(broken, true);
      expect(outcome.kills).toBeGreaterThan(20);
      expect(outcome.votes).toBe(1);
      expect(outcome.steps).toEqual(expected.steps);
      expect(outcome.picture.size).toBe(expected.picture.size);
      const different = [...expected.picture].filter(
        ([key, values]) => JSON.stringify(outcome.picture.get(key)) !== JSON.stringify(values),
      );
      expect(different.slice(0, 5)).toEqual([]);
      const { slack } = broken.session;
      await slack.waitFor(
        'the end to be told',
        () => slack.messages('tas-platform').some(({ text }) => text.startsWith('Done: ')),
        patience,
      );
      const told = slack
        .messages('tas-platform')
        .filter(({ threadTs }) => threadTs === null)
        .map(({ text }) => text);
      expect(told.filter((text) => text.startsWith('Done: '))).toHaveLength(1);
    } finally {
      await broken.close();
    }
  }, 1_800_000);
});
