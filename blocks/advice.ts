import type { Advice, RestoreWay, RewoundSystem, UndoneSystem, UndoWay } from '../src/runs/advice.ts';
import { sayBytes } from '../src/shared/bytes-text.ts';
import { confirm, wayButton } from './button.ts';
import { sayProven } from './drill-card.ts';
import { bare, code, plain, ticked } from './escape.ts';
import { actions, type Block, context, type Message, section, sections } from './message.ts';
import { changedFields, conflictWords, sayCount, sayEstimate, sayHeadline } from './say.ts';
import { when } from './when.ts';

/** A way that can be asked for: its button's label and the words behind it. */
export interface Way {
  readonly label: string;
  readonly words: string;
  readonly setId: string | null;
}

/** The ways that are open, in the order of their buttons. */
export function waysOf({ run, undo, restores }: Advice): Way[] {
  return [
    ...(undo.open ? [{ label: 'Undo', words: `rollback ${run.id} way:undo`, setId: null }] : []),
    ...restores.map(({ set }) => ({
      label: `Restore ${set.id}`,
      words: `restore ${set.id} env:${run.environment}`,
      setId: set.id,
    })),
  ];
}

/** Each way back with its time and its price, and the one to take. `tokens` in the order of `waysOf`; null = a terminal. */
export function adviceMessage(advice: Advice, tokens: readonly string[] | null): Message {
  const { run, undo, restores, references, recommended } = advice;
  const headline = plain(sayHeadline(run), 300);
  const recommends = { undo: 'undo', restore: `restore ${recommended.setId ?? ''}`, none: 'no way yet' }[
    recommended.way
  ];
  return {
    text: `Ways back from ${plain(run.id, 40)}: ${plain(recommends, 80)}`,
    blocks: [
      section(`*Ways back from:* ${headline}\n*Recommended: ${plain(recommends, 80)}.* ${ticked(recommended.reason)}`),
      ...sections(undo.open ? undoLines(undo) : [`*Undo:* not open. ${ticked(undo.message)} ${ticked(undo.advice)}`]),
      ...(references.length === 0 ? [] : sections(referenceLines(references))),
      ...(restores.length === 0
        ? [section('*Restore:* no backup set from before the run holds all that it changed.')]
        : restores.flatMap((way) => sections(restoreLines(way)))),
      section('*Point in time:* not open yet: stores are restored from backup sets only.'),
      ...(tokens === null ? [context(ways(advice))] : wayButtons(advice, tokens)),
      context('Each is a plan of its own, which another person approves before anything is touched.'),
    ],
  };
}

function ways(advice: Advice): string {
  const open = waysOf(advice).map(({ words }) => code(`/tas ${words}`, 160));
  return open.length === 0 ? 'No way back is open.' : `Ask for one: ${open.join('  or  ')}`;
}

function wayButtons(advice: Advice, tokens: readonly string[]): Block[] {
  const environment = bare(advice.run.environment, 40).toUpperCase();
  return actions(
    waysOf(advice).map(({ label, setId }, index) => {
      const style = advice.recommended.way !== 'none' && advice.recommended.setId === setId ? 'primary' : undefined;
      const way = advice.restores.find(({ set }) => set.id === setId);
      const text = way === undefined ? null : `${environment} goes back to ${setId}. ${lossWords[way.loses]}`;
      return wayButton(index, label, tokens[index] ?? '', {
        ...(style === undefined ? {} : { style }),
        ...(text === null ? {} : { confirm: confirm(`Ask for a restore of ${environment}?`, text, 'Ask', 'danger') }),
      });
    }),
  );
}

const lossWords: Readonly<Record<RestoreWay['loses'], string>> = {
  no: 'Nothing that others wrote is lost.',
  yes: 'What others wrote since IS LOST.',
  'cannot-tell': 'Whether others wrote since cannot be told; what they wrote IS LOST.',
};

function undoLines(undo: UndoWay): string[] {
  const time = undo.estimate === null ? '' : ` · ${sayEstimate(undo.estimate)}`;
  const until = undo.heldUntil === null ? '' : ` · what it kept aside is held until ${when(undo.heldUntil)}`;
  return [
    `*Undo:* restores ${sayCount(undo.restored)}, keeps ${sayCount(undo.kept)}${time}${until}`,
    ...undo.systems.flatMap(undoneLines),
  ];
}

