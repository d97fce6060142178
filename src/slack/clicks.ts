import { checklistWindow } from '../../blocks/checklist.ts';
import { failureCard } from '../../blocks/failure-card.ts';
import { refusedWindow } from '../../blocks/message-window.ts';
import { staleMessage } from '../../blocks/notices.ts';
import { rejectWindow } from '../../blocks/reject-window.ts';
import type { Reply } from '../../commands/command.ts';
import type { Desks } from '../../commands/desks.ts';
import type { Door } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import type { Clock } from '../shared/clock.ts';
import type { AskWindows } from './ask-windows.ts';
import type { Ask } from './asks.ts';
import type { ButtonTokens } from './button-tokens.ts';
import { checklistTools, readBoxes } from './checklist-boxes.ts';
import type { Home } from './home.ts';
import type { Identity, SlackUser } from './identity.ts';
import type { Answerer, Handlers } from './listen.ts';
import { openDetails, openSamples } from './open-details.ts';
import { openThen } from './open-then.ts';
import type { ButtonMeaning, Outbox } from './outbox.ts';
import { renderReply } from './render-reply.ts';
import type { ClickRequest } from './requests.ts';
import type { BesideRun } from './run-links.ts';
import { type SlackCalls, SlackRefused } from './slack-calls.ts';

interface ClickDeps {
  readonly door: Door;
  readonly desks: Pick<Desks, 'checklists'>;
  readonly identity: Identity;
  readonly outbox: Pick<Outbox, 'button'>;
  readonly calls: Pick<SlackCalls, 'openWindow' | 'updateWindow' | 'update'>;
  readonly tokens: ButtonTokens;
  readonly beside: BesideRun;
  readonly ask: Ask;
  readonly home: Pick<Home, 'show'>;
  readonly windows: Pick<AskWindows, 'open'>;
  readonly clock: Clock;
}

/** What clicks and windows do. A token leads to its meaning in storage; the rest of a click proves nothing. */
export function createClicks(deps: ClickDeps): Pick<Handlers, 'click' | 'reason'> {
  return {
    async click(request, answer) {
      const meaning = await deps.outbox.button(request.token);
      if (meaning === null) return answer.tell([staleMessage('The bot does not know this button any more.')]);
      if (meaning.action === 'environment' || meaning.action === 'ask') {
        return deps.ask(request.user, meaning.words ?? '', answer, true);
      }
      if (meaning.action === 'window') return deps.windows.open(request);
      if (meaning.action === 'home') return deps.home.show(request.user);
      const run = meaning.runId === null ? null : await deps.door.run(meaning.runId);
      if (run === null) return answer.tell([staleMessage('The run of this button is gone.')]);
      await runClick(deps, meaning, run, request, answer);
    },
    async reason({ user, token, reason }, answer) {
      const meaning = await deps.outbox.button(token);
      if (meaning === null || meaning.runId === null || meaning.action !== 'reject') {
        return answer.tell([staleMessage('The bot does not know this window any more.')]);
      }
      await vote(deps, user, meaning, 'reject', reason, answer);
    },
  };
}

