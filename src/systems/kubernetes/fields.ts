import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '../../shared/json.ts';
import type { PatchOperation } from './client.ts';
import type { Manifest } from './manifest.ts';

/**
 * A place in a manifest: names joined by `/`, with `/` and `~` in a name written `~1` and `~0`, as JSON pointers do. An
 * element of a list goes by its field `name`: `/spec/template/spec/containers/name=web/image`. A text that holds JSON is entered
 * by `=json`: `/data/flags.json/=json/flags/new-view/state`; all of the text is written, only the field is compared.
 */
export type FieldPath = string;
/** Null = the field is absent. */
export type Fields = { readonly [path: FieldPath]: Json };

/** The place of an annotation. */
export function annotationPath(name: string): FieldPath {
  return pointerTo('metadata', 'annotations', name);
}

/** The place that these names lead to, from the outermost in. */
export function pointerTo(...names: readonly string[]): FieldPath {
  return names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The value there; null where it or anything above it is absent. */
export function readField(manifest: Manifest, path: FieldPath): Json {
  let value: Json = manifest as unknown as Json;
  for (const segment of segmentsOf(path)) value = childOf(value, segment) ?? null;
  return value;
}

/** Those of the fields that do not have these values. */
export function differing(manifest: Manifest, fields: Fields): FieldPath[] {
  return Object.keys(fields).filter((path) => !isDeepStrictEqual(readField(manifest, path), fields[path]));
}

/** The patch that gives the object these fields. Missing objects above a field are made. */
export function patchTo(manifest: Manifest, fields: Fields): PatchOperation[] {
  const paths = differing(manifest, fields);
  const operations = patchTexts(manifest, fields, paths.filter(isInsideOfText));
  const made = new Set<string>();
  for (const path of paths) {
    if (isInsideOfText(path)) continue;
    const value = fields[path] ?? null;
    const segments = segmentsOf(path);
    let pointer = '';
    let there: Json = manifest as unknown as Json;
    for (const [i, segment] of segments.entries()) {
      pointer += `/${pointerName(there, segment)}`;
      there = childOf(there, segment) ?? null;
      const last = i === segments.length - 1;
      if (!last && there === null && value !== null && !made.has(pointer)) {
        made.add(pointer);
        operations.push({ op: 'add', path: pointer, value: {} });
      }
    }
    operations.push(value === null ? { op: 'remove', path: pointer } : { op: 'add', path: pointer, value });
  }
  return operations;
}

const opensJson = '=json';

function isInsideOfText(path: FieldPath): boolean {
  return path.includes(`/${opensJson}/`);
}

/** Each text once, with all of its fields. */
function patchTexts(manifest: Manifest, fields: Fields, paths: readonly FieldPath[]): PatchOperation[] {
  const texts = new Map<FieldPath, JsonObject>();
  for (const path of paths) {
    const [outer, inner] = path.split(`/${opensJson}`) as [string, string];
    const holder = texts.get(outer) ?? parseObject(readField(manifest, outer));
    texts.set(outer, withField(holder, segmentsOf(inner), fields[path] ?? null));
  }
  return [...texts].map(([path, holder]) => {
    const before = readField(manifest, path);
    const indent = typeof before === 'string' && !before.trimEnd().includes('\n') ? 0 : 2;
    return { op: 'add', path, value: JSON.stringify(holder, null, indent) };
  });
}

/** A copy with this field, in its old place. */
function withField(holder: JsonObject, [first = '', ...rest]: readonly string[], value: Json): JsonObject {
  const inner = holder[first];
  const next = rest.length === 0 ? value : withField(isObject(inner) ? inner : {}, rest, value);
  if (next !== null) return { ...holder, [first]: next };
  return Object.fromEntries(Object.entries(holder).filter(([name]) => name !== first));
}

function parseObject(text: Json): JsonObject {
  try {
    const parsed = JSON.parse(String(text)) as Json;
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function segmentsOf(path: FieldPath): string[] {
  return path
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function childOf(value: Json, segment: string): Json | undefined {
  if (Array.isArray(value)) return value[indexOf(value, segment)];
  if (typeof value === 'string' && segment === opensJson) return parseObject(value);
  if (value === null || typeof value !== 'object') return undefined;
  const object = value as JsonObject;
  return Object.hasOwn(object, segment) ? object[segment] : undefined;
}

function indexOf(list: readonly Json[], segment: string): number {
  const name = segment.replace(/^name=/, '');
  return list.findIndex((item) => (item as { name?: Json } | null)?.name === name);
}

function pointerName(value: Json, segment: string): string {
  const name = Array.isArray(value) ? String(indexOf(value, segment)) : segment;
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
