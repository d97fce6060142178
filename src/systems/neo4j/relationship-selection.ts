import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Json } from '../../shared/json.ts';
import type { Finding } from '../finding.ts';
import type { BatchRequest } from '../system.ts';
import type { Store } from './batch.ts';
import type { GraphTransaction } from './connection.ts';
import { countAndSample } from './count-and-sample.ts';
import { checkExpression, type Expression } from './expression.ts';
import { escapeName, graphName } from './name.ts';
import { ensureReading } from './reading.ts';
import { checkKeys, refuseKey } from './records.ts';
import { cypher, type Statement } from './statement.ts';

/** How nodes at one end of a relationship are told apart: a label and a property that is unique in it. */
export const endRule = z.strictObject({
  label: graphName.describe('Label of the nodes at this end'),
  key: graphName.describe('Property that identifies them: text, unique'),
});
type EndRule = Readonly<z.infer<typeof endRule>>;

/** Which relationships a step is about: those of a type between two labels for which a condition over `r`, `a`, `b` holds. */
export interface RelationshipSelection {
  readonly type: string;
  readonly from: EndRule;
  readonly to: EndRule;
  readonly where: Expression;
}

/** Where the next batch begins: after which relationship, by the keys of its ends and Neo4j's id among parallel ones. */
export interface RelationshipCursor {
  readonly from: string;
  readonly to: string;
  readonly id: bigint;
  /** Of the pair of ends that the batch before ended in: whether a relationship of the new type was there before the step. */
  readonly there: boolean;
}

export const FIRST: RelationshipCursor = { from: '', to: '', id: -1n, there: false };

export function relationshipCursorOf(batch: BatchRequest): RelationshipCursor {
  const cursor = batch.cursor as { [key: string]: Json } | null;
  if (cursor === null) return FIRST;
  return {
    from: String(cursor.from),
    to: String(cursor.to),
    id: BigInt(String(cursor.id)),
    there: cursor.there === true,
  };
}

export function cursorJson({ id, ...cursor }: RelationshipCursor): Json {
  return { ...cursor, id: String(id) };
}

export function patternOf({ type, from, to }: RelationshipSelection): string {
  return `(a:${escapeName(from.label)})-[r:${escapeName(type)}]->(b:${escapeName(to.label)})`;
}

/**
 * Relationships in the order of both ends' keys and their id, one node after the other, so that no more than one node's
 * relationships are ever sorted; `bounded` = only `$size` of them, after `$from`, `$to`, `$id`.
 */
export function inKeyOrder(selection: RelationshipSelection, bounded: boolean, tail: string): Statement {
  const { from, to, where } = selection;
  const [fromKey, toKey] = [`a.${escapeName(from.key)}`, `b.${escapeName(to.key)}`];
  const after = `(${fromKey} > $from OR ${toKey} > $to OR (${toKey} = $to AND id(r) > $id)) AND `;
  const limit = bounded ? 'LIMIT $size' : '';
  return cypher`MATCH (a:${escapeName(from.label)}) WHERE ${fromKey} >= ${bounded ? '$from' : "''"} WITH a ORDER BY ${fromKey}
CALL { WITH a MATCH ${patternOf(selection)} WHERE ${bounded ? after : ''}${where}
  RETURN r, b ORDER BY ${toKey}, id(r) ${limit} }
WITH a, r, b ${limit} ${tail}`;
}

/** Checks the condition; throws `invalid-statement` where it does more than read. */
export async function selectRelationships(
  store: Store,
  { type, from, to, where }: Omit<RelationshipSelection, 'where'> & { readonly where?: string | undefined },
): Promise<RelationshipSelection> {
  const selection = { type, from, to, where: checkExpression('where', where ?? 'true') };
  await ensureReading(
    store.connection,
    cypher`MATCH ${patternOf(selection)} WHERE ${selection.where} RETURN r`,
    'where',
  );
  return selection;
}

const NOTHING: Expression = { place: 'where', cypher: 'false', sequenced: false };

/** What makes the keys of the ends unfit to identify the relationships; empty when they are fit. */
export async function checkEnds(transaction: GraphTransaction, selection: RelationshipSelection): Promise<Finding[]> {
  const findings: Finding[] = [];
  const ends = [
    { rule: selection.from, node: 'a' },
    { rule: selection.to, node: 'b' },
  ];
  for (const { rule, node } of ends) {
    const { label, key } = rule;
    const match = cypher`MATCH ${patternOf(selection)} WHERE NOT ${node}.${escapeName(key)} IS :: STRING NOT NULL AND ${selection.where}`;
    const { count } = await countAndSample(transaction, match.text, 'type(r)');
    if (count > 0) {
      findings.push({
        check: 'key-is-text',
        title: `${label}.${key} is there, as text, at each ${selection.type}`,
        status: 'failed',
        count,
        samples: [],
        advice: `Give these ${label} records a ${key} of type string, or name another key.`,
      });
    }
    if (node === 'b' && label === selection.from.label && key === selection.from.key) continue;
    findings.push(...(await checkKeys(transaction, { label, key, where: NOTHING })));
  }
  return findings;
}

/** The same as a failure, for the moment before the first write. */
export async function refuseUnfitEnds(transaction: GraphTransaction, selection: RelationshipSelection): Promise<void> {
  const [finding] = await checkEnds(transaction, selection);
  if (!finding) return;
  throw new Failure({
    code: 'precondition-failed',
    message: `Not so: ${finding.title}. Relationships cannot be told apart by it.`,
    advice: finding.advice ?? 'Correct the records.',
  });
}

/** Refuses keys of rows that came back from the store and are no text, or not in ascending order. */
export function textKey(rule: EndRule, value: unknown): string {
  if (typeof value !== 'string') throw refuseKey(rule, 'is missing or not text in some records');
  return value;
}

/** Narrows to the relationships that begin at the canary's records; the predicate is over `n`. Null = all stay. */
export function narrowByStart(where: string | undefined, canary: string | null): string | undefined {
  if (canary === null) return where;
  checkExpression('where', where ?? 'true');
  checkExpression('canary', canary);
  // Not `MATCH (n) WHERE n = a`: the server would look at every node for every relationship.
  return `(${where ?? 'true'}) AND EXISTS { WITH a AS n WHERE (${canary}) RETURN 1 }`;
}
