import { doneCard } from '../../blocks/done-card.ts';
import { notStarted } from '../../blocks/ended-card.ts';
import { planEvidence } from '../../blocks/evidence.ts';
import { failureCard } from '../../blocks/failure-card.ts';
import { pages } from '../../blocks/fit.ts';
import { glassBrokenMessage } from '../../blocks/glass.ts';
import { type Message, sections } from '../../blocks/message.ts';
import { disputedMessage, lostMessage, pausedMessage, threadLine } from '../../blocks/notices.ts';
import { conflictLine } from '../../blocks/rollback-report.ts';
import { runbookNote } from '../../blocks/runbook.ts';
import type { Desks } from '../../commands/desks.ts';
import { readFailureFacts } from '../../commands/failure-facts.ts';
import type { Door } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import type { Clock } from '../shared/clock.ts';
import type { ButtonTokens } from './button-tokens.ts';
import { createGateTeller } from './gate-teller.ts';
import type { Identity } from './identity.ts';
import { aboutRun, type PostOnce } from './post-once.ts';
import { createRunCards } from './run-cards.ts';
import type { BesideRun } from './run-links.ts';
import { createRunPosts } from './run-posts.ts';
import type { SlackCalls } from './slack-calls.ts';
import type { Telling } from './tellings.ts';
import type { Unpostable } from './unpostable.ts';

/** Makes the messages of a run and posts or edits them. */
export interface EventTeller {
  /** Posts the run's message where there is none; true = it did. */
  open(run: Run): Promise<boolean>;
  /** Brings the run's message up to date where there is one. */
  card(run: Run): Promise<void>;
  tell(telling: Exclude<Telling, { kind: 'card' }>, run: Run): Promise<void>;
}

const mostPages = 3;
const shownConflicts = 300;

export function createEventTeller(deps: {
  readonly door: Pick<Door, 'environments' | 'conflicts' | 'status'>;
  readonly desks: Pick<Desks, 'runbooks' | 'oncall' | 'outlooks'>;
  readonly calls: Pick<SlackCalls, 'channelId' | 'directChannel' | 'update'>;
  readonly posts: PostOnce;
  readonly tokens: ButtonTokens;
  readonly identity: Pick<Identity, 'approvers'>;
  readonly beside: BesideRun;
  readonly unpostable: Unpostable;
  readonly clock: Clock;
}): EventTeller {
  const { door, posts, tokens, clock } = deps;
  const gates = createGateTeller(deps);
  const places = createRunPosts(deps);
  const { channelOf, inChannel } = places;
  const cards = createRunCards({ ...deps, places, gates });
  async function inThread(run: Run, name: string, message: Message): Promise<void> {
    const card = await posts.find(aboutRun(run), 'card');
    if (card === null) return;
    const all = `\`npx tas runs ${run.id}\` in a terminal shows all`;
    for (const [index, page] of pages(message, mostPages, all).entries()) {
      await posts.post(aboutRun(run), index === 0 ? name : `${name}-${index + 1}`, card.channel, page, card.ts);
    }
  }

  async function tell(telling: Exclude<Telling, { kind: 'card' }>, run: Run): Promise<void> {
    const { name } = telling;
    if (telling.kind === 'line') return inThread(run, name, threadLine(telling.mark, telling.text));
    if (telling.kind === 'plan') {
      const blocks = planEvidence(run.plan, 'pages');
      return inThread(run, name, { text: 'What the plan would do', blocks });
    }
    if (telling.kind === 'runbook') return inThread(run, name, runbookNote(deps.desks.runbooks.of(run)));
    if (telling.kind === 'gates') return gates.open(run, await channelOf(run));
    const beside = await deps.beside(run);
    const { link } = beside;
    if (telling.kind === 'lost') return void (await inChannel(run, name, lostMessage(run, telling.text, link)));
    if (telling.kind === 'disputed') return void (await inChannel(run, name, disputedMessage(run, telling.text, link)));
    if (telling.kind === 'glass-broken')
      return void (await inChannel(
        run,
        name,
        glassBrokenMessage(run, telling.text, await deps.identity.approvers(), link),
      ));
    if (telling.kind === 'paused') return void (await inChannel(run, name, pausedMessage(run, link)));
    const facts = telling.kind === 'failed' ? await readFailureFacts(deps, run) : null;
    const conflicts = await door.conflicts(run.id, shownConflicts);
    if (telling.kind === 'conflicts') {
      const blocks = sections(['*Kept as it is*', ...conflicts.conflicts.map(conflictLine)]);
      return conflicts.total === 0 ? undefined : inThread(run, name, { text: 'Kept as it is', blocks });
    }
    const buttons = await tokens.ofRun(run);
    const now = clock.now();
    const message = {
      failed: () => failureCard(run, buttons, now, facts, link),
      done: () => doneCard(run, buttons, conflicts, now, beside),
      'not-started': () => notStarted(run, link),
    }[telling.kind]();
    const posted = await inChannel(run, name, message);
    if (telling.kind === 'failed') cards.failed(run, posted);
  }

  return {
    async open(run) {
      let fresh = false;
      await deps.unpostable(run, async () => {
        fresh = await cards.open(run);
      });
      return fresh;
    },
    card: (run) => deps.unpostable(run, () => cards.show(run)),
    tell: (telling, run) => deps.unpostable(run, () => tell(telling, run)),
  };
}
