import type { MigrationView } from '../src/runs/door.ts';
import { code, plain } from './escape.ts';
import { context, type Message, section, sections } from './message.ts';

export interface HelpText {
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly string[];
}

/** How each command is written; with examples when there is one command only. */
export function helpMessage(commands: readonly HelpText[], migrations: readonly MigrationView[]): Message {
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
      ...(one ? [] : [context('Whatever changes data is shown in numbers first and needs another person’s vote.')]),
    ],
  };
}
