import type { BackupView } from '../src/runs/door.ts';
import type { Run } from '../src/runs/run.ts';
import { sayBytes } from '../src/shared/bytes-text.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { runLink } from './beside.ts';
import { sayProven } from './drill-card.ts';
import { code, mentionUser, plain } from './escape.ts';
import { progressLine } from './evidence.ts';
import { fitCard } from './fit.ts';
import { measureRun } from './measure.ts';
import { context, type Message, section, sections } from './message.ts';
import { nextBlocks } from './next.ts';
import { when } from './when.ts';

/** The end of a backup. */
export function backupDone(run: Run, now: Date, link: string | null): Message {
  const environment = plain(run.environment, 60).toUpperCase();
  const measure = measureRun(run, now);
  const took = measure.milliseconds === null ? '' : ` in ${sayDuration(measure.milliseconds)}`;
  const set = run.backupId === null ? 'the set' : code(run.backupId);
  return fitCard({
    text: `${environment} · backup made${run.backupId === null ? '' : `: ${plain(run.backupId, 80)}`}`,
    head: [section(`✓ *${environment} · backup made*\n${mentionUser(run.requester.id)}: ${set}${took}.`)],
    body: sections(measure.steps.map(progressLine)),
    tail: [
      ...nextBlocks([`${code(`/tas backup prove env:${run.environment}`)} tries it beside the live data`]),
      context(
        `${runLink(run.id, link)}${run.backupId === null ? '' : ` · back to it: ${code(`/tas restore ${run.backupId} env:${run.environment}`)}`}`,
      ),
    ],
  });
}

/** The sets of an environment, newest first as the door gives them. */
export function backupList(environment: string, backups: readonly BackupView[]): Message {
  const name = plain(environment, 60);
  const lines = backups.map((backup) => {
    return `• ${code(backup.id)} · ${when(backup.createdAt)} · ${sayBytes(backup.bytes)} · ${backup.systems.map((system) => plain(system, 40)).join(', ')} · ${sayProven(backup.proven)}`;
  });
  const none = `${name} has no backup set yet. Make one: \`/tas backup env:${name}\``;
  return {
    text: `${name}: ${backups.length} backup sets`,
    blocks: [section(`*Backup sets of ${name}*`), ...sections(lines.length === 0 ? [none] : lines)],
  };
}
