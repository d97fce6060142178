import type { JsonObject } from '../shared/json.ts';
import type { Conflict, Sample } from '../systems/system.ts';

const hidden = '•••';

/** Shows the values of fields on the allow-list and hides all others; whether a value is there stays visible. */
export function maskSample(sample: Sample, shown: ReadonlySet<string>): Sample {
  const mask = (values: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(values).map(([field, value]) => [
        field,
        value === null || shown.has(`${sample.collection}.${field}`) ? value : hidden,
      ]),
    );
  return { ...sample, before: mask(sample.before), after: mask(sample.after) };
}

/** The same for a conflict's three values. */
export function maskConflict<C extends Conflict>(conflict: C, shown: ReadonlySet<string>): C {
  if (shown.has(`${conflict.collection}.${conflict.field}`)) return conflict;
  const mask = (value: Conflict['base']): Conflict['base'] => (value === null ? null : hidden);
  return { ...conflict, base: mask(conflict.base), ours: mask(conflict.ours), theirs: mask(conflict.theirs) };
}
