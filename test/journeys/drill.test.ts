import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderMessage } from '../../sandbox/slack/render.ts';
import type { Message } from '../../sandbox/slack/slack.ts';
import { openJourney } from './open-journey.ts';

const patience = 120_000;

describe('drills and checks of the bot at set times', () => {
  it('prove the newest backup, call somebody when it was spoilt, and report the bot itself', async () => {
    const journey = await openJourney('demo');
    const { botPool, folder } = journey;
    const { slack } = journey.session;
    const posts = (pattern: RegExp): readonly Message[] =>
      slack.messages('tas-platform').filter(({ text }) => pattern.test(text));
    const post = (pattern: RegExp, known = 0): Promise<Message> =>
      slack.waitFor(`a message like ${pattern}`, () => posts(pattern)[known], patience);
    const answered = (text: string) =>
      slack
        .as('alice')
        .ephemerals()
        .find((message) => message.text.startsWith(text));
    const schedule = async (action: string): Promise<string> => {
      await slack.as('alice').command(`/tas schedule add ${action} env:sandbox cron:"0 3 * * *"`);
      await slack.waitFor('the answer', () => answered(`Added: ${action} of sandbox`), patience);
      const { rows } = await botPool.query<{ id: string }>('select id from tas.schedule where action = $1', [action]);
      return rows[0]?.id ?? '';
    };
    const pages = async () =>
      (await botPool.query<{ reason: string; state: string }>('select reason, state from tas.page')).rows;
    try {
      await slack.as('alice').command('/tas backup env:sandbox');
      await post(/backup made/);
      const drill = await schedule('drill');
      await slack.as('alice').command(`/tas schedule run ${drill}`);
      const proven = renderMessage(await post(/SANDBOX · backup proven/));
      expect(proven).toMatch(/relational: restored beside the live data/);
      expect(proven).toMatch(/objects: restored beside the live data/);
      expect(proven).toMatch(/graph: read back whole/);
      await slack.as('alice').command('/tas backup list env:sandbox');
      await slack.waitFor(
        'the list',
        () =>
          slack
            .as('alice')
            .ephemerals()
            .find((message) => /✓ proven .*objects, relational restored; graph read back/.test(renderMessage(message))),
        patience,
      );

      const files = await readdir(folder, { recursive: true });
      const nodes = join(folder, files.find((file) => file.endsWith('nodes.ndjson.zst')) ?? '');
      const bytes = await readFile(nodes);
      await writeFile(nodes, bytes.subarray(0, bytes.length - 20));
      await slack.as('alice').command(`/tas schedule run ${drill}`);
      expect(renderMessage(await post(/SANDBOX · backup NOT proven/))).toMatch(/graph: /);
      while ((await pages()).length === 0) await new Promise((resolve) => setTimeout(resolve, 250));
      expect(await pages()).toEqual([{ reason: 'backup-unproven', state: 'raised' }]);

      await slack.as('alice').command(`/tas schedule run ${await schedule('self-check')}`);
      await post(/the bot itself, for sandbox: /);
    } finally {
      await journey.close();
    }
  }, 400_000);
});
