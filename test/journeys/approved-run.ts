import { renderMessage } from '../../sandbox/slack/render.ts';
import type { Message } from '../../sandbox/slack/slack.ts';
import type { Journey } from './open-journey.ts';

const channel = 'tas-platform';
const patience = 240_000;

/** The first message after the `from`th that says this. */
export async function posted({ session }: Journey, says: RegExp, from: number): Promise<Message> {
  const find = (): Message | undefined =>
    session.slack
      .messages(channel)
      .slice(from)
      .find((message) => says.test(renderMessage(message)) || says.test(message.text));
  return session.slack.waitFor(String(says), find, patience);
}

/** Alice asks, Bob approves and is told that his vote counts. Answers the run's id and how many messages there were before. */
export async function approvedRun(journey: Journey, command: string): Promise<{ runId: string; from: number }> {
  const { slack } = journey.session;
  const from = slack.messages(channel).length;
  await slack.as('alice').command(command);
  const answers = (): string => slack.as('alice').ephemerals().map(renderMessage).join('\n');
  const card = await posted(journey, /Approval wanted/, from).catch((error: Error) => {
    throw new Error(`${error.message}\n${answers()}`);
  });
  // A rollback's card names the run that it undoes too.
  const asked = await journey.botPool.query<{ id: string }>(
    'select id from tas.run order by requested_at desc limit 1',
  );
  const receipts = (): number =>
    slack
      .as('bob')
      .ephemerals()
      .filter(({ text }) => text.startsWith('You approved')).length;
  const before = receipts();
  await slack.as('bob').click(card, 'Approve');
  await slack.waitFor('bob to be told that his vote counts', () => receipts() > before, patience);
  return { runId: asked.rows[0]?.id ?? '', from };
}

/** Waits until the run's row is so; throws with its failure when it ends otherwise. */
export async function reached({ botPool }: Journey, runId: string, status: string): Promise<void> {
  const end = Date.now() + patience;
  for (;;) {
    const { rows } = await botPool.query('select status, failure, pause from tas.run where id = $1', [runId]);
    if (rows[0]?.status === status) return;
    const over = ['done', 'parked', 'voided', 'closed'].includes(rows[0]?.status);
    if (over || Date.now() > end) throw new Error(`${runId} is not ${status}: ${JSON.stringify(rows[0])}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
