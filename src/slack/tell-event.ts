import { doneCard } from '../../blocks/done-card.ts';
import { notStarted } from '../../blocks/ended-card.ts';
import { planEvidence } from '../../blocks/evidence.ts';
import { failureCard } from '../../blocks/failure-card.ts';
import { pages } from '../../blocks/fit.ts';
import { type Message, sections } from '../../blocks/message.ts';
import { lostMessage, pausedMessage, threadLine } from '../../blocks/notices.ts';
import { conflictLine } from '../../blocks/rollback-report.ts';
import { runCard } from '../../blocks/run-card.ts';
import type { Door } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import type { Clock } from '../shared/clock.ts';
import type { ButtonTokens } from './button-tokens.ts';
import { createGateTeller } from './gate-teller.ts';
import type { Identity } from './identity.ts';
import { aboutRun, type PostOnce } from './post-once.ts';
import type { SlackCalls } from './slack-calls.ts';
import type { Telling } from './tellings.ts';
import type { Unpostable } from './unpostable.ts';

/** Makes the messages of a run and posts or edits them. */
export interface EventTeller {
  /** Posts the run's message, or brings it up to date. */
  card(run: Run): Promise<void>;
  tell(telling: Exclude<Telling, { kind: 'card' }>, run: Run): Promise<void>;
}

const mostPages = 3;
const shownConflicts = 300;

export function createEventTeller(deps: {
  readonly door: Pick<Door, 'environments' | 'conflicts'>;
  readonly calls: Pick<SlackCalls, 'channelId' | 'update'>;
  readonly posts: PostOnce;
  readonly tokens: ButtonTokens;
  readonly identity: Pick<Identity, 'approvers'>;
  readonly unpostable: Unpostable;
  readonly clock: Clock;
}): EventTeller {
  const { door, calls, posts, tokens, identity, clock } = deps;
  const gates = createGateTeller(deps);
  /** The newest failure post of each run, so that its buttons go when the run goes on. */
  const failures = new Map<string, { readonly channel: string; readonly ts: string }>();

  const channelOf = (run: Run): Promise<string> => {
    const environment = door.environments.find(({ name }) => name === run.environment);
    return calls.channelId(environment?.channel ?? run.environment);
  };

  async function clearFailure(run: Run): Promise<void> {
    const post = failures.get(run.id);
    if (post === undefined || run.status === 'parked') return;
    failures.delete(run.id);
    await calls.update(post.channel, post.ts, failureCard(run, {}, clock.now()));
  }

  async function inThread(run: Run, name: string, message: Message): Promise<void> {
    const card = await posts.find(aboutRun(run), 'card');
    if (card === null) return;
    const all = `\`npx tas runs ${run.id}\` in a terminal shows all`;
    for (const [index, page] of pages(message, mostPages, all).entries()) {
      await posts.post(aboutRun(run), index === 0 ? name : `${name}-${index + 1}`, card.channel, page, card.ts);
    }
  }

  async function showCard(run: Run): Promise<void> {
    const message = runCard(run, await tokens.ofRun(run), await identity.approvers(), clock.now());
    const posted = await posts.post(aboutRun(run), 'card', await channelOf(run), message, null);
    if (!posted.fresh) await posts.edit(aboutRun(run), 'card', posted, message);
    await clearFailure(run);
  }

  async function inChannel(run: Run, name: string, message: Message): Promise<void> {
    await posts.post(aboutRun(run), name, await channelOf(run), message, null);
  }

  async function tell(telling: Exclude<Telling, { kind: 'card' }>, run: Run): Promise<void> {
    const { name } = telling;
    if (telling.kind === 'line') return inThread(run, name, threadLine(telling.mark, telling.text));
    if (telling.kind === 'plan') {
      const blocks = planEvidence(run.plan, 'pages');
      return inThread(run, name, { text: 'What the plan would do', blocks });
    }
    if (telling.kind === 'gates') return gates.show(run, await channelOf(run));
    if (telling.kind === 'lost') return inChannel(run, name, lostMessage(run, telling.text));
    if (telling.kind === 'paused') return inChannel(run, name, pausedMessage(run));
    const conflicts = await door.conflicts(run.id, shownConflicts);
    if (telling.kind === 'conflicts') {
      const blocks = sections(['*Kept as it is*', ...conflicts.conflicts.map(conflictLine)]);
      return conflicts.total === 0 ? undefined : inThread(run, name, { text: 'Kept as it is', blocks });
    }
    const buttons = await tokens.ofRun(run);
    const now = clock.now();
    const message = {
      failed: () => failureCard(run, buttons, now),
      done: () => doneCard(run, buttons, conflicts, now),
      'not-started': () => notStarted(run),
    }[telling.kind]();
    const { channel, ts } = await posts.post(aboutRun(run), name, await channelOf(run), message, null);
    if (telling.kind === 'failed') failures.set(run.id, { channel, ts });
  }

  return {
    card: (run) => deps.unpostable(run, () => showCard(run)),
    tell: (telling, run) => deps.unpostable(run, () => tell(telling, run)),
  };
}
