import type { FailureFacts } from '../commands/failure-facts.ts';
import type { Run } from '../src/runs/run.ts';
import { runLink } from './beside.ts';
import { button, confirm, type Tokens } from './button.ts';
import { bare, code, linkTo, mentionUser, plain, ticked } from './escape.ts';
import { findingLines } from './findings.ts';
import { fitCard } from './fit.ts';
import { measureRun } from './measure.ts';
import { actions, context, type Message, section, sections } from './message.ts';
import { sayCount, sayHeadline } from './say.ts';
import { dataLines, sayMaintenance } from './state.ts';
import { clockTime, when } from './when.ts';

/**
 * A run that stopped: what happened, the state of data, services and maintenance mode, what is safe, what to do, who is
 * called. Without buttons once it is no longer parked.
 */
export function failureCard(
  run: Run,
  tokens: Tokens,
  now: Date,
  facts: FailureFacts | null = null,
  link: string | null = null,
): Message {
  const headline = plain(sayHeadline(run));
  const parked = run.status === 'parked';
  const measure = measureRun(run, now);
  const failed = measure.steps.find(({ progress }) => progress.state === 'failed');
  const where = failed === undefined ? '' : ` at _${plain(failed.step.title, 160)}_`;
  const what = run.failure === null ? 'The reason was not recorded.' : ticked(run.failure.message);
  const advice = run.failure === null ? '' : ticked(run.failure.advice);
  const safe = `${sayCount(measure.done)} of ${sayCount(measure.total)} records are written and journaled; nothing else was begun.`;
  const held = parked
    ? `*${plain(run.environment, 60)}* stays held by this run until it is retried, undone or kept as it is.`
    : 'It is no longer stopped: the run has moved on since.';
  const due =
    parked && run.undoDue !== null
      ? `\n*Unless somebody decides:* services are down, so it undoes itself at ${clockTime(run.undoDue)}; the vote on it covers that.`
      : '';
  const environment = bare(run.environment, 40).toUpperCase();
  return fitCard({
    text: `Stopped: ${headline} — ${run.failure === null ? 'a step failed' : plain(run.failure.message, 200)}`,
    head: [
      section(`✗ *Stopped: ${headline}*\n${mentionUser(run.requester.id)}: it stopped${where}.`),
      section(
        `*What happened:* ${what}\n*What is safe:* ${safe} ${held}${advice === '' ? '' : `\n*What to do:* ${advice}`}${due}`,
      ),
    ],
    body: sections([
      ...(parked ? stateLines(run, facts) : []),
      ...run.findings.filter((finding) => finding.status === 'failed').flatMap(findingLines),
    ]),
    tail: [
      ...(parked ? sections(helpLines(run, facts)) : []),
      ...(parked ? failureButtons(tokens, environment) : []),
      context(`${runLink(run.id, link)}${run.failure === null ? '' : ` · ${code(run.failure.code)}`}`),
    ],
  });
}

function stateLines(run: Run, facts: FailureFacts | null): readonly string[] {
  const data = dataLines(run);
  const standing = facts?.standing ?? null;
  const isMaintenance = (text: string): boolean => text.includes('maintenance mode');
  const services = standing
    ?.filter((text) => !isMaintenance(text))
    .slice(0, 8)
    .map((text) => plain(text, 160));
  const maintenance = sayMaintenance(run, standing === null ? null : standing.some(isMaintenance));
  return [
    ...(data.length === 0 ? [] : [`*Data:* ${data.join(' · ')}`]),
    ...(services === undefined
      ? []
      : [`*Services:* ${services.length === 0 ? 'nothing is stopped by this run' : services.join('; ')}`]),
    ...(maintenance === null ? [] : [`*Maintenance mode:* ${maintenance}`]),
  ];
}

const taken = { acknowledged: 'somebody has taken it up', triggered: '*nobody has taken it up yet*' };

function helpLines(run: Run, facts: FailureFacts | null): readonly string[] {
  const called = facts?.called ?? null;
  const page = called?.pages.find(({ runId }) => runId === run.id);
  const raised =
    page === undefined ? [] : [`paged ${when(page.raisedAt)}${page.state === null ? '' : `, ${taken[page.state]}`}`];
  const duties = (called?.duties?.now ?? []).slice(0, 3).map(({ person }) => `on call: ${plain(person, 60)}`);
  const contacts = (called?.contacts ?? [])
    .slice(0, 4)
    .map(({ name, role, user }) => `${user === undefined ? plain(name, 60) : mentionUser(user)} (${plain(role, 60)})`);
  const people = [...raised, ...duties, ...contacts];
  const link = facts?.link ?? null;
  return [
    ...(people.length === 0 ? [] : [`*Who is called:* ${people.join(' · ')}`]),
    `*By hand:* ${link === null ? '' : `${linkTo(link, 'The database admin’s runbook')} · `}${code(`/tas runbook ${run.id}`)}`,
  ];
}

function failureButtons(tokens: Tokens, environment: string) {
  const keepText = `The data in ${environment} stays half migrated as it is now, and the environment is free for other runs.`;
  return actions([
    button('retry', tokens, { style: 'primary' }),
    button('undo', tokens),
    button('keep', tokens, {
      style: 'danger',
      confirm: confirm(`Keep ${environment} as it is?`, keepText, 'Keep and stop', 'danger'),
    }),
    button('details', tokens),
  ]);
}
