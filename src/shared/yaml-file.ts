import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Document, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { Failure } from './failure.ts';

/** Most that a YAML file may hold, bytes: more is a mistake or an attack. */
const maxBytes = 1_000_000;

/**
 * Reads one YAML file and checks it against a schema, `${name}` in its strings filled in from `variables`. Throws
 * `invalid-file` with line and column for what does not parse, does not fit, or names an unknown variable.
 */
export async function readYamlFile<T>(
  path: string,
  schema: z.ZodType<T>,
  variables: { readonly [name: string]: string } = {},
): Promise<T> {
  const file = basename(path);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw invalid(file, null, cause.code === 'ENOENT' ? 'the file does not exist' : 'the file cannot be read');
  });
  if (Buffer.byteLength(text) > maxBytes) throw invalid(file, null, `the file is larger than ${maxBytes} bytes`);
  const lines = new LineCounter();
  const { document, value } = parse(file, text, lines);
  const filled = fill(value, variables, (name) => {
    // A name that the text spells with escapes has no place of its own.
    const at = text.indexOf(`\${${name}}`);
    const place = at < 0 ? null : lines.linePos(at);
    throw invalid(file, place, `the variable ${name} is not set in the environment's configuration`);
  });
  const parsed = schema.safeParse(filled);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = positionOf(document, lines, issue?.path ?? []);
  throw invalid(file, where, `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'does not fit'}`);
}

/** Parses and resolves aliases. What exhausts the parser (aliases that multiply, nesting without end) is no bug of ours. */
function parse(file: string, text: string, lines: LineCounter): { document: Document; value: unknown } {
  try {
    const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
    const broken = document.errors[0];
    if (broken) throw invalid(file, lines.linePos(broken.pos[0]), broken.message.split('\n')[0] ?? 'not YAML');
    return { document, value: document.toJS({ maxAliasCount: 50 }) };
  } catch (error) {
    if (error instanceof ReferenceError) throw badAlias(file, text, lines, error.message);
    if (error instanceof RangeError) throw invalid(file, null, 'it is nested too deeply');
    throw error;
  }
}

function badAlias(file: string, text: string, lines: LineCounter, message: string): Failure {
  const name = /^Unresolved alias.*: (\S+)$/.exec(message)?.[1];
  if (name === undefined) return invalid(file, null, 'its aliases multiply beyond any use');
  const at = text.indexOf(`*${name}`);
  return invalid(file, at < 0 ? null : lines.linePos(at), `the alias ${name} stands for nothing that comes before it`);
}

function invalid(file: string, at: { line: number; col: number } | null, what: string): Failure {
  const place = at === null ? file : `${file}, line ${at.line}, column ${at.col}`;
  return new Failure({
    code: 'invalid-file',
    message: `${place}: ${what}.`,
    advice: 'Correct the file and ask again. Nothing was changed.',
  });
}

/** Position of the deepest node on the path that exists. */
function positionOf(
  document: Document,
  lines: LineCounter,
  path: readonly PropertyKey[],
): { line: number; col: number } | null {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    const range = (node as { range?: [number, number, number] } | null | undefined)?.range;
    if (range) return lines.linePos(range[0]);
  }
  return null;
}

function fill(
  value: unknown,
  variables: { readonly [name: string]: string },
  unknown: (name: string) => never,
): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) =>
      Object.hasOwn(variables, name) ? (variables[name] as string) : unknown(name),
    );
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, variables, unknown));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, variables, unknown)]));
  }
  return value;
}
