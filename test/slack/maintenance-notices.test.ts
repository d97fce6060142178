import { usualWords } from '../../src/maintenance/words.ts';
import type { MaintenanceNotice, NewNotice } from '../../src/notices/notice.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;

const texts = (): string[] => setup.slack.messages('general').map(({ text }) => text);
const told = (): Promise<void> => until(() => setup.notices.at === setup.notices.all.length);

function announcement(
  name: 'scheduled' | 'before' | 'started' | 'ended',
  over: Partial<MaintenanceNotice> = {},
): NewNotice {
  return {
    topic: 'window:win-1',
    to: { channel: 'general' },
    anew: true,
    once: `window:win-1:${name}:general`,
    content: {
      kind: 'maintenance',
      words: usualWords[name],
      environment: 'production',
      from: '2026-11-24T01:00:00.000Z',
      to: '2026-11-24T03:00:00.000Z',
      reason: 'A new <!channel> data model',
      trueUntil: null,
      ...over,
    },
  };
}

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
});
afterEach(() => setup.stop());

describe('announcements of maintenance', () => {
  it('reach the users’ channel in the words of the configuration, with times in the reader’s zone and in UTC', async () => {
    await setup.notices.add([announcement('started')]);
    await told();
    const from = Date.parse('2026-11-24T03:00:00.000Z') / 1000;
    expect(texts()).toEqual([
      `🛠 *Maintenance of production has begun* and lasts until <!date^${from}^{date_short_pretty} {time}|2026-11-24 03:00 UTC> (2026-11-24 03:00 UTC). A new &lt;!channel&gt; data model`,
    ]);
  });

  it('that are no longer true when Slack is back are not told: what is true now is, once and in order', async () => {
    await setup.front.stop();
    const past = '2020-01-01T00:00:00.000Z';
    await setup.notices.add([
      announcement('scheduled', { trueUntil: past }),
      announcement('before', { trueUntil: past }),
      announcement('started', { trueUntil: '2999-01-01T00:00:00.000Z' }),
    ]);
    await setup.notices.add([announcement('started'), announcement('ended')]);
    await setup.restart();
    await told();
    expect(texts().map((text) => /has begun|is over|begins|is planned/.exec(text)?.[0])).toEqual([
      'has begun',
      'is over',
    ]);
  });
});
