import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { renderMessage } from '../../sandbox/slack/render.ts';
import type { Message } from '../../sandbox/slack/slack.ts';
import { posted, reached } from './approved-run.ts';
import { type Journey, openJourney } from './open-journey.ts';

const cli = resolve(import.meta.dirname, '../../src/cli.ts');
const patience = 300_000;

describe('Slack is away from the approval on until the run has ended', () => {
  let journey: Journey;

  beforeAll(async () => {
    journey = await openJourney(20);
  }, patience);

  afterAll(async () => {
    await journey.close();
  }, 60_000);

  async function tas(...words: string[]): Promise<string> {
    const env = { ...process.env, TAS_CONFIG: journey.session.configPath };
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', cli, ...words], { env });
    return stdout;
  }

  it('the terminal takes over, the run ends, and afterwards the channel tells the whole story in order, once', async () => {
    const { slack } = journey.session;
    await slack.as('alice').command('/tas migrate space-isolation env:sandbox');
    const card = await posted(journey, /Approval wanted/, 0);
    const { rows } = await journey.botPool.query<{ id: string }>('select id from tas.run');
    const runId = rows[0]?.id ?? '';
    await slack.waitFor('the plan in the thread', () => threadOf(card).length > 0 || null, patience);

    slack.goDown();
    const callsBefore = slack.calls.length;
    expect(await tas('approve', runId, '--as', 'bob')).toMatch(/approved/i);
    await reached(journey, runId, 'done');
    expect(await tas('status', 'env:sandbox', '--as', 'carol')).toMatch(/sandbox/i);
    expect(await tas('runs', runId, '--as', 'carol')).toMatch(/done/);
    expect(slack.calls).toHaveLength(callsBefore);
    expect(inChannel()).toEqual([card]);

    slack.comeBack();
    await posted(journey, /^✓ Done: /m, 0);
    await toldAll();
    await slack.waitFor('the card at its end', () => /: done/.exec(inChannel()[0]?.text ?? ''), patience);
    const texts = inChannel().map(({ text }) => text.replace(/:.*/s, ''));
    expect(texts.slice(1).filter((text) => !text.startsWith('Checklist'))).toEqual(['Done']);
    const lines = threadOf(card).map(({ text }) => text);
    const { rows: stages } = await journey.botPool.query<{ text: string }>(
      `select text from tas.run_event where run_id = $1 and type = 'stage-started' order by id`,
      [runId],
    );
    expect(stages.length).toBeGreaterThan(3);
    expect(lines.filter((line) => stages.some(({ text }) => line.endsWith(text)))).toEqual(
      stages.map(({ text }) => `▶ ${text}`),
    );
    const names = slack.messages('tas-platform').map(({ metadata }) => JSON.stringify(metadata));
    expect(new Set(names).size).toBe(names.length);
    // What changed a hundred times meanwhile is edited a few times.
    const edits = slack.calls.slice(callsBefore).filter(({ method }) => method === 'chat.update');
    expect(edits.length).toBeLessThanOrEqual(6);
    expect(slack.calls.filter(({ answer }) => answer.error === 'ratelimited')).toEqual([]);
  }, 400_000);

  function inChannel(): readonly Message[] {
    return journey.session.slack.messages('tas-platform').filter(({ threadTs }) => threadTs === null);
  }

  function threadOf(card: Message): readonly Message[] {
    return journey.session.slack.messages('tas-platform').filter(({ threadTs }) => threadTs === card.ts);
  }

  /** Nothing that the bot has to say is left. */
  async function toldAll(): Promise<void> {
    const left = `select (select max(id) from tas.run_event) > least(event_id, thread_event_id)
                      or coalesce((select max(id) from tas.notice), 0) > coalesce((select notice_id from tas.notice_cursor), 0) as more
                    from tas.outbox_cursor`;
    const end = Date.now() + patience;
    for (;;) {
      const { rows } = await journey.botPool.query<{ more: boolean }>(left);
      if (rows[0]?.more === false) return;
      if (Date.now() > end) throw new Error(`not all was told: ${inChannel().map(renderMessage).join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
});
