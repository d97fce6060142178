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
  /** What `env:` may name. */
  readonly all: readonly string[];
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
  const examples = here.environments
    .slice(0, 3)
    .flatMap((environment) => [
      `*Here* it is about *${plain(environment, 60)}*:`,
      ...examplesOf(here, environment, migration).map((line) => `• ${code(`/tas ${line}`)}`),
    ]);
  const roles = `You are: ${here.roles.join(', ')}.`;
  const others = here.notForYou.map((word) => code(word)).join(' ');
  return [
    ...(examples.length > 0 ? examples : elsewhere(here)),
    ...openLines('*Your open runs*', here.mine),
    ...openLines('*Waiting for votes*', here.toVote),
    here.notForYou.length === 0 ? roles : `${roles} Others may ask: ${others}`,
  ];
}

/** What this person may ask there, from what only reads to what changes. */
function examplesOf(here: Here, environment: string, migration: MigrationView | undefined): string[] {
  const lines: readonly (readonly [word: string, subject: string | undefined])[] = [
    ['status', ''],
    ['validate', ''],
    ['plan', migration?.id],
    ['migrate', migration?.id],
    ['backup', ''],
  ];
  return lines
    .filter(([word, subject]) => subject !== undefined && !here.notForYou.includes(word))
    .map(([word, subject = '']) => `${word} ${subject === '' ? '' : `${subject} `}env:${environment}`);
}

/** Where no environment is at home, none is meant. */
function elsewhere({ all }: Here): string[] {
  const names = all.slice(0, 10).map((name) => code(`env:${name}`));
  if (names.length === 0) return [];
  const more = all.length > names.length ? ' …' : '';
  return [
    `*Here* no environment is meant: name one, as in ${code(`/tas status env:${all[0]}`)}. There is ${names.join(' ')}${more}`,
  ];
}

function openLines(title: string, runs: readonly OpenRun[]): string[] {
  if (runs.length === 0) return [];
  const next = (words: readonly string[]) => words.map((word) => code(`/tas ${word}`)).join(' ');
  return [title, ...runs.map((open) => `${runLine(open.run)}\n    ${next(open.next)}`)];
}
