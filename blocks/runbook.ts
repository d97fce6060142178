import type { OnCallView } from '../src/oncall/on-call-desk.ts';
import type { Runbook, RunbookLine } from '../src/runs/runbook.ts';
import { code, linkTo, mentionUser, plain, ticked } from './escape.ts';
import { context, type Message, section, sections } from './message.ts';

/** A command is copied: it is shown whole, or said to be too long. */
const mostCommand = 1_500;

/** How a person recovers from a run when the bot is dead. */
export function runbookMessage(runbook: Runbook, called: OnCallView | null): Message {
  const text = `Runbook of ${plain(runbook.runId, 80)} in ${plain(runbook.environment, 60)}`;
  return {
    text,
    blocks: [
      section(
        `*${text}*\nFor when the bot is dead: what to type, from top to bottom. ✎ = changes something. Passwords are asked for, or read from \`$PGPASSWORD\` and \`$NEO4J_PASSWORD\`.`,
      ),
      ...runbook.parts.flatMap(({ title, lines }, index) =>
        sections([`*${index + 1}. ${plain(title, 120)}*`, ...lines.map(sayLine)]),
      ),
      ...linkLine(runbook),
      ...(called === null ? [] : sections(['*Call*', ...callLines(called)])),
    ],
  };
}

/** The few lines that matter, before the run changes anything. */
export function runbookNote(runbook: Runbook): Message {
  const id = plain(runbook.runId, 80);
  return {
    text: `If I die: how to recover from ${id} without the bot`,
    blocks: [
      ...sections([
        `*If I die* — ${plain(runbook.environment, 60)} is about to change. Without the bot:`,
        ...runbook.first.map(sayLine),
      ]),
      ...linkLine(runbook),
      context(
        `All of it: ${code(`/tas runbook ${runbook.runId}`)} while the bot lives; ${code(`npx tas runbook ${runbook.runId}`)} needs nothing but its database.`,
      ),
    ],
  };
}

function sayLine({ what, command, changes }: RunbookLine): string {
  const words = `• ${changes ? '✎ ' : ''}${ticked(what).trim()}`;
  if (command === null) return words;
  const whole = code(command, mostCommand);
  const fits = command.length <= mostCommand && whole.length <= 1.2 * mostCommand;
  const shown = fits ? whole : 'too long to be shown here: `npx tas runbook … --json` has it';
  return `${words}:\n${shown}`;
}

function linkLine({ link }: Runbook) {
  return link === null ? [] : [section(linkTo(link, 'The database admin’s runbook'))];
}

/** Who is on call, else who is configured. */
export function callLines({ duties, contacts }: OnCallView): readonly string[] {
  const now = (duties?.now ?? [])
    .slice(0, 5)
    .map(({ person, policy }) => `• on call: *${plain(person, 80)}* (${plain(policy, 80)})`);
  const people = contacts.slice(0, 10).map(({ name, role, user, phone }) => {
    const shown = user === undefined ? '' : ` ${mentionUser(user)}`;
    return `• *${plain(name, 80)}*${shown} · ${plain(role, 100)}${phone === undefined ? '' : ` · ${code(phone, 40)}`}`;
  });
  const lines = [...now, ...people];
  return lines.length === 0 ? ['• nobody is configured: `/tas oncall`'] : lines;
}
