import type { Outlook } from '../src/runs/outlook.ts';
import type { Run } from '../src/runs/run.ts';
import { sayAtAGlance } from './at-a-glance.ts';
import { button, confirm, type Tokens } from './button.ts';
import { type Called, mentionAll } from './called.ts';
import { bare, code, mentionUser, plain } from './escape.ts';
import { planEvidence } from './evidence.ts';
import { fitCard } from './fit.ts';
import { actions, type Block, context, type Message, section } from './message.ts';
import { nextOfPlan } from './next.ts';
import { sayAbout, sayCount, sayHeadline, sayTotals } from './say.ts';
import { clockTime } from './when.ts';

/** The card that people vote on. Its first lines say it all on a phone; below them is the evidence. */
export function approvalCard(run: Run, tokens: Tokens, called: Called, outlook: Outlook | null = null): Message {
  const headline = plain(sayHeadline(run));
  const glance = plain(sayAtAGlance(run));
  const calls = mentionAll(called);
  const asked = `${mentionUser(run.requester.id)} asks; votes until ${clockTime(run.expiresAt)}`;
  const head: Block[] = [
    section(
      `*${headline}*\n${glance}\n${plain(run.plan.title, 200)}${run.reason === null ? '' : `\n“${plain(run.reason, 500)}”`}`,
    ),
    ...undoByItself(run),
    context(`${nextOfPlan(run, outlook)}\n${calls === '' ? '' : `${calls} please vote · `}${asked} · ${code(run.id)}`),
  ];
  const tail = [
    ...voteLines(run.votes),
    ...actions([
      button('approve', tokens, { style: 'primary', confirm: approveDialog(run) }),
      button('reject', tokens, { style: 'danger' }),
      button('details', tokens),
      button('samples', tokens),
      button('cancel', tokens, { confirm: withdrawDialog(run) }),
    ]),
  ];
  return fitCard({
    text: `Approval wanted: ${headline} · ${glance}`,
    head,
    body: planEvidence(run.plan, 'card'),
    tail,
  });
}

/** What else the vote covers. */
function undoByItself({ plan }: Run): Block[] {
  if (plan.undoAfterMinutes === undefined) return [];
  return [
    context(
      `If it stops while services are down and nobody decides within ${plan.undoAfterMinutes} min, it undoes itself: your vote covers that.`,
    ),
  ];
}

/** One line for each vote so far. */
export function voteLines(votes: Run['votes']): Block[] {
  if (votes.length === 0) return [];
  const lines = votes.slice(0, 10).map((vote) => {
    const yes = vote.countsFrom === undefined ? '✓ approved by' : '🔨 approved by break-glass by';
    const word = vote.choice === 'approve' ? yes : '✗ rejected by';
    const reason = vote.reason === null ? '' : `: “${plain(vote.reason, 300)}”`;
    return `${word} ${mentionUser(vote.voter.id)} at ${clockTime(vote.at)}${reason}`;
  });
  return [context(lines.join('\n'))];
}

/** Against a tap on the wrong line. */
export function withdrawDialog(run: Run) {
  const text = 'It will not start. Whoever wants it asks for it again. Nothing was changed.';
  return confirm(`Withdraw it from ${bare(run.environment, 40).toUpperCase()}?`, text, 'Withdraw', 'danger');
}

function approveDialog(run: Run) {
  const { destroys } = run.plan.totals;
  const title = `Approve for ${bare(run.environment, 40).toUpperCase()}?`;
  const undo = run.plan.undoClass === 'one-way' ? ' Part of it CANNOT be undone.' : '';
  const text = `${bare(sayAbout(run.plan), 80)} in ${bare(run.environment, 40).toUpperCase()}: ${sayTotals(run.plan)}. It destroys ${sayCount(destroys)} records.${undo}`;
  return confirm(title, text, 'Approve', destroys > 0 || undo !== '' ? 'danger' : 'primary');
}
