import type { NewNotice, Notice, NoticeRecords } from '../src/notices/notice.ts';

/** Notices that outlive the front that tells them, as the database's do. */
export class MemoryNotices implements NoticeRecords {
  at = 0;
  readonly all: Notice[] = [];
  readonly refused = new Map<number, string>();
  readonly #wakes = new Set<() => void>();

  async add(notices: readonly NewNotice[]): Promise<void> {
    for (const notice of notices) {
      if (this.all.some(({ once }) => once === notice.once)) continue;
      this.all.push({ ...notice, id: this.all.length + 1, at: new Date().toISOString() });
    }
    for (const wake of this.#wakes) wake();
  }
  async list(afterId: number, limit: number): Promise<readonly Notice[]> {
    return this.all.filter(({ id }) => id > afterId).slice(0, limit);
  }
  async listen(wake: () => void): Promise<() => Promise<void>> {
    this.#wakes.add(wake);
    return async () => void this.#wakes.delete(wake);
  }
  async cursor(): Promise<number> {
    return this.at;
  }
  async moveCursor(id: number): Promise<void> {
    this.at = Math.max(this.at, id);
  }
  async refuse(id: number, word: string): Promise<void> {
    this.refused.set(id, word);
  }
}
