import type { ConflictReport, Run } from '../src/runs/run.ts';
import { select, selectSome, suggested } from './choices.ts';
import { bare } from './escape.ts';
import { type Input, limits, plainText, type SelectOption } from './message.ts';
import { conflictWords, sayAbout, sayUtc, statusWords } from './say.ts';

type OneConflict = ConflictReport['conflicts'][number];

/** As many conflicts as a command takes. */
const mostTakes = 20;
export const ways = ['undo', 'restore'] as const;
type WayBack = (typeof ways)[number];
const wayWords: Readonly<Record<WayBack, string>> = {
  undo: 'Undo: what came since stays',
  restore: 'Restore the backup set that is named below',
};

/** Which run, and how: of one that was undone, what its undo kept. `kept` null = it was not undone, or is not known yet. */
export function rollbackFields(kept: ConflictReport | null): readonly Input[] {
  const run = suggested('run', 'Run', 'Type a part of its id or migration');
  if (kept === null) return [run, select('way', 'Way back', ways.map(wayOption), false)];
  const options = takeOptions(kept);
  return options.length === 0 ? [run] : [run, selectSome('take', 'Take all the same', options, mostTakes)];
}

/** Runs whose id or migration holds what was typed, in the order in which they are given. */
export function runOptions(runs: readonly Run[], typed: string): readonly SelectOption[] {
  const wanted = typed.trim().toLowerCase();
  return runs
    .filter((run) => run.id.length <= limits.optionText && nameOf(run).toLowerCase().includes(wanted))
    .slice(0, limits.options)
    .map((run) => {
      const state = run.undoneBy === null ? statusWords[run.status] : `undone by ${run.undoneBy}`;
      const description = `${sayUtc(run.endedAt ?? run.requestedAt)}: ${state}`;
      return {
        text: plainText(bare(nameOf(run), limits.optionText), limits.optionText),
        description: plainText(bare(description, limits.optionText), limits.optionText),
        value: run.id,
      };
    });
}

function nameOf(run: Run): string {
  return `${run.id} · ${sayAbout(run.plan)}`;
}

function wayOption(way: WayBack): SelectOption {
  return { text: plainText(wayWords[way], limits.optionText), value: way };
}

/** A conflict whose name is longer than Slack takes can only be taken by the command. */
function takeOptions({ conflicts }: ConflictReport): readonly SelectOption[] {
  const named = new Map(conflicts.map((conflict) => [takeWords(conflict), conflict] as const));
  return [...named]
    .filter(([words]) => words.length <= limits.optionValue)
    .slice(0, limits.options)
    .map(([value, { collection, key, field, reason }]) => ({
      text: plainText(bare(`${collection} ${key}, ${field}`, limits.optionText), limits.optionText),
      description: plainText(bare(conflictWords[reason], limits.optionText), limits.optionText),
      value,
    }));
}

/** As `take:` names it. */
function takeWords({ system, collection, field, key }: OneConflict): string {
  return `${system}:${collection}.${field}:${key}`;
}
