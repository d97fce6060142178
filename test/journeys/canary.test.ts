import { answersTo } from '../../sandbox/demo/answers.ts';
import { differences } from '../../sandbox/demo/stores.ts';
import { renderMessage } from '../../sandbox/slack/render.ts';
import { type Journey, openJourney } from './open-journey.ts';

const patience = 240_000;

/** Asks in the channel, lets bob approve and waits for the end; answers the card and how it ended. */
async function carryOut({ session: { slack } }: Journey, words: string): Promise<{ card: string; end: string }> {
  const known = slack.messages('tas-platform').length;
  const fresh = () => slack.messages('tas-platform').slice(known);
  await slack.as('alice').command(words);
  const card = await slack.waitFor(
    'the card',
    () => fresh().find(({ text }) => text.startsWith('Approval wanted')),
    patience,
  );
  const shown = renderMessage(card);
  await slack.as('bob').click(card, 'Approve');
  const end = await slack.waitFor(
    'the end',
    () => fresh().find(({ text }) => /^(Done|Undone|Failed|Stopped|Voided)/.test(text)),
    patience,
  );
  return { card: shown, end: renderMessage(end) };
}

describe('a migration for one user first', () => {
  let journey: Journey;

  beforeAll(async () => {
    journey = await openJourney(20);
  }, 300_000);

  afterAll(async () => {
    await journey.close();
  }, 60_000);

  it('changes his records and nobody else’s, records no version, and the whole migration does what is left', async () => {
    const { stores, session } = journey;
    const before = await stores.picture();
    const [user] = await stores.cypher(
      `MATCH (u:User) WHERE u.personal_tenant_id IS NULL AND EXISTS { (:Document)-[:OWNED_BY]->(u) }
       RETURN u.id AS id ORDER BY u.id LIMIT 1`,
    );
    const id = String(user?.id);
    const { card, end } = await carryOut(journey, `/tas migrate space-isolation env:sandbox canary:${id}`);
    expect(card).toContain(`canary ${id}`);
    expect(card).toContain('steps are left out');
    expect(end).toMatch(/^✓ Done/);
    const changed = differences(before, await stores.picture());
    const owned = await stores.cypher(
      'MATCH (n) WHERE n.owner_id = $id OR n.id = $id RETURN n.id AS id, n.personal_space_id AS space',
      { id },
    );
    const his = owned.flatMap((row) => [String(row.id), String(row.space)]);
    const foreign = changed.filter((line) => !his.some((each) => line.includes(each)));
    expect(foreign).toEqual([]);
    expect(changed).toContain(`User/${id}.personal_tenant_id`);
    expect(changed.some((line) => line.startsWith('Document/'))).toBe(true);
    expect(await statusOf(session.slack)).not.toContain('data model 2.0');

    const whole = await carryOut(journey, '/tas migrate space-isolation env:sandbox');
    expect(whole.end).toMatch(/^✓ Done/);
    const [missing] = await stores.cypher('MATCH (u:User) WHERE u.personal_tenant_id IS NULL RETURN count(*) AS users');
    expect(Number(missing?.users)).toBe(0);
    expect((await statusOf(session.slack)).match(/data model 2\.0/g)?.length).toBeGreaterThanOrEqual(2);
  }, 600_000);
});

async function statusOf(slack: Journey['session']['slack']): Promise<string> {
  const shown = answersTo(slack, 'alice').length;
  await slack.as('alice').command('/tas status env:sandbox');
  const answer = await slack.waitFor('the status', () => answersTo(slack, 'alice')[shown], patience);
  return renderMessage(answer);
}
