import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Json, JsonObject } from '../../shared/json.ts';
import type { ObjectEntry } from './objects.ts';

const pattern = z.string().refine(isRegex, 'is no regular expression');

/** Which objects: by prefix, by a regular expression over the key, by fields. Null = the field must be absent. */
const selectionSchema = z.strictObject({
  prefix: z.string().optional(),
  match: pattern.optional(),
  where: z.record(z.string(), pattern.nullable()).optional(),
});

/** As above; `must` then holds for each of them. `$1` stands for a group that `match` caught. */
const ruleSchema = selectionSchema.extend({ must: z.record(z.string(), z.string().nullable()) });

export type Selection = z.infer<typeof selectionSchema>;
export type Rule = z.infer<typeof ruleSchema>;

export function isRegex(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

/** Reads the `where` of a scan; throws `invalid-statement`. */
export function parseSelection(text: string): Selection {
  return parse(text, selectionSchema);
}

/** Reads a check's statement; throws `invalid-statement`. */
export function parseRule(text: string): Rule {
  const rule = parse(text, ruleSchema);
  for (const value of Object.values(rule.must)) {
    if (value !== null && !isRegex(fill(value, [], asPlain))) throw invalid('a value of must is no regular expression');
  }
  return rule;
}

function parse<T>(text: string, schema: z.ZodType<T>): T {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw invalid('it is not JSON');
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`${issue?.path.join('.') || 'it'} ${issue?.message ?? 'does not fit'}`);
}

function invalid(why: string): Failure {
  return new Failure({
    code: 'invalid-statement',
    message: `This statement about objects cannot be read: ${why}.`,
    advice:
      'Write JSON such as {"match": "^(tenant_\\\\d+)/", "must": {"tag.tenant": "$1"}}; src/systems/minio/README.md.',
  });
}

/** One field of an object; null where it has none. Fields: key, etag, size, last_modified, version_id, content_type, tag.… */
export function fieldOf(entry: ObjectEntry, field: string): Json {
  if (field.startsWith('tag.')) return entry.tags[field.slice(4)] ?? null;
  if (field.startsWith('meta.')) return entry.metadata[`x-amz-meta-${field.slice(5)}`] ?? null;
  switch (field) {
    case 'key':
      return entry.key;
    case 'etag':
      return entry.etag;
    case 'size':
      return entry.size;
    case 'last_modified':
      return entry.lastModified;
    case 'version_id':
      return entry.versionId;
    case 'content_type':
      return entry.metadata['content-type'] ?? null;
    default:
      return null;
  }
}

export function fieldsOf(entry: ObjectEntry, fields: readonly string[]): JsonObject {
  return Object.fromEntries(fields.map((field) => [field, fieldOf(entry, field)]));
}

/** What the key's expression caught, or null where the object is not selected. */
export function select(selection: Selection, entry: ObjectEntry): RegExpMatchArray | null {
  if (selection.prefix !== undefined && !entry.key.startsWith(selection.prefix)) return null;
  const caught = entry.key.match(new RegExp(selection.match ?? '', 'u'));
  if (!caught) return null;
  const wanted = Object.entries(selection.where ?? {});
  return wanted.every(([field, value]) => holds(fieldOf(entry, field), value)) ? caught : null;
}

/** Fields of a selected object that break the rule. */
export function brokenFields(rule: Rule, entry: ObjectEntry): string[] {
  const caught = select(rule, entry);
  if (!caught) return [];
  return Object.entries(rule.must)
    .filter(([field, value]) => !holds(fieldOf(entry, field), value === null ? null : fill(value, caught, asPlain)))
    .map(([field]) => field);
}

function holds(value: Json, wanted: string | null): boolean {
  if (wanted === null || value === null) return value === wanted;
  return new RegExp(`^(?:${wanted})$`, 'u').test(String(value));
}

/** Puts caught groups where `$1` to `$9` stand; `$$` is a dollar sign. */
export function fill(
  template: string,
  caught: readonly string[],
  encode: (text: string) => string = (text) => text,
): string {
  return template.replace(/\$([1-9$])/g, (_, which: string) =>
    which === '$' ? '$' : encode(caught[Number(which)] ?? ''),
  );
}

function asPlain(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
