import { differences } from '../../sandbox/demo/stores.ts';
import { renderMessage } from '../../sandbox/slack/render.ts';
import type { Message } from '../../sandbox/slack/slack.ts';
import { type Journey, openJourney } from './open-journey.ts';

const channel = 'tas-platform';
const patience = 240_000;

/** The guide's scenarios, in the order of their versions; those with a step that asks for a vote of its own. */
const scenarios = [
  { id: 'space-isolation', ownVote: false },
  { id: 'document-status', ownVote: false },
  { id: 'relationship-schema', ownVote: false },
  { id: 'applied-scripts', ownVote: true },
  { id: 'relational-entities', ownVote: false },
  { id: 'key-layout', ownVote: true },
] as const;

/** The first message after `from` that says this; a run that stops before is told at once. */
async function post({ session }: Journey, says: RegExp, from: number): Promise<Message> {
  const find = (): Message | undefined => {
    const later = session.slack.messages(channel).slice(from);
    const stopped = later.find(({ text }) => /^(Failed|Stopped|Voided)/.test(text));
    if (stopped) throw new Error(`while waiting for ${says}: ${renderMessage(stopped)}`);
    return later.find((message) => says.test(message.text) || says.test(renderMessage(message)));
  };
  return session.slack.waitFor(String(says), find, patience);
}

function runIdOf(card: Message): string {
  const id = /run-[0-9a-z]{10}/.exec(renderMessage(card))?.[0];
  if (!id) throw new Error('the card names no run');
  return id;
}

async function migrate(journey: Journey, id: string, ownVote: boolean): Promise<string> {
  const { slack } = journey.session;
  const known = slack.messages(channel).length;
  const shown = slack.as('alice').ephemerals().length;
  await slack.as('alice').command(`/tas migrate ${id} env:sandbox reason:"a journey"`);
  const answered = (): boolean => {
    const answer = slack.as('alice').ephemerals().slice(shown).map(renderMessage).join('\n');
    if (/refused|cannot start/i.test(answer)) throw new Error(`${id} was refused: ${answer}`);
    return slack.messages(channel).length > known;
  };
  await slack.waitFor(`an answer about ${id}`, answered, patience);
  const card = await post(journey, /Approval wanted/, known);
  await slack.as('bob').click(card, 'Approve');
  if (ownVote) {
    const gate = await post(journey, /A step waits for a vote/, known);
    await slack.as('bob').click(gate, 'Approve');
  }
  await post(journey, new RegExp(`^✓ Done: SANDBOX · ${id}`, 'm'), known);
  return runIdOf(card);
}

async function undo(journey: Journey, runId: string): Promise<void> {
  const { slack } = journey.session;
  const known = slack.messages(channel).length;
  await slack.as('erin').command(`/tas rollback ${runId} way:undo`);
  const card = await post(journey, /Approval wanted/, known);
  await slack.as('dana').click(card, 'Approve');
  await post(journey, /^✓ Undone/m, known);
}

describe("the guide's scenarios, one after the other on one platform", () => {
  it('are carried out in the order of their versions, undone in the other order, and leave only what users wrote', async () => {
    const journey = await openJourney('demo');
    const { stores, botPool } = journey;
    try {
      const before = await stores.picture();
      const runs: string[] = [];
      for (const { id, ownVote } of scenarios) runs.push(await migrate(journey, id, ownVote));
      const versions = await botPool.query(`select count(*)::int as done from tas.run where status = 'done'`);
      expect(versions.rows).toEqual([{ done: scenarios.length }]);
      const [left] = await stores.cypher(
        `MATCH (d:Document) WHERE d.status = 'processed' RETURN count(*) AS processed
         UNION ALL MATCH ()-[r:BELONGS_TO_NOTEBOOK]->() RETURN count(*) AS processed
         UNION ALL MATCH (m:Migration) RETURN count(*) AS processed`,
      );
      expect(Number(left?.processed)).toBe(0);

      // Meanwhile somebody opens a finished document again, and another one gets a date of its own on his notebook.
      const [opened] = await stores.cypher(
        `MATCH (d:Document) WHERE d.migration_version = '2.0' WITH d ORDER BY d.id LIMIT 1
         SET d.status = 'processing' RETURN d.id AS id`,
      );
      const [dated] = await stores.cypher(
        `MATCH (n:Notebook)-[r:OWNED_BY]->(u:User) WHERE r.ownership_type = 'personal' WITH n, r, u ORDER BY n.id LIMIT 1
         SET r.ownership_type = 'shared' RETURN n.id + ' → ' + u.id AS key`,
      );

      for (const runId of runs.toReversed()) await undo(journey, runId);
      expect(differences(before, await stores.picture())).toEqual(
        [
          `(OWNED_BY)/${dated?.key}.ownership_type`,
          // By which the journal names the relationship that was kept, so that it can still be taken back.
          `(OWNED_BY)/${dated?.key}._tas_id`,
          `Document/${opened?.id}.status`,
        ].sort(),
      );
    } finally {
      await journey.close();
    }
  }, 1_800_000);
});