async function runClick(
  deps: ClickDeps,
  meaning: ButtonMeaning,
  run: Run,
  request: ClickRequest,
  answer: Answerer,
): Promise<void> {
  const { door, calls, identity } = deps;
  switch (meaning.action) {
    case 'approve':
      return vote(deps, request.user, meaning, 'approve', null, answer);
    case 'glass':
      return vote(deps, request.user, meaning, 'approve', meaning.words, answer);
    case 'reject':
      // The trigger is good for three seconds: the window opens before anything else is asked.
      if (run.status === 'planned' || run.control.ballot !== null) {
        await calls.openWindow(request.triggerId, rejectWindow(run, request.token));
        return;
      }
      return answer.tell([staleMessage(`Run ${run.id} no longer waits for votes: it is ${run.status}.`)]);
    case 'details':
      return openDetails(deps, run.id, async () => run, request);
    case 'samples':
      return openSamples(deps, run, request);
    case 'retry':
    case 'keep': {
      const person = await identity.person(request.user, 'command');
      const outcome = await door[meaning.action](run.id, person);
      await clearButtons(deps, run.id, request);
      if ('kind' in outcome) return show(deps, outcome, answer);
      return show(deps, { kind: meaning.action === 'retry' ? 'retried' : 'kept', run: outcome }, answer);
    }
    case 'pause':
    case 'resume':
    case 'stop':
    case 'cancel':
    case 'dispute':
    case 'slower':
    case 'faster': {
      const { action: what, words } = meaning;
      const person = await identity.person(request.user, 'command');
      const seen = words === null ? null : Number(words);
      const outcome = await door.control({ runId: run.id, what, person, seen });
      return show(deps, 'kind' in outcome ? outcome : { kind: 'controlled', what, run: outcome }, answer);
    }
    case 'checklist':
      return openThen(calls, request.triggerId, run.id, async () => {
        const person = await identity.person(request.user, 'command');
        const view = await deps.desks.checklists.show({ runId: run.id, environment: null }, person);
        if ('kind' in view) return refusedWindow(run.id, view);
        return checklistWindow(view, await checklistTools(deps.tokens, view, true));
      });
    case 'boxes':
      return tickBoxes(deps, meaning, run.id, request, answer);
    case 'continue':
      return deps.ask(request.user, `migrate ${run.plan.subject} env:${run.environment}`, answer);
    case 'undo':
      return deps.ask(request.user, `rollback ${run.id}`, answer);
    case 'environment':
    case 'ask':
    case 'window':
    case 'home':
      return;
  }
}

/** Who may tick sees it in the checklist itself, and in the window where he did; anybody else is told why not. */
async function tickBoxes(
  deps: ClickDeps,
  meaning: ButtonMeaning,
  runId: string,
  { user, token, selected, sentAt, viewId }: ClickRequest,
  answer: Answerer,
): Promise<void> {
  const { desks, identity, calls, tokens } = deps;
  const { items, ticked, approver } = readBoxes(meaning.words);
  const person = await identity.person(user, approver ? 'vote' : 'command');
  const chosen = items.filter((_, place) => selected?.includes(String(place)));
  const outcome = await desks.checklists.click(
    { runId, token, boxes: items, shown: ticked, selected: chosen, sentAt },
    person,
  );
  const view = viewId === null ? null : await desks.checklists.read(runId);
  if (view !== null && viewId !== null) {
    const window = checklistWindow(view, await checklistTools(tokens, view, true));
    // Closed meanwhile: what was ticked counts all the same.
    await calls.updateWindow(viewId, window).catch((error: unknown) => {
      if (!(error instanceof SlackRefused)) throw error;
    });
  }
  if (outcome.kind === 'refused') await show(deps, outcome, answer);
}

/** Retry and Keep stand on a failure card only: it loses them as soon as the run has moved on. */
async function clearButtons(
  { door, calls, beside, clock }: ClickDeps,
  runId: string,
  request: ClickRequest,
): Promise<void> {
  const run = await door.run(runId);
  if (run === null || run.status === 'parked' || request.message === null) return;
  const { link } = await beside(run);
  await calls.update(request.message.channel, request.message.ts, failureCard(run, {}, clock.now(), null, link));
}

/** The digest is the one that the card showed, as it was stored with the button. */
async function vote(
  deps: ClickDeps,
  user: SlackUser,
  meaning: ButtonMeaning,
  choice: 'approve' | 'reject',
  reason: string | null,
  answer: Answerer,
): Promise<void> {
  const breaks = meaning.action === 'glass';
  const person = await deps.identity.person(user, breaks ? 'break-glass' : 'vote');
  const runId = meaning.runId ?? '';
  const glass = breaks ? { breaksGlass: true as const } : {};
  const outcome = await deps.door.vote({ runId, digest: meaning.digest ?? '', person, choice, reason, ...glass });
  if (outcome.kind !== 'counted') return show(deps, outcome, answer);
  return show(deps, { kind: 'voted', run: outcome.run, choice, decision: outcome.decision }, answer);
}

async function show(deps: ClickDeps, reply: Reply, answer: Answerer): Promise<void> {
  await answer.tell(await renderReply(reply, { ...deps, now: deps.clock.now() }));
}
