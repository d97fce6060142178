import type { Preview } from '../src/runs/door.ts';
import { code, plain } from './escape.ts';
import { planEvidence, type Scope } from './evidence.ts';
import { context, type Message, section } from './message.ts';
import { sayAbout, sayTotals, undoWords } from './say.ts';

/** What a migration would do, for the person who wants to know: there is no run, so nothing to vote on. */
export function planMessage({ plan, votesNeeded, refused }: Preview, scope: Scope): Message {
  const totals = sayTotals(plan);
  const what = totals === '' ? 'changes nothing' : `${totals} · ${undoWords[plan.undoClass]}`;
  const headline = plain(`${plan.environment.toUpperCase()} · ${sayAbout(plan)} · ${what}`, 400);
  const canary = plan.canary === null ? '' : ` canary:${plan.canary}`;
  const ask = code(`/tas migrate ${plan.subject} env:${plan.environment}${canary}`, 300);
  const votes = votesNeeded === 0 ? 'no vote' : `${votesNeeded} ${votesNeeded === 1 ? 'vote' : 'votes'} of others`;
  const failed = plan.findings.filter((finding) => finding.status === 'failed').length;
  const verdict = refused
    ? `✗ Asked for now it is refused: ${failed} ${failed === 1 ? 'finding' : 'findings'} failed.`
    : `Asked for now it needs ${votes}: ${ask}`;
  return {
    text: `Plan: ${headline}`,
    blocks: [
      section(`*Plan: ${headline}*\n${plain(plan.title, 200)}\n${verdict}`),
      ...planEvidence(plan, scope),
      context('Only looked at: nothing was stored, and no store was written to.'),
    ],
  };
}
