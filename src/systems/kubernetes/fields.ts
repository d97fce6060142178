import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../shared/json.ts';
import type { PatchOperation } from './client.ts';
import type { Manifest } from './manifest.ts';

/**
 * A place in a manifest: names joined by `/`, with `/` and `~` in a name written `~1` and `~0`, as JSON pointers do. An
 * element of a list goes by its field `name`: `/spec/template/spec/containers/name=web/image`.
 */
export type FieldPath = string;
/** Null = the field is absent. */
export type Fields = { readonly [path: FieldPath]: Json };

/** The place of an annotation. */
export function annotationPath(name: string): FieldPath {
  return `/metadata/annotations/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
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
  const operations: PatchOperation[] = [];
  const made = new Set<string>();
  for (const path of differing(manifest, fields)) {
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

function segmentsOf(path: FieldPath): string[] {
  return path
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function childOf(value: Json, segment: string): Json | undefined {
  if (Array.isArray(value)) return value[indexOf(value, segment)];
  if (value === null || typeof value !== 'object') return undefined;
  const object = value as { readonly [key: string]: Json };
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
