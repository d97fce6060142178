import type { MigrationView } from '../src/runs/door.ts';
import type { FailureReport } from '../src/shared/failure.ts';
import { code, plain, ticked } from './escape.ts';
import { context, type Message, section, sections } from './message.ts';

interface HelpText {
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly string[];
}

/** How each command is written; with examples when there is one command only. */
export function helpMessage(
  commands: readonly HelpText[],
  migrations: readonly MigrationView[],
  problem: Pick<FailureReport, 'message' | 'advice'> | null,
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
      ...sections(lines),
      ...(known.length === 0 ? [] : [section('*Migrations*'), ...sections(known)]),
      ...(problem === null ? [] : [section(`⚠ ${ticked(problem.message)} ${ticked(problem.advice)}`)]),
      ...(one ? [] : [context('Whatever changes data is shown in numbers first and needs another person’s vote.')]),
    ],
  };
}
