import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '../../shared/json.ts';
import { type FieldPath, type Fields, pointerTo } from './fields.ts';
import type { Manifest } from './manifest.ts';

/** What the server keeps for itself. */
const ofTheServer: readonly FieldPath[] = [
  '/status',
  '/metadata/managedFields',
  '/metadata/resourceVersion',
  '/metadata/generation',
  '/metadata/creationTimestamp',
  '/metadata/uid',
];

/** The fields in which two manifests of one object differ, with their values in both; as deep as it goes. */
export function diffManifests(before: Manifest, after: Manifest): { readonly before: Fields; readonly after: Fields } {
  const found: [FieldPath, Json, Json][] = [];
  walk('', before as unknown as Json, after as unknown as Json, found);
  return {
    before: Object.fromEntries(found.map(([path, old]) => [path, old])),
    after: Object.fromEntries(found.map(([path, , fresh]) => [path, fresh])),
  };
}

function walk(path: FieldPath, before: Json, after: Json, found: [FieldPath, Json, Json][]): void {
  if (ofTheServer.includes(path) || isDeepStrictEqual(before, after)) return;
  if (isObject(before) && isObject(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      walk(`${path}${pointerTo(name)}`, before[name] ?? null, after[name] ?? null, found);
    }
    return;
  }
  const names = namesOf(before);
  if (names !== null && isDeepStrictEqual(names, namesOf(after))) {
    for (const [index, name] of names.entries()) {
      walk(
        `${path}${pointerTo(`name=${name}`)}`,
        (before as Json[])[index] ?? null,
        (after as Json[])[index] ?? null,
        found,
      );
    }
    return;
  }
  found.push([path, before, after]);
}

/** Of a list whose elements go by their names (containers, ports, variables); null = it is none. */
function namesOf(value: Json): readonly string[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const names = value.map((item) => (isObject(item) && typeof item.name === 'string' ? item.name : null));
  return names.includes(null) || new Set(names).size < names.length ? null : (names as string[]);
}

function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
