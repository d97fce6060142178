import type { MigrationView, Role } from '../src/runs/door.ts';
import type { Run } from '../src/runs/run.ts';
import type { FailureReport } from '../src/shared/failure.ts';
import { code, plain, ticked } from './escape.ts';
import { context, type Message, section, sections } from './message.ts';
import { runLine } from './runs.ts';

interface HelpText {
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly string[];
}

interface OpenRun {
  readonly run: Run;
  /** What can be said next, without `/tas`. */
  readonly next: readonly string[];
}

/** What is said about the place and the person that ask. */
interface Here {
  readonly environments: readonly string[];
  readonly roles: readonly Role[];
  readonly notForYou: readonly string[];
  readonly mine: readonly OpenRun[];
  readonly toVote: readonly OpenRun[];
}

/** How each command is written; with examples when there is one command only. */
export function helpMessage(
  commands: readonly HelpText[],
  migrations: readonly MigrationView[],
  problem: Pick<FailureReport, 'message' | 'advice'> | null,
  here?: Here,
): Message {
  const one = commands.length === 1;
  const lines = commands.flatMap((command) => [
    `${code(`/tas ${command.usage}`)}\n    ${plain(command.summary)}`,
    ...(one ? command.examples.map((example) => `    e.g. ${code(`/tas ${example}`)}`) : []),
  ]);
  const known = migrations.map(
    (migration) => `• ${code(migration.id)} ${plain(migration.title, 200)}\n    ${plain(migration.description, 400)}`,
  );
  return {
    text: one ? 'How this command is written' : 'What you can ask',
    blocks: [
      ...(here === undefined ? [] : sections(hereLines(here, migrations[0]))),
      ...sections(lines),
      ...(known.length === 0 ? [] : [section('*Migrations*'), ...sections(known)]),
      ...(problem === null ? [] : [section(`⚠ ${ticked(problem.message)} ${ticked(problem.advice)}`)]),
      ...(one ? [] : [context('Whatever changes data is shown in numbers first and needs another person’s vote.')]),
    ],
  };
}

function hereLines(here: Here, migration: MigrationView | undefined): string[] {
  const notFor = new Set(here.notForYou);
  const examples = here.environments
    .slice(0, 3)
    .flatMap((environment) => [
      `*Here* it is about *${plain(environment, 60)}*:`,
      `• ${code(`/tas status env:${environment}`)}`,
      ...(migration === undefined || notFor.has('plan')
        ? []
        : [`• ${code(`/tas plan ${migration.id} env:${environment}`)}`]),
    ]);
  const roles = `You are: ${here.roles.join(', ')}.`;
  const others = here.notForYou.map((word) => code(word)).join(' ');
  return [
    ...examples,
    ...openLines('*Your open runs*', here.mine),
    ...openLines('*Waiting for votes*', here.toVote),
    here.notForYou.length === 0 ? roles : `${roles} Others may ask: ${others}`,
  ];
}

function openLines(title: string, runs: readonly OpenRun[]): string[] {
  if (runs.length === 0) return [];
  const next = (words: readonly string[]) => words.map((word) => code(`/tas ${word}`)).join(' ');
  return [title, ...runs.map((open) => `${runLine(open.run)}\n    ${next(open.next)}`)];
}
