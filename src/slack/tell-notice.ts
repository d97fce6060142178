import { maintenanceMessage } from '../../blocks/maintenance.ts';
import { type Message, withImage } from '../../blocks/message.ts';
import { lineMessage } from '../../blocks/notices.ts';
import { pageMessage } from '../../blocks/oncall.ts';
import { receiptMessage, voteWantedMessage } from '../../blocks/receipt.ts';
import { scheduledReport } from '../../blocks/scheduled-report.ts';
import type { Notice, NoticeContent, NoticeImage, NoticeRecords } from '../notices/notice.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { ButtonTokens } from './button-tokens.ts';
import type { ChecklistTeller } from './checklist-teller.ts';
import type { Identity } from './identity.ts';
import type { Outbox } from './outbox.ts';
import type { About, PostOnce } from './post-once.ts';
import { isOurs } from './refusals.ts';
import type { RunLinks } from './run-links.ts';
import { type SlackCalls, SlackRefused } from './slack-calls.ts';

/** Makes messages of notices and posts or edits them. */
export interface NoticeTeller {
  /** Throws `SlackBusy` when it is to be tried again. What Slack refuses for ever is kept with its word and passed over. */
  tell(notice: Notice): Promise<void>;
}

interface Deps {
  readonly calls: Pick<SlackCalls, 'channelId' | 'directChannel' | 'upload'>;
  readonly posts: PostOnce;
  readonly outbox: Pick<Outbox, 'lastPost'>;
  readonly notices: Pick<NoticeRecords, 'refuse'>;
  readonly checklist: ChecklistTeller;
  readonly links: RunLinks;
  readonly tokens: Pick<ButtonTokens, 'ofMeaning'>;
  readonly identity: Pick<Identity, 'approvers'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createNoticeTeller(deps: Deps): NoticeTeller {
  const { calls, posts, outbox, notices, clock, logger } = deps;

  /** Without the scope for files the words have to do. */
  async function withItsImage(message: Message, image: NoticeImage | undefined): Promise<Message> {
    if (image === undefined) return message;
    try {
      return withImage(message, await calls.upload('chart.png', image.png), image.shows);
    } catch (error) {
      if (!(error instanceof SlackRefused)) throw error;
      logger.warn({ word: error.word }, 'Slack takes no pictures of ours: the scope files:write may be missing');
      return message;
    }
  }

  async function threadOf(notice: Notice, channel: string): Promise<string | null> {
    if (notice.thread === undefined) return null;
    const card = await posts.find({ id: notice.thread, since: notice.at }, 'card');
    if (card !== null) return card.channel === channel ? card.ts : null;
    return (await outbox.lastPost(notice.thread, channel))?.ts ?? null;
  }

  async function show(notice: Notice, content: NoticeContent): Promise<void> {
    if (isOutOfDate(content, clock.now())) return;
    const message = await messageOf(deps, content, notice.at);
    if (message === null) return;
    const { to } = notice;
    const channel = 'user' in to ? await calls.directChannel(to.user) : await calls.channelId(to.channel);
    const about: About = { id: notice.topic, since: notice.at };
    const name = `notice-${notice.id}`;
    const last = notice.anew ? null : await outbox.lastPost(about.id, channel);
    const full = await withItsImage(message, notice.image);
    if (last === null) await posts.post(about, name, channel, full, await threadOf(notice, channel));
    else await posts.edit(about, last.name, { channel, ts: last.ts }, full);
  }

  return {
    async tell(notice) {
      const { id, topic, content } = notice;
      if (content === null) return logger.error({ notice: id, topic }, 'a notice says what this version does not know');
      try {
        await show(notice, content);
      } catch (error) {
        if (!(error instanceof SlackRefused) || isOurs(error.word)) throw error;
        logger.error({ notice: id, topic, word: error.word }, 'Slack does not take a notice: it is kept, not told');
        await notices.refuse(id, error.word);
      }
    },
  };
}

/** Null = there is nothing to say any more. */
async function messageOf(deps: Deps, content: NoticeContent, at: string): Promise<Message | null> {
  const runId = 'runId' in content ? (content.runId ?? null) : null;
  const link = runId === null ? null : await deps.links.to(runId, at);
  switch (content.kind) {
    case 'line':
      return lineMessage(content.text, runId, link);
    case 'page':
      return pageMessage(content, link);
    case 'checklist':
      return deps.checklist(content.runId, at);
    case 'maintenance':
      return maintenanceMessage(content);
    case 'vote-receipt':
      return receiptMessage(content, { dispute: await disputeToken(deps, content) }, link);
    case 'vote-wanted':
      return voteWantedMessage(content, await deps.identity.approvers(), link);
    case 'validation-report':
      return scheduledReport(content, link);
  }
}

function disputeToken({ tokens }: Deps, { runId, digest }: { runId: string; digest: string }): Promise<string> {
  return tokens.ofMeaning({ action: 'dispute', runId, digest, words: null });
}

function isOutOfDate(content: NoticeContent, now: Date): boolean {
  if (content.kind !== 'maintenance' || content.trueUntil === null) return false;
  return Date.parse(content.trueUntil) <= now.getTime();
}

/** Those that still have to be told: one that the next on its topic at its place would edit over is left out. */
export function merged(notices: readonly Notice[]): readonly Notice[] {
  const next = new Map<string, Notice>();
  return notices
    .toReversed()
    .filter((notice) => {
      const place = JSON.stringify([notice.topic, notice.to]);
      const after = next.get(place);
      next.set(place, notice);
      return after === undefined || after.anew || notice.anew;
    })
    .toReversed();
}
