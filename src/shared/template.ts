import { z } from 'zod';

/** `{tenant_id}/files/{storage_path:last}`: texts and fields of a record; `:last` = what follows the last slash. */
interface Part {
  readonly text: string;
  readonly field: string | null;
  readonly last: boolean;
}

export interface Template {
  /** The fields that it names, each once. */
  readonly fields: readonly string[];
  /** Null where one of the fields has no value. `encode` gets each value, and whether it is all that the template holds. */
  fill(values: { readonly [field: string]: unknown }, encode?: (text: string, alone: boolean) => string): string | null;
}

const placeholder = /\{([^{}:]+)(:last)?\}/g;

/** Whether each brace of a text belongs to a field, and there is at least one. */
export function isTemplate(text: string): boolean {
  const rest = text.replaceAll(placeholder, '');
  return rest !== text && !/[{}]/.test(rest);
}

/** A template as a parameter of a step. */
export const templateSchema = z
  .string()
  .max(1024)
  .refine(isTemplate, 'write fields in braces, e.g. {tenant_id}/files/{filename}');

export function parseTemplate(text: string): Template {
  const parts: Part[] = [];
  let from = 0;
  for (const match of text.matchAll(placeholder)) {
    parts.push({ text: text.slice(from, match.index), field: match[1] ?? '', last: match[2] !== undefined });
    from = match.index + match[0].length;
  }
  const end = text.slice(from);
  const alone = end === '' && parts.length === 1 && parts[0]?.text === '';
  return {
    fields: [...new Set(parts.flatMap(({ field }) => (field === null ? [] : [field])))],
    fill(values, encode = (value) => value) {
      let filled = '';
      for (const { text: before, field, last } of parts) {
        const value = textOf(values[field ?? '']);
        const part = last ? (value?.slice(value.lastIndexOf('/') + 1) ?? '') : value;
        if (!part) return null;
        filled += before + encode(part, alone && !last);
      }
      return filled + end;
    },
  };
}

/** Only what has one spelling: no lists, no objects, no fractions. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : null;
}
