import type { FailureCode } from '../shared/failure.ts';
import { suggest } from '../shared/suggest.ts';
import type { ChecklistItem, GatePoint } from './checklist-item.ts';
import type { ChecklistChange, StoredChecklist } from './checklist-records.ts';
import { type ItemView, viewChecklist, waitsFor } from './checklist-view.ts';
import type { BackupFact, RunFacts } from './run-facts.ts';

/** Who ticks. Roles are those of this moment. */
export interface Ticker {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
}

/** Said no, with nothing changed. */
export interface ChecklistRefusal {
  readonly kind: 'refused';
  readonly code: FailureCode;
  readonly message: string;
  readonly advice: string;
  readonly findings: readonly never[];
}

/** One box to be ticked, or its tick to be taken away. */
export interface Toggle {
  readonly itemId: string;
  readonly ticked: boolean;
}

export interface Toggled {
  /** What is otherwise than before. */
  readonly changed: readonly Toggle[];
  /** The first that was not to be; null = none. */
  readonly refused: ChecklistRefusal | null;
}

/** What becomes of what a person ticks. What stands so already changes nothing; what he may not changes nothing either. Pure. */
export function decideToggles(
  now: StoredChecklist,
  toggles: readonly Toggle[],
  person: Ticker,
  requesterIds: readonly string[],
): ChecklistChange<Toggled> {
  const changed: Toggle[] = [];
  let refused: ChecklistRefusal | null = null;
  for (const toggle of toggles) {
    const refusal = mayToggle(now, toggle, person, requesterIds);
    if (refusal !== null) refused ??= refusal;
    else if (isTicked(now, toggle.itemId) !== toggle.ticked) changed.push(toggle);
  }
  const by = { id: person.id, name: person.name };
  return {
    answer: { changed, refused },
    ticks: changed.map((toggle) => ({ ...toggle, by })),
    said: changed.map(({ itemId, ticked }) => {
      const text = now.items.find(({ id }) => id === itemId)?.text ?? itemId;
      return ticked ? `${person.name} ticked “${text}”` : `${person.name} took the tick from “${text}”`;
    }),
    again: refused !== null,
  };
}

/** Boxes of a click against what that person saw there: only what he changed is his doing. Pure. */
export function togglesOf(
  boxes: readonly string[],
  seen: readonly string[],
  selected: readonly string[],
): readonly Toggle[] {
  return boxes
    .filter((itemId) => seen.includes(itemId) !== selected.includes(itemId))
    .map((itemId) => ({ itemId, ticked: selected.includes(itemId) }));
}

/** Whether the run goes through a gate. Pure; what gates it is judged within the transaction that ticks wait for. */
export function decideGate(
  now: StoredChecklist,
  run: RunFacts,
  backups: readonly BackupFact[],
  point: GatePoint,
): ChecklistChange<readonly ItemView[]> {
  // Behind the run for good: a retry does not come to it again.
  if (now.passed[point] !== undefined) return { answer: [], waitsAt: null };
  const waits = waitsFor(viewChecklist(now, run, backups), point);
  return waits.length === 0 ? { answer: [], passes: point, waitsAt: null } : { answer: waits, waitsAt: point };
}

function mayToggle(
  now: StoredChecklist,
  { itemId, ticked }: Toggle,
  person: Ticker,
  requesterIds: readonly string[],
): ChecklistRefusal | null {
  const item = now.items.find(({ id }) => id === itemId);
  if (item === undefined) return unknownItem(itemId, now.items);
  if (item.who === null) {
    return refuse(
      'not-allowed',
      `The bot sees “${item.text}” by itself: nobody ticks it.`,
      'The checklist says what it waits for.',
    );
  }
  const roles = item.who === 'approver' ? ['approver'] : ['operator', 'approver'];
  if (!person.roles.some((role) => roles.includes(role))) {
    return refuse(
      'not-allowed',
      `${person.name} may not tick “${item.text}”.`,
      `It takes one of these roles: ${roles.join(', ')}.`,
    );
  }
  if (item.who === 'approver' && requesterIds.includes(person.id)) {
    const message = `${person.name} had a part in asking for ${now.runId} and cannot tick “${item.text}” in it.`;
    return refuse('not-allowed', message, 'Another approver has to look at it.');
  }
  if (!ticked && item.gates !== 'nothing' && now.passed[item.gates] !== undefined && isTicked(now, itemId)) {
    const message = `${now.runId} has gone on because of “${item.text}”: that tick stays.`;
    return refuse('stale', message, `If it is not so, pause the run: \`/tas pause ${now.runId}\`.`);
  }
  return null;
}

function isTicked(now: StoredChecklist, itemId: string): boolean {
  return now.ticks.find((tick) => tick.itemId === itemId)?.ticked === true;
}

function unknownItem(typed: string, items: readonly ChecklistItem[]): ChecklistRefusal {
  const people = items.filter(({ who }) => who !== null).map(({ id }) => id);
  const near = suggest(typed, people);
  const hint = near === null ? '' : ` Did you mean \`${near}\`?`;
  const all =
    people.length === 0
      ? 'The bot sees all of it by itself.'
      : `A person ticks: ${people
          .slice(0, 20)
          .map((id) => `\`${id}\``)
          .join(', ')}.`;
  return refuse('wrong-use', `There is no item \`${typed.slice(0, 80)}\` in this checklist.${hint}`, all);
}

export function refuse(code: FailureCode, message: string, advice: string): ChecklistRefusal {
  return { kind: 'refused', code, message, advice: `${advice} Nothing was changed.`, findings: [] };
}
