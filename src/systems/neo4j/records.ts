import { Failure } from '../../shared/failure.ts';
import { digestOf, type Json } from '../../shared/json.ts';
import type { Finding } from '../finding.ts';
import type { BatchRequest } from '../system.ts';
import type { Connection, GraphTransaction } from './connection.ts';
import type { Expression } from './expression.ts';
import { escapeName } from './name.ts';
import { cypher, type Statement } from './statement.ts';

/** Which records a step is about: those of a label for which a condition over `n` holds, by their unique key. */
export interface Selection {
  readonly label: string;
  readonly key: string;
  readonly where: Expression;
  /** Leaves out records for which a node of this label and key is there already. */
  readonly unless?: { readonly label: string; readonly key: string; readonly value: Expression };
}

/** A record that the open transaction has locked. The id is Neo4j's own, good within this transaction only. */
export interface LockedRecord {
  readonly id: bigint;
  readonly key: string;
}

/** Where the next batch begins: after which key, and with which ordinal of `$sequence`. */
interface Cursor {
  readonly after: string;
  readonly ordinal: number;
}

export function cursorOf(batch: BatchRequest): Cursor | null {
  const cursor = batch.cursor as { [key: string]: Json } | null;
  return cursor === null ? null : { after: String(cursor.after), ordinal: Number(cursor.ordinal) };
}

/** Takes the write locks of `n` in the order of the rows, leaving no trace. */
export const LOCK = 'SET n._tas_lock = true REMOVE n._tas_lock';

/** Selects in key order; `$after` null means from the beginning. */
export function selectStatement(selection: Selection, tail: string, after: string | null): Statement {
  const { label, key, where, unless } = selection;
  const property = `n.${escapeName(key)}`;
  const head = `MATCH (n:${escapeName(label)}) WHERE ${after === null ? '' : `${property} > $after AND `}`;
  const rest = `WITH n ORDER BY ${property} ${tail}`;
  if (!unless) return cypher`${head}${where} ${rest}`;
  const there = `EXISTS { MATCH (_tas_node:${escapeName(unless.label)}) WHERE _tas_node.${escapeName(unless.key)} = `;
  return cypher`${head}${where} AND NOT ${there}${unless.value} } ${rest}`;
}

/** The failure of a key that does not identify records. */
export function refuseKey(selection: Pick<Selection, 'label' | 'key'>, problem: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${selection.label}.${selection.key} ${problem}, so records cannot be told apart by it.`,
    advice: 'Give every record a key of its own, as text, or name another key.',
  });
}

/** Locks the next records in key order, so that two transactions never wait for each other in a circle. */
export async function lockNext(
  transaction: GraphTransaction,
  selection: Selection,
  after: string | null,
  size: number,
): Promise<LockedRecord[]> {
  // One row for all: a row a record takes server and driver several times as long.
  const tail = `LIMIT $size ${LOCK} RETURN collect([id(n), n.${escapeName(selection.key)}])`;
  const { text } = selectStatement(selection, tail, after);
  const [[rows]] = (await transaction.run(text, { size: BigInt(size), after })) as [[[bigint, unknown][]]];
  return rows.map(([id, key], i) => {
    if (typeof key !== 'string') throw refuseKey(selection, 'is missing or not text in some records');
    if (key === rows[i - 1]?.[1]) throw refuseKey(selection, 'is not unique');
    return { id, key };
  });
}

/** Finds the records with these keys and, unless only looking, locks them in key order; those that are gone are left out. */
export async function findByKeys(
  transaction: GraphTransaction,
  { label, key }: { readonly label: string; readonly key: string },
  keys: readonly string[],
  purpose: 'lock' | 'look',
): Promise<Map<string, bigint>> {
  const property = `n.${escapeName(key)}`;
  const statement = `MATCH (n:${escapeName(label)}) WHERE ${property} IN $keys WITH n ORDER BY ${property} ${purpose === 'lock' ? LOCK : ''} RETURN ${property}, id(n)`;
  const found = new Map<string, bigint>();
  for (const [value, id] of await transaction.run(statement, { keys })) {
    if (found.has(value as string)) throw refuseKey({ label, key }, 'is not unique');
    found.set(value as string, id as bigint);
  }
  return found;
}

async function isUnique(transaction: GraphTransaction, label: string, key: string): Promise<boolean> {
  const rows = await transaction.run(
    `SHOW CONSTRAINTS YIELD type, entityType, labelsOrTypes, properties
     WHERE entityType = 'NODE' AND type IN ['UNIQUENESS', 'NODE_KEY'] AND labelsOrTypes = [$label] AND properties = [$key]
     RETURN count(*)`,
    { label, key },
  );
  return Number(rows[0]?.[0]) > 0;
}

/** What makes the key unfit to identify the records; empty when it is fit. */
export async function checkKeys(transaction: GraphTransaction, selection: Selection): Promise<Finding[]> {
  const { label, key, where } = selection;
  const [node, property] = [`n:${escapeName(label)}`, `n.${escapeName(key)}`];
  const findings: Finding[] = [];
  const unkeyed = cypher`MATCH (${node}) WHERE NOT ${property} IS :: STRING NOT NULL AND ${where} RETURN count(n)`;
  const missing = Number((await transaction.run(unkeyed.text))[0]?.[0]);
  if (missing > 0) {
    findings.push({
      check: 'key-is-text',
      title: `${label}.${key} is there, as text`,
      status: 'failed',
      count: missing,
      samples: [],
      advice: `Give these ${label} records a ${key} of type string, or name another key.`,
    });
  }
  if (await isUnique(transaction, label, key)) return findings;
  const [row] = await transaction.run(
    `MATCH (${node}) WHERE ${property} IS NOT NULL WITH ${property} AS key, count(*) AS times WHERE times > 1
     RETURN count(*), collect(toString(key))[..5]`,
  );
  const duplicates = Number(row?.[0] ?? 0);
  if (duplicates > 0) {
    findings.push({
      check: 'key-is-unique',
      title: `${label}.${key} is unique`,
      status: 'failed',
      count: duplicates,
      samples: row?.[1] as string[],
      advice: `Give one of each two ${label} records another ${key}.`,
    });
  }
  return findings;
}

/** The same as a failure, for the moment before the first write. */
export async function refuseUnfitKeys(transaction: GraphTransaction, selection: Selection): Promise<void> {
  const [finding] = await checkKeys(transaction, selection);
  if (finding)
    throw refuseKey(
      selection,
      finding.check === 'key-is-text' ? 'is missing or not text in some records' : 'is not unique',
    );
}

/** SHA-256 over the constraints and indexes of these labels, the bot's own left out. */
export async function hashSchema(connection: Connection, labels: readonly string[]): Promise<string> {
  const filter = 'WHERE any(label IN labelsOrTypes WHERE label IN $labels)';
  const read = async (what: string, columns: string) => {
    const statement = `SHOW ${what} YIELD ${columns} ${filter} RETURN ${columns} ORDER BY name`;
    return connection.read((transaction) => transaction.run(statement, { labels }));
  };
  const constraints = await read('CONSTRAINTS', 'name, type, entityType, labelsOrTypes, properties');
  const indexes = await read('INDEXES', 'name, type, entityType, labelsOrTypes, properties');
  return digestOf({ constraints, indexes } as unknown as Json);
}
