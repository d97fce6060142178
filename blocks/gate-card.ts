import type { Run, StepGate } from '../src/runs/run.ts';
import { voteLines } from './approval-card.ts';
import { type Beside, nothingBeside, runLink } from './beside.ts';
import { button, confirm, type Tokens } from './button.ts';
import { type Called, mentionAll } from './called.ts';
import { bare, code, plain } from './escape.ts';
import { stepEvidence } from './evidence.ts';
import { fitCard } from './fit.ts';
import { actions, context, type Message, section } from './message.ts';
import { nextOfStep } from './next.ts';
import { sayCount, sayEffect, sayHeadline } from './say.ts';
import { clockTime } from './when.ts';

const shownSamples = 5;
const words: Readonly<Record<StepGate['state'], string>> = {
  open: 'waits for votes',
  approved: '✓ approved',
  rejected: '✗ rejected',
  replaced: '∅ out of date: it was asked for anew, or the run was stopped',
};

/** The vote on one step of a paused run: exactly what that step would do now. Buttons only while it is open. */
export function gateCard(
  run: Run,
  gate: StepGate,
  tokens: Tokens,
  called: Called,
  { link, outlook }: Beside = nothingBeside,
): Message {
  const { step } = gate;
  const open = run.control.ballot?.id === gate.id;
  const environment = bare(run.environment, 40).toUpperCase();
  const what = `${plain(run.environment, 60).toUpperCase()} · ${sayEffect(step)} · ${plain(step.title, 160)}`;
  const calls = mentionAll(called);
  const asks = open
    ? `${nextOfStep(gate, outlook)}\n${calls === '' ? '' : `${calls} please vote · `}votes until ${clockTime(gate.expiresAt)}, ${gate.votesNeeded} needed`
    : words[gate.state === 'open' ? 'replaced' : gate.state];
  const undo = step.undoClass === 'one-way' ? ' It CANNOT be undone.' : '';
  const text = `${bare(step.title, 100)} in ${environment}: ${sayEffect(step)} records.${undo}`;
  return fitCard({
    text: `${open ? 'A step waits for a vote' : 'A vote on a step'}: ${what}`,
    head: [
      section(
        `*${what}*\nThe run stands still before this step: ${plain(sayHeadline(run), 300)}. This is what it would do now, ${sayCount(step.count)} records.`,
      ),
      context(`${asks} · ${runLink(run.id, link)} · ${code(gate.digest.slice(0, 12))}`),
    ],
    body: [
      section(step.system === null ? '*the bot itself*' : `*${plain(step.system, 60)}*`),
      ...stepEvidence(step, shownSamples),
    ],
    tail: [
      ...voteLines(gate.votes),
      ...(open
        ? actions([
            button('approve', tokens, {
              style: 'primary',
              confirm: confirm(
                `Approve for ${environment}?`,
                text,
                'Approve',
                step.effect === 'destroys' ? 'danger' : 'primary',
              ),
            }),
            button('reject', tokens, { style: 'danger' }),
            button('details', tokens),
          ])
        : []),
    ],
  });
}
