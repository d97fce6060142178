import type { ChecklistItem } from '../../src/checklists/checklist-item.ts';
import type { StoredChecklist } from '../../src/checklists/checklist-records.ts';

export function item(over: Partial<ChecklistItem> & { id: string }): ChecklistItem {
  return { part: 'before', text: `The ${over.id}`, evidence: null, who: 'operator', gates: 'nothing', ...over };
}

export const toldUsers = item({ id: 'users-told', text: 'Users know', gates: 'start' });
export const reviewed = item({ id: 'reviewed', text: 'A second pair of eyes', who: 'approver' });

export function stored(items: readonly ChecklistItem[], over: Partial<StoredChecklist> = {}): StoredChecklist {
  return { runId: 'run-01jd0a4ycz', items, ticks: [], passed: {}, waitsAt: null, revision: 0, ...over };
}
