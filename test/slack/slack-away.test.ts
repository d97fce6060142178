import { jest } from '@jest/globals';
import { nothingBeside } from '../../blocks/beside.ts';
import type { Message } from '../../blocks/message.ts';
import type { Run } from '../../src/runs/run.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { Secret } from '../../src/shared/secret.ts';
import { createAnnouncer } from '../../src/slack/announce.ts';
import { createButtonTokens } from '../../src/slack/button-tokens.ts';
import { createPostOnce } from '../../src/slack/post-once.ts';
import { SlackBusy, type SlackCalls } from '../../src/slack/slack-calls.ts';
import { createEventTeller } from '../../src/slack/tell-event.ts';
import { createNoticeTeller } from '../../src/slack/tell-notice.ts';
import { createUnpostable } from '../../src/slack/unpostable.ts';
import { fakeDesks } from '../fake-desks.ts';
import { FakeDoor } from '../fake-door.ts';
import { MemoryNotices } from '../memory-notices.ts';
import { sampleRun } from '../sample-run.ts';
import { startFrontOnSlack, until } from './front-on-slack.ts';
import { MemoryOutbox } from './memory-outbox.ts';

const minute = 60_000;

interface Posted {
  message: Message;
  readonly thread: string | null;
  edits: number;
}

/** A channel that can be away: calls fail then, and sometimes after they were carried out. */
class Channel {
  away = false;
  tries = 0;
  readonly posts = new Map<string, Posted & { readonly mark: string }>();
  #count = 0;

  reach(): void {
    this.tries += 1;
    if (this.away) throw new SlackBusy(1, new Error('connection refused'));
  }

  readonly calls: SlackCalls = {
    channelId: async () => 'C1',
    directChannel: async (user) => `D${user}`,
    upload: async () => 'F1',
    link: async () => null,
    updateWindow: async () => '',
    publishHome: async () => undefined,
    post: async (_, message, mark, thread) => {
      this.reach();
      this.#count += 1;
      const ts = `${this.#count}.0`;
      this.posts.set(ts, { message, thread, edits: 0, mark: JSON.stringify(mark) });
      return ts;
    },
    findPost: async (_, mark) => {
      this.reach();
      return [...this.posts].find(([, post]) => post.mark === JSON.stringify(mark))?.[0] ?? null;
    },
    update: async (_, ts, message) => {
      this.reach();
      const post = this.posts.get(ts);
      if (post) Object.assign(post, { message, edits: post.edits + 1 });
    },
    tell: async () => this.reach(),
    openWindow: async () => {
      this.reach();
      return 'V1';
    },
    groupMembers: async () => [],
  };

  texts(thread: boolean): string[] {
    return [...this.posts.values()]
      .filter((post) => (post.thread !== null) === thread)
      .map((post) => post.message.text);
  }
}

function announcerOn(channel: Channel, door: FakeDoor, outbox: MemoryOutbox, notices: MemoryNotices) {
  const logger = createLogger('silent');
  const { calls } = channel;
  const posts = createPostOnce({ outbox, calls, logger });
  const tokens = createButtonTokens(outbox, new Secret('secret'));
  const identity = { approvers: async () => ({ users: [], groups: [] }) };
  const unpostable = createUnpostable(calls, logger);
  const teller = createEventTeller({
    door,
    desks: fakeDesks(),
    calls,
    posts,
    tokens,
    identity,
    beside: async () => nothingBeside,
    unpostable,
    clock: systemClock,
  });
  const checklist = async () => null;
  const noticeTeller = createNoticeTeller({
    links: { to: async () => null, known: () => null },
    tokens: { ofMeaning: async () => 'token' },
    identity: { approvers: async () => ({ users: [], groups: [] }) },
    calls,
    posts,
    outbox,
    notices,
    checklist,
    clock: systemClock,
    logger,
  });
  const mayEdit = async () => {};
  return createAnnouncer({ door, outbox, teller, notices, noticeTeller, mayEdit, clock: systemClock, logger });
}

describe('ten minutes without Slack in the middle of a run', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: new Date('2026-11-20T10:00:00Z') });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('end with the whole story in order, once, edits merged, within a quarter of a minute', async () => {
    const channel = new Channel();
    const door = new FakeDoor();
    const notices = new MemoryNotices();
    const announcer = announcerOn(channel, door, new MemoryOutbox(), notices);
    await announcer.start();
    const run: Run = door.add(sampleRun());
    await jest.advanceTimersByTimeAsync(1_000);
    expect(channel.texts(false)).toHaveLength(1);

    channel.away = true;
    const triesBefore = channel.tries;
    door.change(run.id, { status: 'queued' }, 'approved', null);
    door.change(run.id, { status: 'running', startedAt: new Date().toISOString() }, 'started', null);
    for (let stage = 1; stage <= 10; stage += 1) {
      door.event(run.id, 'stage-started', `stage ${stage}`);
      await notices.add([
        {
          topic: 'watch',
          to: { channel: 'tas-platform' },
          anew: false,
          once: `watch-${stage}`,
          content: { kind: 'line', text: `watched ${stage} min` },
        },
      ]);
      for (let count = 0; count < 60; count += 1) {
        door.event(run.id, 'progress', null);
        await jest.advanceTimersByTimeAsync(minute / 60);
      }
    }
    door.change(run.id, { status: 'done', endedAt: new Date().toISOString() }, 'done', null);
    await jest.advanceTimersByTimeAsync(20_000);
    expect(channel.texts(true)).toEqual(['What the plan would do']);
    // Three streams and the edits, each every 15 s.
    expect(channel.tries - triesBefore).toBeLessThan(4 * (10 * 4 + 20));

    channel.away = false;
    await jest.advanceTimersByTimeAsync(16_000);
    const [card, ...more] = channel.texts(false);
    expect(card).toMatch(/: done/);
    expect(more.toSorted()).toEqual([expect.stringMatching(/^Done/), 'watched 10 min']);
    expect(channel.texts(true)).toEqual([
      'What the plan would do',
      ...Array.from({ length: 10 }, (_, index) => `▶ stage ${index + 1}`),
    ]);
    const edits = [...channel.posts.values()].reduce((sum, post) => sum + post.edits, 0);
    expect(edits).toBeLessThanOrEqual(3);
    await announcer.stop();
  });
});

describe('however Slack is away', () => {
  it.each(['cut', 'refused', 'unavailable', 'silent'] as const)(
    'each thing is told once when it is back: %s',
    async (how) => {
      const setup = await startFrontOnSlack('http');
      const { slack, door, outbox } = setup;
      try {
        slack.goDown(how);
        const run = door.add(sampleRun());
        await until(() => setup.logged.some((line) => line.includes('will try again')));
        door.change(run.id, { status: 'queued' }, 'approved', null);
        door.change(run.id, { status: 'running', startedAt: new Date().toISOString() }, 'started', null);
        door.change(run.id, { status: 'done', endedAt: new Date().toISOString() }, 'done', null);
        slack.comeBack();
        await until(() => outbox.at === door.eventList.length && outbox.threadsAt === outbox.at);
        const texts = slack.messages('tas-platform').map(({ text }) => text);
        expect(texts.filter((text) => text.startsWith('Done'))).toHaveLength(1);
        expect(texts).toHaveLength(3);
      } finally {
        await setup.stop();
      }
    },
    60_000,
  );
});
