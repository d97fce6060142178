import { answersTo } from '../../sandbox/demo/answers.ts';
import { renderMessage } from '../../sandbox/slack/render.ts';
import { type Journey, openJourney } from './open-journey.ts';

const patience = 120_000;

/** Asks in the channel, lets bob approve and waits for the end; answers the id of the run. */
async function carryOut({ session: { slack } }: Journey, words: string): Promise<string> {
  const known = slack.messages('tas-platform').length;
  const fresh = () => slack.messages('tas-platform').slice(known);
  await slack.as('alice').command(words);
  const card = await slack.waitFor(
    `the card for ${words}`,
    () => fresh().find(({ text }) => text.startsWith('Approval wanted')),
    patience,
  );
  // The card of a rollback names the run that it undoes as well.
  const ids = renderMessage(card).match(/run-[0-9a-z]{10}/g) ?? [];
  const id = ids.find((each) => !words.includes(each)) ?? '';
  await slack.as('bob').click(card, 'Approve');
  const end = await slack.waitFor(
    `the end of ${words}`,
    () => fresh().find(({ text }) => /^(Done|Undone|Failed|Stopped|Voided)/.test(text)),
    patience,
  );
  expect(end.text).toMatch(/^(Done|Undone)/);
  return id;
}

async function refusalOf({ session: { slack } }: Journey, words: string): Promise<string> {
  const shown = answersTo(slack, 'alice').length;
  await slack.as('alice').command(words);
  const answer = await slack.waitFor(`the answer to ${words}`, () => answersTo(slack, 'alice')[shown], patience);
  return renderMessage(answer);
}

describe('conflicts that an undo kept, on real stores', () => {
  it('are taken with what is coupled with them, no others, and come back with the undo of that', async () => {
    const journey = await openJourney(60);
    const { stores } = journey;
    try {
      const users = await stores.cypher(
        'MATCH (u:User) WHERE u.personal_tenant_id IS NULL AND u.personal_space_id IS NULL RETURN u.id AS id ORDER BY id LIMIT 2',
      );
      const [one, two] = users.map(({ id }) => String(id));
      const read = async (id: string | undefined) =>
        (
          await stores.cypher(
            'MATCH (u:User {id: $id}) RETURN u.personal_tenant_id AS tenant, u.personal_space_id AS space',
            { id },
          )
        )[0];
      const done = await carryOut(journey, '/tas migrate space-isolation env:sandbox');
      await stores.cypher("MATCH (u:User) WHERE u.id IN $ids SET u.personal_tenant_id = 'mine of ' + u.id", {
        ids: [one, two],
      });
      await carryOut(journey, `/tas rollback ${done} way:undo`);
      const kept = await read(one);
      expect(kept).toEqual({ tenant: `mine of ${one}`, space: expect.stringMatching(/^space_\d{16}$/) });
      const others = await read(two);

      const tenant = `take:graph:User.personal_tenant_id:${one}`;
      expect(await refusalOf(journey, `/tas rollback ${done} ${tenant}`)).toMatch(/stay all the same: .*coupled/);
      expect(await read(one)).toEqual(kept);
      const both = `${tenant} take:graph:User.personal_space_id:${one}`;
      const taken = await carryOut(journey, `/tas rollback ${done} ${both}`);
      expect(await read(one)).toEqual({ tenant: null, space: null });
      expect(await read(two)).toEqual(others);

      await carryOut(journey, `/tas rollback ${taken} way:undo`);
      expect(await read(one)).toEqual(kept);
      expect(await read(two)).toEqual(others);
    } finally {
      await journey.close();
    }
  }, 600_000);
});
