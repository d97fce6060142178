import type { Finding } from '../finding.ts';
import type { Conflict } from '../system.ts';

const SHOWN = 5;

/** Gathers what undo would leave; holds only as many conflicts as are shown. */
export class KeptCount {
  private readonly kept: Conflict[] = [];
  private readonly gone: Conflict[] = [];
  private keptCount = 0;
  private goneCount = 0;

  add(conflicts: readonly Conflict[]): void {
    for (const conflict of conflicts) {
      const missing = conflict.reason === 'missing';
      if (missing) this.goneCount += 1;
      else this.keptCount += 1;
      const samples = missing ? this.gone : this.kept;
      if (samples.length < SHOWN) samples.push(conflict);
    }
  }

  /** Warnings: they do not refuse the plan, people should know. */
  findings(): Finding[] {
    const text = ({ collection, key, field, reason }: Conflict): string => `${collection} ${key} ${field}: ${reason}`;
    const findings: Finding[] = [];
    if (this.keptCount > 0) {
      findings.push({
        check: 'kept-by-undo',
        title: 'Changed or referred to since the run; stays as it is',
        status: 'warning',
        count: this.keptCount,
        samples: this.kept.map(text),
        advice: "Each is listed with its reason in the undo's report.",
      });
    }
    if (this.goneCount > 0) {
      findings.push({
        check: 'gone-before-undo',
        title: 'Records of the run that are gone',
        status: 'warning',
        count: this.goneCount,
        samples: this.gone.map(text),
        advice: 'Nothing is put back for these.',
      });
    }
    return findings;
  }
}
