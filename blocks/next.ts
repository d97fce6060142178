import type { Outlook } from '../src/runs/outlook.ts';
import type { Run, StepGate } from '../src/runs/run.ts';
import { code } from './escape.ts';
import { type Block, context } from './message.ts';
import { sayMany } from './say.ts';
import { clockTime, later, when } from './when.ts';

/** What comes next, as mrkdwn: what is missing, and what then happens by itself. */

const login = '🔑 An approval counts once its voter has logged in: the link comes after the click.';
const minute = 60_000;
const day = 86_400_000;

/** Under a card that waits for votes on its plan. */
export function nextOfPlan(run: Run, outlook: Outlook | null): string {
  return nextLines(`${missingVotes(run)} ${startsBy(run)}`, outlook);
}

/** Under a card that waits for votes on one step. */
export function nextOfStep(gate: Pick<StepGate, 'votes' | 'votesNeeded'>, outlook: Outlook | null): string {
  return nextLines(`${missingVotes(gate)} the run goes on by itself`, outlook);
}

/** For somebody whose vote was not the last one, on whatever waits. */
export function nextOfVote(run: Run): string {
  const gate = run.control.ballot;
  if (gate !== null) return `${missingVotes(gate)} the run goes on by itself`;
  return `${missingVotes(run)} ${startsBy(run)}`;
}

function nextLines(next: string, outlook: Outlook | null): string {
  return `*Next:* ${next}.${outlook?.login ? `\n${login}` : ''}`;
}

/** As many as still have to come; one person counts once. */
function missingVotes({ votes, votesNeeded }: Pick<StepGate, 'votes' | 'votesNeeded'>): string {
  const approvals = new Set(votes.filter(({ choice }) => choice === 'approve').map(({ voter }) => voter.id)).size;
  const missing = votesNeeded - approvals;
  if (missing <= 0) {
    const from = enoughFrom(votes, votesNeeded);
    if (from === '') return 'approved;';
    return `the approval by break-glass counts from ${clockTime(from)} on, unless somebody says no; then`;
  }
  return approvals === 0
    ? `${sayMany(missing, 'vote')} wanted, then`
    : `${sayMany(missing, 'vote')} still missing; then`;
}

/** When as many approvals count as are needed: ISO 8601, empty = now already. Those by break-glass count later. */
function enoughFrom(votes: StepGate['votes'], votesNeeded: number): string {
  const times = votes.filter(({ choice }) => choice === 'approve').map(({ countsFrom = '' }) => countsFrom);
  return times.toSorted()[votesNeeded - 1] ?? '';
}

function startsBy({ plan: { window } }: Run): string {
  if (!window) return 'it starts by itself';
  return `it starts by itself in its window ${when(window.from)} – ${when(window.until)}`;
}

/** A line each; no block where nothing is known. */
export function nextBlocks(lines: readonly string[]): Block[] {
  return lines.length === 0 ? [] : [context(`*Next:* ${lines.join('\n')}`)];
}

/** Of a run that was approved and that no worker has taken up yet. */
export function nextOfStart(run: Run): string {
  const { window } = run.plan;
  const approved = run.votesNeeded > 0 ? 'approved; ' : '';
  if (!window) return `${approved}starts now`;
  return `⏳ ${approved}starts in its maintenance window ${code(window.id)}: ${when(window.from)} – ${when(window.until)}`;
}

/** After the end of what changed something: the watch, the hold, the way on. */
export function nextOfDone(run: Run, outlook: Outlook | null): readonly string[] {
  const { endedAt, plan } = run;
  if (endedAt === null) return [];
  return [
    ...(plan.canary === null ? [] : [`only ${code(plan.canary)} has it: look at it, then continue with everything`]),
    ...watched(endedAt, outlook),
    ...held(run, endedAt),
  ];
}

function watched(endedAt: string, outlook: Outlook | null): readonly string[] {
  if (outlook === null || outlook.watchMinutes === 0) return [];
  const until = clockTime(later(endedAt, outlook.watchMinutes * minute));
  return [`watched for ${sayMany(outlook.watchMinutes, 'minute')}, until ${until}: what is not well is told here`];
}

/** What a run destroyed and kept aside comes back until then; after that somebody gives it up, not the bot by itself. */
function held({ id, plan, undoneBy }: Run, endedAt: string): readonly string[] {
  const aside = plan.stages.some(({ steps }) =>
    steps.some(({ mode, undoClass }) => mode === 'perform' && undoClass === 'reversible-until'),
  );
  if (!aside || undoneBy !== null || plan.holdDays === undefined) return [];
  const until = when(later(endedAt, plan.holdDays * day));
  const after = plan.undoClass === 'one-way' ? 'kept aside' : 'can be undone';
  return [`${after} until ${until}; from then on ${code(`/tas release ${id}`)} gives up what is kept aside`];
}
