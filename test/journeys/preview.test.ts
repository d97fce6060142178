import { answersTo } from '../../sandbox/demo/answers.ts';
import { renderMessage } from '../../sandbox/slack/render.ts';
import { type Journey, openJourney } from './open-journey.ts';

const botTables = ['run', 'vote', 'run_event', 'run_step', 'environment_lease', 'undo_hold', 'post', 'button'];

/** Everything that is there, the bot's own traces in the stores included. */
async function everything({ stores, botPool }: Journey): Promise<unknown> {
  const hashes = await Promise.all(
    botTables.map((table) =>
      botPool.query(`select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as h from tas.${table} t`),
    ),
  );
  return {
    records: await stores.picture(),
    nodes: await stores.cypher('MATCH (n) RETURN labels(n) AS labels, count(*) AS count ORDER BY labels'),
    constraints: await stores.cypher('SHOW CONSTRAINTS YIELD name RETURN name ORDER BY name'),
    indexes: await stores.cypher('SHOW INDEXES YIELD name RETURN name ORDER BY name'),
    relations: await stores.sql(
      `select nspname, relname, relkind from pg_class c join pg_namespace n on n.oid = relnamespace
        where nspname !~ '^pg_' order by 1, 2`,
    ),
    bot: hashes.map(({ rows }) => rows),
  };
}

describe('a plan that is only looked at, on real stores', () => {
  it('shows counts, samples, undo, time and versions to anybody with a role, and writes nothing to any store', async () => {
    const journey = await openJourney(60);
    try {
      const { slack } = journey.session;
      const before = await everything(journey);
      await slack.as('carol').command('/tas plan space-isolation env:sandbox');
      await slack.waitFor('the plan', () => answersTo(slack, 'carol').length > 0, 120_000);
      const pages = answersTo(slack, 'carol').map(renderMessage).join('\n');
      expect(pages).toMatch(/Plan: SANDBOX · space-isolation/);
      expect(pages).toMatch(/data model/);
      expect(pages).toMatch(/changes [\d,]+ · .* · undo any time · about \d+/);
      expect(pages).toMatch(/∅ → tenant_\d{16}/);
      expect(pages).toMatch(/nothing was stored/);
      expect(await everything(journey)).toEqual(before);
      expect(slack.messages('tas-platform')).toEqual([]);
      await slack.as('mallory').command('/tas plan space-isolation env:sandbox');
      const no = await slack.waitFor('the no', () => slack.as('mallory').ephemerals()[0], 60_000);
      expect(renderMessage(no)).toContain('not-allowed');
    } finally {
      await journey.close();
    }
  }, 300_000);
});
