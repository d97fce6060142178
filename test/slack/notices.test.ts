import { people } from '../../sandbox/slack/people.ts';
import type { Message } from '../../sandbox/slack/slack.ts';
import type { NewNotice, PageNotice } from '../../src/notices/notice.ts';
import { sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;
let count = 0;

const channel = { channel: 'tas-platform' };
const posted = (name = 'tas-platform'): readonly Message[] => setup.slack.messages(name);
const texts = (name?: string): string[] => posted(name).map(({ text }) => text);
const told = (): Promise<void> => until(() => setup.notices.at === setup.notices.all.length);
const calls = (method: string) => setup.slack.calls.filter((call) => call.method === method);

function line(text: string, over: Partial<NewNotice> = {}): NewNotice {
  count += 1;
  return { topic: 'weather', to: channel, anew: true, once: `once-${count}`, content: { kind: 'line', text }, ...over };
}

async function say(...notices: NewNotice[]): Promise<void> {
  await setup.notices.add(notices);
  await told();
}

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
});
afterEach(async () => {
  await setup.stop();
});

describe('notices', () => {
  it('are told in their order, each key once', async () => {
    const rain = line('rain');
    await say(rain, line('wind'), rain);
    await say(rain, line('sun'));
    expect(texts()).toEqual(['rain', 'wind', 'sun']);
  });

  it('edit the last message of their topic at their place, unless they come anew', async () => {
    await say(line('rain', { anew: false }), line('elsewhere', { anew: false, to: { channel: 'general' } }));
    await say(line('heavy rain', { anew: false }));
    await say(line('another topic', { anew: false, topic: 'traffic' }));
    expect(texts()).toEqual(['heavy rain', 'another topic']);
    expect(texts('general')).toEqual(['elsewhere']);
    await say(line('hail'));
    await say(line('no hail', { anew: false }));
    expect(texts()).toEqual(['heavy rain', 'another topic', 'no hail']);
  });

  it('that would be edited over at once are left out', async () => {
    await setup.front.stop();
    await setup.notices.add([1, 2, 3, 4, 5].map((degrees) => line(`${degrees} °C`, { anew: false })));
    await setup.notices.add([line('storm'), line('calm', { anew: false }), line('calmer', { anew: false })]);
    await setup.restart();
    await told();
    expect(texts()).toEqual(['5 °C', 'calmer']);
    expect(calls('chat.update')).toHaveLength(1);
  });

  it('reach one person by direct message, and edit it there', async () => {
    const to = { user: people.alice.id };
    await say(line('for you', { to, anew: false }));
    await say(line('for you, newer', { to, anew: false }));
    expect(
      setup.slack
        .as('alice')
        .notifications()
        .map(({ text }) => text),
    ).toEqual(['for you, newer']);
    expect(posted()).toEqual([]);
  });

  it('stand in the thread of a run where they say so', async () => {
    const run = setup.door.add(sampleRun({ requester: { id: people.alice.id, name: 'alice' } }));
    await until(() => posted().length > 0);
    await say(line('about it', { thread: run.id }), line('about nothing', { thread: 'run-unknown', topic: 'x' }));
    const [card] = posted();
    expect(posted().find(({ text }) => text === 'about it')?.threadTs).toBe(card?.ts);
    expect(posted().find(({ text }) => text === 'about nothing')?.threadTs).toBeNull();
  });

  it('can neither mention nor link', async () => {
    await say(line('<!channel> <https://evil.example|`x`> see `/tas runs`'));
    expect(JSON.stringify(posted()[0]?.blocks)).not.toMatch(/<!channel>|<https/);
    expect(JSON.stringify(posted()[0]?.blocks)).toContain('`/tas runs`');
  });

  it('call people who are needed', async () => {
    const content: PageNotice = {
      kind: 'page',
      state: 'raised',
      environment: 'production',
      severity: 'critical',
      summary: 'production is not well',
      advice: 'Look at it.',
      runId: null,
      users: [people.bob.id],
      note: null,
    };
    await say({ topic: 'page:x', to: channel, anew: true, once: 'page:x:1', content });
    expect(setup.slack.as('bob').notifications()).toHaveLength(1);
  });

  it('that another version of the bot added are passed over, and said so in the log', async () => {
    setup.notices.all.push({ ...line('?'), id: 1, at: new Date().toISOString(), content: null });
    await say(line('after it'));
    expect(texts()).toEqual(['after it']);
    expect(setup.logged.join()).toContain('does not know');
  });
});

