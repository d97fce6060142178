import type { Notices } from '../notices/notice.ts';
import { requestersOf } from '../plans/requesters.ts';
import type { Person, Refusal } from '../runs/door.ts';
import { type Gate, mayOperate } from '../runs/gates.ts';
import type { Run } from '../runs/run.ts';
import { refusalOf } from '../runs/submit.ts';
import { disputeKey } from './follow-runs.ts';
import type { PageStore, Pages } from './page.ts';

interface Deps {
  readonly store: Pick<PageStore, 'open'>;
  readonly pages: Pick<Pages, 'resolve'>;
  readonly notices: Pick<Notices, 'add'>;
  readonly channelOf: (environment: string) => string | null;
}

/**
 * Somebody has found out who gave the vote that was disputed: nobody is called for it any more, and the channel is told
 * who says so. Null = it is settled.
 */
export async function settleDispute(deps: Deps, run: Run, person: Person): Promise<Refusal | null> {
  const gate = maySettle(run, person);
  if (!gate.pass) return refusalOf(gate);
  const key = disputeKey(run.id);
  const page = (await deps.store.open(run.environment)).find((open) => open.key === key);
  if (page === undefined) {
    return refusalOf({
      pass: false,
      code: 'stale',
      message: `Nobody is called for a disputed vote on ${run.id}.`,
      advice: '`/tas oncall` shows what somebody is called for. Nothing was changed.',
    });
  }
  const channel = deps.channelOf(run.environment);
  const text = `✓ ${person.name} has looked into the disputed vote on \`${run.id}\` and says that it is settled: nobody is called for it any more.`;
  // Told before it is so: whoever dies in between is told once, and asks again.
  if (channel !== null) {
    await deps.notices.add([
      {
        topic: `settled:${run.id}`,
        to: { channel },
        anew: true,
        once: `settled:${run.id}:${page.version}`,
        content: { kind: 'line', text, runId: run.id },
      },
    ]);
  }
  await deps.pages.resolve(key);
  return null;
}

/** An operator whose account is not in doubt: who asked for the run, and who voted on it, cannot clear themselves. */
function maySettle({ id, votes, control, ...asked }: Run, person: Person): Gate {
  const operator = mayOperate(person);
  if (!operator.pass) return operator;
  const voters = [...votes, ...control.gates.flatMap((gate) => gate.votes)].map(({ voter }) => voter.id);
  if (![...requestersOf(asked), ...voters].includes(person.id)) return operator;
  return {
    pass: false,
    code: 'not-allowed',
    message: `${person.name} had a part in ${id}, and cannot say that the dispute about it is settled.`,
    advice: 'It takes an operator who neither asked for it nor voted on it. Nothing was changed.',
  };
}
