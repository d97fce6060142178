import { canonicalJson, type JsonObject } from '../shared/json.ts';
import type { Conflict, Sample } from '../systems/system.ts';

const hidden = '•••';
/** Stands for a hidden value that is another than the hidden one before it. */
const hiddenOther = '••• (another)';

/**
 * Shows the values of fields on the allow-list and hides all others; whether a value is there, and whether it changes, stays
 * visible.
 */
export function maskSample(sample: Sample, shown: ReadonlySet<string>): Sample {
  const mask = (values: JsonObject, beside: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(values).map(([field, value]) => {
        if (value === null || shown.has(`${sample.collection}.${field}`)) return [field, value];
        const other = Object.hasOwn(beside, field) ? (beside[field] ?? null) : null;
        return [field, other === null || canonicalJson(other) === canonicalJson(value) ? hidden : hiddenOther];
      }),
    );
  return { ...sample, before: mask(sample.before, {}), after: mask(sample.after, sample.before) };
}

/** The same for a conflict's three values. */
export function maskConflict<C extends Conflict>(conflict: C, shown: ReadonlySet<string>): C {
  if (shown.has(`${conflict.collection}.${conflict.field}`)) return conflict;
  const mask = (value: Conflict['base']): Conflict['base'] => (value === null ? null : hidden);
  return { ...conflict, base: mask(conflict.base), ours: mask(conflict.ours), theirs: mask(conflict.theirs) };
}
