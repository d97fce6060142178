/** What lies at a JSON pointer (`/data/0/id`); `*` stands for every element of a list. Empty = nothing is there. */
export function valuesAt(json: unknown, pointer: string): readonly unknown[] {
  let found: unknown[] = [json];
  for (const raw of pointer.split('/').slice(1)) {
    const part = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    found = found.flatMap((value) => below(value, part));
  }
  return found.filter((value) => value !== undefined);
}

function below(value: unknown, part: string): unknown[] {
  if (Array.isArray(value)) return part === '*' ? value : [value[Number(part)]];
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, part)) return [];
  return [(value as Record<string, unknown>)[part]];
}

/** The JSON type of a value. */
export function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