describe('a picture', () => {
  const image = { png: Buffer.from('89504e470d0a1a0a', 'hex'), shows: 'three checks failed, two fewer than yesterday' };

  it('stands under the words, with what it shows for those who do not see it', async () => {
    await say(line('validation', { image }));
    const block = posted()[0]?.blocks.at(-1) as unknown as { slack_file: { id: string }; alt_text: string };
    expect(block.alt_text).toBe(image.shows);
    expect(setup.slack.file(block.slack_file.id)?.content).toEqual(image.png);
  });

  it('is left out where the app may not upload', async () => {
    setup.slack.failOnce('files.getUploadURLExternal', 'missing_scope');
    await say(line('validation', { image }));
    expect(texts()).toEqual(['validation']);
    expect(JSON.stringify(posted()[0]?.blocks)).not.toContain('slack_file');
  });

  it('that Slack has not looked at yet is shown a moment later', async () => {
    setup.slack.failOnce('chat.postMessage', 'invalid_blocks');
    await say(line('validation', { image }));
    expect(posted()).toHaveLength(1);
    expect(JSON.stringify(posted()[0]?.blocks)).toContain('slack_file');
  });
});

describe('exactly once', () => {
  it.each(['in the channel', 'to a person'])('holds %s for a post that was made and not recorded', async (place) => {
    let died = false;
    setup.outbox.beforeFinish = () => {
      if (died) return;
      died = true;
      throw new Error('killed between the post and its record');
    };
    const to = place === 'to a person' ? { user: people.alice.id } : channel;
    await setup.notices.add([line('rain', { to })]);
    await until(() => died);
    await setup.front.stop();
    await setup.restart();
    await told();
    const all = setup.slack.workspace.messages.filter(({ text }) => text === 'rain');
    expect(all).toHaveLength(1);
  });

  it('holds for an answer that got lost', async () => {
    setup.slack.loseAnswerOnce('chat.postMessage');
    await say(line('rain'));
    expect(texts()).toEqual(['rain']);
  });
});

describe('what Slack refuses', () => {
  it.each([
    ['a channel that is not there', { channel: 'no-such-channel' }, 'channel_not_found'],
    ['a person who is gone', { user: 'U0NOBODY0' }, 'user_not_found'],
  ])('for ever is kept with its word and does not block the others: %s', async (_, to, word) => {
    await say(line('nobody reads this', { to }), line('others do'));
    expect(texts()).toEqual(['others do']);
    expect([...setup.notices.refused]).toEqual([[1, word]]);
    expect(setup.logged.join()).toContain(word);
  });

  it('in an archived channel does not block the others', async () => {
    const general = setup.slack.workspace.channel('general');
    if (general) general.isArchived = true;
    await say(line('nobody reads this', { to: { channel: general?.id ?? '' } }), line('others do'));
    expect(texts()).toEqual(['others do']);
    expect([...setup.notices.refused]).toEqual([[1, 'is_archived']]);
  });

  it('because of a wrong token is tried again, and nothing is lost', async () => {
    setup.slack.failOnce('chat.postMessage', 'token_expired');
    await say(line('rain'));
    expect(texts()).toEqual(['rain']);
    expect(setup.notices.refused.size).toBe(0);
  });
});

describe('a message that somebody deleted', () => {
  it('is posted anew once, and then left alone', async () => {
    const { workspace } = setup.slack;
    await say(line('rain', { anew: false }));
    const first = posted()[0];
    if (first) workspace.remove(first);
    await say(line('wind', { anew: false }));
    expect(texts()).toEqual(['wind']);
    const second = posted()[0];
    if (second) workspace.remove(second);
    await say(line('hail', { anew: false }), line('end', { topic: 'other' }));
    expect(texts()).toEqual(['end']);
  });

  it('is posted anew where it is the card of a run', async () => {
    const { slack, door } = setup;
    const run = door.add(sampleRun({ requester: { id: people.alice.id, name: 'alice' } }));
    await until(() => posted().some(({ threadTs }) => threadTs !== null));
    const card = posted().find(({ threadTs }) => threadTs === null);
    if (card) slack.workspace.remove(card);
    door.change(run.id, { status: 'queued' }, 'approved', null);
    await until(() => posted().some(({ threadTs, ts }) => threadTs === null && ts !== card?.ts));
    door.change(run.id, { status: 'running', startedAt: new Date().toISOString() }, 'started', null);
    await until(() => posted().some(({ text, threadTs }) => threadTs === null && text.includes('running')));
    expect(posted().filter(({ threadTs }) => threadTs === null)).toHaveLength(1);
  });
});