function undoneLines({ system, restored, exact, kept, keptKnown, samples }: UndoneSystem): string[] {
  const reasons = (Object.entries(kept.counts) as [keyof typeof conflictWords, number][]).map(
    ([reason, count]) => `${sayCount(count)} because ${conflictWords[reason]}`,
  );
  const keeps =
    reasons.length === 0
      ? keptKnown
        ? 'keeps nothing'
        : 'what it keeps is not known beforehand'
      : `keeps ${reasons.join(', ')}`;
  return [
    `• *${plain(system, 60)}*: restores ${exact ? '' : '≥ '}${sayCount(restored)}, ${keeps}`,
    ...samples.slice(0, 2).map((sample) => {
      const fields = changedFields(sample).slice(0, 2);
      const changes = fields.map(([field, now, then]) => `${code(field, 40)} ${code(now, 40)} → ${code(then, 40)}`);
      return `    back: ${plain(sample.collection, 60)} ${code(sample.key, 60)}: ${changes.join(', ')}`;
    }),
    ...kept.samples.slice(0, 3).map((sample) => `    stays: ${code(sample, 140)}`),
  ];
}

function referenceLines(references: Advice['references']): string[] {
  return [
    '*Newer records refer to what the run wrote* (undo keeps it; without it they would point at nothing):',
    ...references.slice(0, 10).map(({ field, count, samples }) => {
      const name = `${plain(field.system, 40)}:${plain(field.collection, 60)}.${plain(field.field, 60)}`;
      return `• ${name}: ${sayCount(count)} (${samples
        .slice(0, 3)
        .map((value) => code(value, 60))
        .join(', ')}${count > 3 ? ', …' : ''})`;
    }),
    ...(references.length > 10 ? [`… and ${references.length - 10} more fields`] : []),
  ];
}

function restoreLines({ set, own, estimate, systems, rewinds, loses }: RestoreWay): string[] {
  const proven = sayProven(set.proven);
  const whose = own ? "the run's own set" : 'from before the run';
  const others = rewinds
    .slice(0, 5)
    .map((id) => code(id, 40))
    .join(', ');
  return [
    `*Restore* ${code(set.id, 80)} (${whose}, ${when(set.createdAt)}, ${sayBytes(set.bytes)}, ${proven}) · ${sayEstimate(estimate)}, safety set included`,
    `    ${lossWords[loses]}`,
    ...(rewinds.length === 0
      ? []
      : [`    also rewinds ${others}${rewinds.length > 5 ? ` and ${rewinds.length - 5} more runs` : ''}`]),
    ...systems.slice(0, 10).flatMap(rewoundLines),
  ];
}

function rewoundLines({
  system,
  loses,
  collections,
  addedByRun,
  changedSince,
  samples,
  unknown,
}: RewoundSystem): string[] {
  const name = `• *${plain(system, 60)}*`;
  if (loses === 'no') return [`${name}: holds what the set holds; nothing is lost`];
  const counts = collections
    .slice(0, 5)
    .map((each) => `${plain(each.collection, 60)} ${sayCount(each.inSet)} in the set, ${sayCount(each.now)} now`);
  const more = collections.length > 5 ? [`${collections.length - 5} more collections differ`] : [];
  const parts = [
    ...counts,
    ...more,
    ...(addedByRun === 0 ? [] : [`the run itself added ${sayCount(addedByRun)}`]),
    ...(changedSince === 0 ? [] : [`${sayCount(changedSince)} that the run wrote were changed or referred to since`]),
    ...(counts.length === 0 && changedSince === 0 && unknown === null ? ['records were changed in place'] : []),
  ];
  return [
    `${name}: ${parts.join(' · ') || 'not known'}`,
    ...samples.slice(0, 3).map((sample) => `    lost: ${code(sample, 140)}`),
    ...(unknown === null ? [] : [`    not told: ${plain(unknown, 200)}`]),
  ];
}
