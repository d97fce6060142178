import type { Finding } from '../finding.ts';
import { type Kept, KeptTally } from '../kept-tally.ts';
import type { Conflict } from '../system.ts';

/** Gathers what undo would leave; holds only as many conflicts as are shown. */
export class KeptCount {
  private readonly tally = new KeptTally();

  add(conflicts: readonly Conflict[]): void {
    for (const conflict of conflicts) this.tally.add(conflict);
  }

  /** Warnings: they do not refuse the plan, people should know. */
  findings(): Finding[] {
    return this.tally.findings();
  }

  kept(): Kept {
    return this.tally.kept();
  }
}
