import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { Failure } from './failure.ts';
import type { Json } from './json.ts';

/** Most that a YAML file may hold, bytes: more is a mistake or an attack. */
const maxBytes = 1_000_000;

type Variables = { readonly [name: string]: string };
type Path = readonly PropertyKey[];
type Place = { readonly line: number; readonly col: number };

/** A file that fits its schema, for looking at it more closely. */
export interface YamlFile<T> {
  readonly value: T;
  /** The content as written, variables filled in, without the schema's defaults. */
  readonly content: Json;
  /** An `invalid-file` failure at the node under this path; it says what is wrong in words that go on after a colon. */
  refuse(path: Path, what: string): Failure;
  /** The same for what a schema found in the node under this path. */
  refuseIssue(path: Path, issue: z.core.$ZodIssue): Failure;
}

/** Reads one YAML file as `openYamlFile` does and answers what it says. */
export async function readYamlFile<T>(path: string, schema: z.ZodType<T>, variables: Variables = {}): Promise<T> {
  return (await openYamlFile(path, schema, variables)).value;
}

/**
 * Reads one YAML file and checks it against a schema, `${name}` in its strings filled in from `variables`. Throws
 * `invalid-file` with line and column for what does not parse, does not fit, or names an unknown variable.
 */
export async function openYamlFile<T>(
  path: string,
  schema: z.ZodType<T>,
  variables: Variables = {},
): Promise<YamlFile<T>> {
  const file = basename(path);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw invalid(file, null, cause.code === 'ENOENT' ? 'the file does not exist' : 'the file cannot be read');
  });
  if (Buffer.byteLength(text) > maxBytes) throw invalid(file, null, `the file is larger than ${maxBytes} bytes`);
  const { document, value, lines } = parseOnce(file, text);
  const content = fill(value, variables, (name, what) => {
    // A name that the text spells with escapes has no place of its own.
    const at = text.indexOf(`\${${name}}`);
    throw invalid(file, at < 0 ? null : lines.linePos(at), what);
  });
  const refuse = (at: Path, what: string): Failure => invalid(file, placeOf(document, lines, at), what);
  const refuseIssue = (at: Path, found: z.core.$ZodIssue): Failure => {
    const issue = clearestIssue(found);
    const where = [...at, ...issue.path];
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const place =
      (unknown === undefined ? null : keyPlace(document, lines, where, unknown)) ?? placeOf(document, lines, where);
    return invalid(file, place, `${where.join('.') || 'the file'}: ${issue.message}`);
  };
  const parsed = schema.safeParse(content);
  const issue = tellingIssue(parsed.error);
  if (!parsed.success) throw issue ? refuseIssue([], issue) : refuse([], 'the file does not fit');
  return { value: parsed.data, content: content as Json, refuse, refuseIssue };
}

/** The issue to begin with: a key that nobody knows is most often the one that is said to be missing. */
export function tellingIssue(error: z.core.$ZodError | undefined): z.core.$ZodIssue | undefined {
  return error?.issues.find(({ code }) => code === 'unrecognized_keys') ?? error?.issues[0];
}

/** Of a choice that fits none of its forms: what is wrong in the form that it comes nearest to. */
function clearestIssue(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const forms = issue.errors.flatMap((issues) => issues.slice(0, 1).map(clearestIssue));
  const deepest = forms.toSorted((a, b) => b.path.length - a.path.length)[0];
  if (!deepest || deepest.path.length === 0) return issue;
  return { ...deepest, path: [...issue.path, ...deepest.path] };
}

interface Parsed {
  readonly document: Document;
  readonly value: unknown;
  readonly lines: LineCounter;
}

const parsedTexts = new Map<string, Parsed>();
const mostParsed = 64;

/** Files are read each time, and parsed when they say something new: in a rush of questions parsing was what everybody waited for. */
function parseOnce(file: string, text: string): Parsed {
  const known = parsedTexts.get(text);
  if (known !== undefined) return known;
  const lines = new LineCounter();
  // Nobody changes it: what is given out are copies with the variables filled in.
  const parsed = { ...parse(file, text, lines), lines };
  for (const oldest of parsedTexts.keys()) {
    if (parsedTexts.size < mostParsed) break;
    parsedTexts.delete(oldest);
  }
  parsedTexts.set(text, parsed);
  return parsed;
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

function invalid(file: string, at: Place | null, what: string): Failure {
  const place = at === null ? file : `${file}, line ${at.line}, column ${at.col}`;
  return new Failure({
    code: 'invalid-file',
    message: `${place}: ${/[.?]$/.test(what) ? what : `${what}.`}`,
    advice: 'Correct the file and ask again. Nothing was changed.',
  });
}

/** Position of the deepest node on the path that exists. */
function placeOf(document: Document, lines: LineCounter, path: Path): Place | null {
  for (let length = path.length; length >= 0; length -= 1) {
    const range = nodeAt(document, path.slice(0, length))?.range;
    if (range) return lines.linePos(range[0]);
  }
  return null;
}

/** Position of a key in the map under the path; null where an alias stands for the map. */
function keyPlace(document: Document, lines: LineCounter, path: Path, key: string): Place | null {
  const node = nodeAt(document, path);
  if (!isMap(node)) return null;
  const found = node.items.map((pair) => pair.key).find((candidate) => isScalar(candidate) && candidate.value === key);
  return isScalar(found) && found.range ? lines.linePos(found.range[0]) : null;
}

function nodeAt(document: Document, path: Path): Node | null {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return (node ?? null) as Node | null;
}

/** Puts variables into texts and keys; `refuse` is called with the variable that cannot be put there, and why. */
function fill(value: unknown, variables: Variables, refuse: (name: string, why: string) => never): unknown {
  if (typeof value === 'string') return fillText(value, variables, refuse);
  if (Array.isArray(value)) return value.map((item) => fill(item, variables, refuse));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [
    fillText(key, variables, refuse),
    fill(item, variables, refuse),
  ]);
  const doubled = entries.find(([key], index) => entries.findIndex(([other]) => other === key) !== index);
  if (doubled) {
    const name = Object.keys(value).flatMap((key) => /\$\{(\w+)\}/.exec(key)?.[1] ?? [])[0] ?? '';
    refuse(name, `the key ${doubled[0]} is there twice once ${name} is filled in`);
  }
  return Object.fromEntries(entries);
}

function fillText(text: string, variables: Variables, refuse: (name: string, why: string) => never): string {
  return text.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) =>
    Object.hasOwn(variables, name)
      ? (variables[name] as string)
      : refuse(name, `the variable ${name} is not set in the environment's configuration`),
  );
}
