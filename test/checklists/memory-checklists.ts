import type { ChecklistItem } from '../../src/checklists/checklist-item.ts';
import type { ChecklistRecords, ShownLook, StoredChecklist, Tick } from '../../src/checklists/checklist-records.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { stored } from './sample-checklist.ts';

/** Checklists that outlive the front that uses them, as the database does. */
export class MemoryChecklists implements ChecklistRecords {
  readonly lists = new Map<string, StoredChecklist>();
  readonly clicks = new Map<string, { selected: readonly string[]; sentAt: number }>();
  readonly looks = new Map<string, ShownLook>();
  /** Every tick ever made. */
  readonly history: Tick[] = [];
  readonly said: string[] = [];
  readonly resumed: string[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(runId: string, items: readonly ChecklistItem[]): void {
    this.lists.set(runId, stored(items, { runId }));
  }

  find: ChecklistRecords['find'] = async (runId) => this.lists.get(runId) ?? null;

  change: ChecklistRecords['change'] = async (runId, decide, boxes) => {
    const now = this.lists.get(runId);
    if (now === undefined) return null;
    const key = boxes === undefined ? '' : `${boxes.token} ${boxes.personId}`;
    const before = this.clicks.get(key);
    const late = boxes !== undefined && before !== undefined && before.sentAt > Number(boxes.sentAt);
    const change = decide(now, before?.selected ?? null, late);
    if (boxes !== undefined && !late) {
      this.clicks.set(key, { selected: boxes.selected, sentAt: Number(boxes.sentAt) });
    }
    const at = this.#clock.now().toISOString();
    const ticks = (change.ticks ?? []).map((tick) => ({ ...tick, at }));
    this.history.push(...ticks);
    this.said.push(...(change.said ?? []));
    const passed = change.passes === undefined ? now.passed : { ...now.passed, [change.passes]: at };
    const waitsAt = change.waitsAt === undefined ? now.waitsAt : change.waitsAt;
    const moved = ticks.length > 0 || change.again === true || passed !== now.passed || waitsAt !== now.waitsAt;
    this.lists.set(runId, {
      ...now,
      ticks: [...now.ticks.filter((old) => !ticks.some(({ itemId }) => itemId === old.itemId)), ...ticks],
      passed,
      waitsAt,
      revision: now.revision + (moved ? 1 : 0),
    });
    return change.answer;
  };

  resume: ChecklistRecords['resume'] = async (runId) => {
    this.resumed.push(runId);
    return true;
  };

  restless: ChecklistRecords['restless'] = async () => [...this.lists.keys()];

  shown: ChecklistRecords['shown'] = async (runId) => this.looks.get(runId) ?? { number: 0, look: '' };

  markShown: ChecklistRecords['markShown'] = async (runId, before, look) => {
    if ((await this.shown(runId)).number !== before) return false;
    this.looks.set(runId, look);
    return true;
  };
}
