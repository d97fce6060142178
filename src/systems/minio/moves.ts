import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { JsonObject } from '../../shared/json.ts';
import { parseTemplate, templateSchema } from '../../shared/template.ts';
import type { CanaryOf, StepContext } from '../system.ts';
import { copyMark } from './copy-object.ts';
import { listLatest } from './objects.ts';
import type { S3 } from './s3.ts';
import { fill, isRegex, parseSelection, select } from './selection.ts';

const recordsSchema = z.strictObject({
  system: z.string().min(1).describe('The configured system that holds the records, e.g. graph.'),
  collection: z.string().min(1).describe('A label or table there.'),
  key: z.string().min(1).describe('A unique field of text: batches go by it.'),
  where: z.string().min(1).optional().describe("A predicate in that system's language; absent = all records."),
});

/** Objects that records of another system name. */
export const byRecordsSchema = z.strictObject({
  for: recordsSchema.describe('The records that say which object is theirs.'),
  source: templateSchema.describe(
    'The key as it is, with fields of the record in braces: {tenant_id}/files/{filename}.',
  ),
  target: templateSchema.describe('The key as it is to be. {field:last} = what follows the last slash of the value.'),
});

/** Objects by their own keys. */
export const byKeysSchema = z
  .strictObject({
    prefix: z.string().optional().describe('Only objects whose key begins with this.'),
    match: z.string().refine(isRegex, 'is no regular expression').describe('A regular expression over the key.'),
    target: z.string().min(1).max(1024).describe('The key as it is to be; $1 to $9 stand for the groups of match.'),
    only: z.string().optional().describe("Narrows further: JSON as in a scan's where."),
  })
  .refine(
    ({ match, target, prefix = '' }) => !(target.startsWith(prefix) && new RegExp(match, 'u').test(target)),
    'the target matches again: it would be copied on and on',
  );

export const movesSchema = z.union([byRecordsSchema, byKeysSchema]);
export type Moves = z.infer<typeof movesSchema>;

/** One object's way. */
export interface Move {
  /** The record's key, or the object's: batches go by it. */
  readonly key: string;
  readonly source: string;
  readonly target: string;
}

/** A record of which no keys can be made. */
export interface Unmovable {
  readonly key: string;
  readonly problem: 'incomplete' | 'unsafe';
}

/** All moves, in the order of their keys, after a key. Where source and target are one there is nothing to move. */
export async function* readMoves(
  s3: S3,
  moves: Moves,
  after: string,
  context: StepContext,
): AsyncIterable<Move | Unmovable> {
  const all = 'for' in moves ? movesOfRecords(moves, after, context) : movesOfKeys(s3, moves, after, context);
  for await (const move of all) {
    if ('problem' in move || move.source !== move.target) yield move;
  }
}

async function* movesOfRecords(
  { for: records, source, target }: z.infer<typeof byRecordsSchema>,
  after: string,
  context: StepContext,
): AsyncIterable<Move | Unmovable> {
  const [from, to] = [parseTemplate(source), parseTemplate(target)];
  const { system, where, ...rest } = records;
  const query = {
    ...rest,
    fields: [...new Set([...from.fields, ...to.fields])],
    ...(where === undefined ? {} : { where }),
    ...(after === '' ? {} : { after }),
  };
  for await (const { key, values } of context.scan(system, query)) {
    let unsafe = false;
    const judge = (value: string, alone: boolean): string => {
      unsafe ||= !isSafeValue(value, alone);
      return value;
    };
    const [old, next] = [from.fill(values, judge), to.fill(values, judge)];
    if (old === null || next === null) yield { key, problem: 'incomplete' };
    else if (unsafe || !isSafeKey(old) || !isSafeKey(next)) yield { key, problem: 'unsafe' };
    else yield { key, source: old, target: next };
  }
}

/** Copies that a step like this one made are not copied again. */
async function* movesOfKeys(
  s3: S3,
  moves: z.infer<typeof byKeysSchema>,
  after: string,
  context: StepContext,
): AsyncIterable<Move | Unmovable> {
  const selection = { ...(moves.prefix === undefined ? {} : { prefix: moves.prefix }), match: moves.match };
  const only = moves.only === undefined ? null : parseSelection(moves.only);
  const listing = { prefix: moves.prefix ?? '', signal: context.signal, ...(after === '' ? {} : { after }) };
  const ours = `${encodeURIComponent(context.runId)}/${encodeURIComponent(context.stepId)}/`;
  for await (const entry of listLatest(s3, listing)) {
    const caught = select(selection, entry);
    if (!caught || (only && !select(only, entry)) || entry.metadata[copyMark]?.startsWith(ours)) continue;
    const target = fill(moves.target, caught);
    if (isSafeKey(target)) yield { key: entry.key, source: entry.key, target };
    else yield { key: entry.key, problem: 'unsafe' };
  }
}

/** A value among others makes one part of a path, never more; alone it may be a whole path. */
function isSafeValue(value: string, alone: boolean): boolean {
  return alone || !value.includes('/');
}

/** No way out of its folder, nothing that listings cannot carry, at most 1,024 bytes. */
export function isSafeKey(key: string): boolean {
  if (key === '' || Buffer.byteLength(key) > 1024 || /\p{Cc}|\\/u.test(key) || !key.isWellFormed()) return false;
  return key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/** The same moves of the canary's records only. */
export function narrowMoves<M extends Moves>(moves: M, canaryOf: CanaryOf, bucket: string): M {
  if ('for' in moves) {
    const predicate = canaryOf(moves.for.system, moves.for.collection);
    if (predicate === null) return moves;
    const where = moves.for.where === undefined ? predicate : `(\n${moves.for.where}\n) AND (\n${predicate}\n)`;
    return { ...moves, for: { ...moves.for, where } };
  }
  const predicate = canaryOf(null, bucket);
  return predicate === null ? moves : { ...moves, only: predicate };
}

/** A step's input as its YAML parameters. */
export function asParameters(input: object): JsonObject {
  return JSON.parse(JSON.stringify(input)) as JsonObject;
}

export function unmovable(system: string, { key, problem }: Unmovable): Failure {
  const why = problem === 'unsafe' ? 'its values make a key that is not safe' : 'a field of its keys has no value';
  return new Failure({
    code: 'precondition-failed',
    message: `${system}: the record ${key} names no object: ${why}.`,
    advice: 'This batch was not begun, earlier ones stand. Correct the record or leave it out, then retry or undo.',
  });
}
