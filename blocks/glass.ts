import type { Run } from '../src/runs/run.ts';
import { voteLines } from './approval-card.ts';
import { type Beside, nothingBeside, runLink } from './beside.ts';
import { button, confirm, type Tokens } from './button.ts';
import { type Called, mentionAll } from './called.ts';
import { bare, code, plain } from './escape.ts';
import { planEvidence } from './evidence.ts';
import { fitCard } from './fit.ts';
import { actions, context, type Message, section } from './message.ts';
import { sayAbout, sayHeadline, sayMany, sayTotals } from './say.ts';
import { clockTime } from './when.ts';

/** What somebody sees, alone, before he approves by break-glass: exactly what would run, and what it means to do so. */
export function glassCard(
  run: Run,
  tokens: Tokens,
  { reason, vetoMinutes }: { readonly reason: string; readonly vetoMinutes: number },
  { link }: Beside = nothingBeside,
): Message {
  const headline = plain(sayHeadline(run));
  const environment = bare(run.environment, 40).toUpperCase();
  const dialog = confirm(
    `Break the glass for ${environment}?`,
    `${bare(sayAbout(run.plan), 80)}: ${sayTotals(run.plan)}. The channel reads your name and your reason, and whoever is on call is woken.`,
    'Break the glass',
    'danger',
  );
  return fitCard({
    text: `Break-glass: ${headline}`,
    head: [
      section(`🔨 *Break-glass: ${headline}*\n${plain(run.plan.title, 200)}\nYour reason: “${plain(reason, 500)}”`),
      context(
        `For an emergency in which no approver can be reached. It counts ${sayMany(vetoMinutes, 'minute')} after it, unless an approver rejects it or an operator withdraws the run before. ${runLink(run.id, link)}`,
      ),
    ],
    body: planEvidence(run.plan, 'card'),
    tail: [...voteLines(run.votes), ...actions([button('glass', tokens, { style: 'danger', confirm: dialog })])],
  });
}

/** The post when somebody broke the glass: whoever can say no has to see it. */
export function glassBrokenMessage(run: Run, text: string, called: Called, link: string | null = null): Message {
  const headline = plain(sayHeadline(run));
  const calls = mentionAll(called);
  const counts = run.votes.findLast(({ countsFrom }) => countsFrom !== undefined)?.countsFrom;
  const from = counts === undefined ? 'it counts soon' : `it counts from ${clockTime(counts)} on`;
  const say = `${code(`/tas reject ${run.id} reason:"…"`)}, [Reject…] or [Withdraw…] on its card`;
  return {
    text: `Glass broken: ${headline}`,
    blocks: [
      section(
        `🔨🚨 *Glass broken: ${headline}*\nApproved without an approver. ${plain(text, 800)}\n${calls === '' ? '' : `${calls} please look: `}${from} and then starts by itself, unless somebody says no: ${say} · ${runLink(run.id, link)}`,
      ),
    ],
  };
}
