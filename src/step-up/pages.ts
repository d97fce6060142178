import { sayEffect, sayHeadline, sayTotals, sayUtc, undoWords } from '../../blocks/say.ts';
import type { VoteOutcome } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import type { FailureReport } from '../shared/failure.ts';
import type { Confirmation } from './confirmation.ts';
import type { Page } from './page.ts';

const notCounted = 'The vote was not counted.';
const again = 'To vote, press Approve in Slack again (or write “npx tas approve”): that gives a new link.';

/** Null = what was to be approved is not what waits for votes now. */
export function askPage(run: Run, { digest, person, expiresAt }: Confirmation): Page | null {
  const gate = run.control.ballot;
  const step = gate?.digest === digest ? gate.step : null;
  if (step === null && (run.status !== 'planned' || run.digest !== digest)) return null;
  const { plan } = run;
  const effect = step === null ? sayTotals(plan) || 'reads' : sayEffect(step);
  return {
    status: 200,
    title: 'Confirm your approval',
    lines: [
      `${person.name}, you approved this in the bot. It counts once you have logged in for it; nobody else can do that for you.`,
      'If you did not press Approve, close this page and tell your platform team: somebody may be using your account.',
    ],
    facts: [
      ['Environment', run.environment.toUpperCase()],
      ['What', plan.title],
      ...(step === null ? [] : [['Step', step.title] as const]),
      ['Does', effect],
      ['Undo', undoWords[step?.undoClass ?? plan.undoClass]],
      ['Asked by', run.requester.name],
      ['Reason', run.reason ?? 'none given'],
      ['Run', run.id],
      ['Digest', digest.slice(0, 16)],
      ['Until', sayUtc(expiresAt.toISOString())],
    ],
    button: 'Log in and confirm',
  };
}

export function goOnPage(next: URL): Page {
  return { status: 200, title: 'To the login', lines: ['Log in there; after that you come back here.'], next };
}

/** Why there is nothing to be done with a link. */
export function overPage(confirmation: Confirmation | null, now: Date): Page | null {
  if (confirmation === null) return gone(404, 'This link is not known', `${again}`);
  switch (confirmation.state) {
    case 'counted':
      return gone(410, 'Your approval was counted', 'This link has done its work.');
    case 'replaced':
      return gone(410, 'There is a newer link', `${notCounted} You asked again: follow the newest link.`);
    case 'refused':
    case 'proven':
      return gone(410, 'This link was used', `${notCounted} ${again}`);
    case 'open':
      return now < confirmation.expiresAt ? null : gone(410, 'This link is over', `${notCounted} ${again}`);
  }
}

export const changedPage: Page = gone(
  409,
  'This no longer waits for your vote',
  `${notCounted} What you approved was planned anew, or it is decided. Look at its card in Slack.`,
);

export const lostLoginPage: Page = gone(
  400,
  'This login leads nowhere',
  'It counts for nothing: it was used before, its time is over, or it was begun in another browser. A vote that was counted stays counted: its card in Slack shows it. Otherwise open the link of the bot again, in one browser, or press Approve again.',
);

export const foreignPage: Page = gone(403, 'Opened from elsewhere', 'Open the link that the bot gave you.');

export function wrongPersonPage({ person }: Confirmation): Page {
  return gone(
    403,
    'Somebody else logged in',
    `${notCounted} Only ${person.name} can confirm this, with the login that belongs to that Slack account. ${again}`,
  );
}

export function failurePage(report: Pick<FailureReport, 'code' | 'message' | 'advice'>): Page {
  const status = report.code === 'unreachable' ? 503 : 403;
  const lines = [report.message, report.advice].map((text) => text.replaceAll('`', ''));
  if (report.code === 'unreachable') lines.push('Another approver may vote meanwhile; nothing else is held up.');
  return { status, title: 'Not confirmed', lines };
}

export function outcomePage(outcome: Exclude<VoteOutcome, { kind: 'to-confirm' }>): Page {
  if (outcome.kind === 'refused') {
    const lines = [outcome.message, outcome.advice].map((text) => text.replaceAll('`', ''));
    return { status: 409, title: 'The vote was not counted', lines };
  }
  const next = { wait: 'More votes are needed.', approved: 'It goes on now, or in its window.', rejected: '' };
  return {
    status: 200,
    title: 'Your approval counts',
    lines: [sayHeadline(outcome.run), next[outcome.decision], 'You may close this page.'],
  };
}

export function brokenPage(id: string): Page {
  return gone(
    500,
    'Something in the bot itself went wrong',
    `Whether the vote was counted shows on its card in Slack. Tell whoever runs the bot this id: ${id}`,
  );
}

export const unknownPage: Page = gone(404, 'There is nothing here', 'Open the link that the bot gave you.');

function gone(status: Page['status'], title: string, line: string): Page {
  return { status, title, lines: [line] };
}
