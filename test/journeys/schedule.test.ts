import { renderMessage } from '../../sandbox/slack/render.ts';
import type { Message } from '../../sandbox/slack/slack.ts';
import { openJourney } from './open-journey.ts';

const patience = 120_000;

describe('a validation at set times', () => {
  it('tells what it found in one message, then what is new and what was fixed, and edits the message that told of it first', async () => {
    const journey = await openJourney('demo');
    const { stores, botPool } = journey;
    const { slack } = journey.session;
    const reports = (): readonly Message[] =>
      slack.messages('tas-platform').filter((message) => /checks (failed|warn|passed)/.test(message.text));
    const another = async (known: number): Promise<Message> =>
      slack.waitFor(`report ${known + 1}`, () => reports()[known], patience);
    try {
      await slack.as('alice').command('/tas schedule add validate env:sandbox cron:"0 3 * * *" tz:Europe/Berlin');
      await slack.waitFor(
        'the schedule',
        () =>
          slack
            .as('alice')
            .ephemerals()
            .find(({ text }) => /^Added/.test(text)),
        patience,
      );
      const { rows } = await botPool.query<{ id: string }>('select id from tas.schedule');
      const id = rows[0]?.id ?? '';
      const runNow = () => slack.as('alice').command(`/tas schedule run ${id}`);
      await runNow();
      const first = await another(0);
      expect(first.text).toMatch(/^✗ sandbox: \d+ of \d+ checks failed \(\d+ new\)$/);

      // Somebody mends one rule by hand and breaks no other: users get a tenant.
      await stores.cypher('MATCH (u:User) WHERE u.personal_tenant_id IS NULL SET u.personal_tenant_id = u.id');
      await runNow();
      const second = await another(1);
      expect(second.text).toMatch(/\d+ fixed/);
      const edited = await slack.waitFor(
        'the first report to be edited',
        () => reports().find((message) => message.ts === first.ts && /fixed, seen at/.test(renderMessage(message))),
        patience,
      );
      expect(edited.text).toBe(first.text);
      expect(JSON.stringify(second.blocks)).toMatch(/slack_file/);
      // The run itself says nothing beside it.
      expect(slack.messages('tas-platform').filter(({ text }) => /^(Asked|Validation|✓ Done|Done)/.test(text))).toEqual(
        [],
      );
    } finally {
      await journey.close();
    }
  }, 400_000);
});
