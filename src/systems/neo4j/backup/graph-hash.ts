import { hash } from 'node:crypto';
import { canonicalJson, digestOf, type Json } from '../../../shared/json.ts';
import type { Fingerprint } from '../../system.ts';
import type { Encoded } from '../encode.ts';
import { isInternalName } from '../name.ts';
import { type GraphSchema, isInternalElement } from './graph-schema.ts';
import { createIdSpool } from './id-spool.ts';

/** A node; `id` is its number within this reading of the graph and says nothing elsewhere. */
export interface NodeRecord {
  readonly id: number;
  readonly labels: readonly string[];
  readonly properties: { readonly [property: string]: Encoded };
}

export interface RelationshipRecord {
  readonly start: number;
  readonly end: number;
  readonly type: string;
  readonly properties: { readonly [property: string]: Encoded };
}

/** Takes a graph in: nodes first, then relationships between them; the schema at any time. */
export interface GraphHash {
  addNode(node: NodeRecord): void;
  /** False when an end was not among the nodes. */
  addRelationship(relationship: RelationshipRecord): boolean;
  addSchema(schema: GraphSchema): void;
  result(): Fingerprint;
  close(): void;
}

const MODULUS = 1n << 256n;
const HASH_BYTES = 32;
/** Stands in for the hash of a node that is no part of the fingerprint. */
const INTERNAL = Buffer.alloc(HASH_BYTES);

function visible(properties: NodeRecord['properties']): Json {
  const names = Object.keys(properties);
  if (!names.some(isInternalName)) return properties;
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !isInternalName(name)));
}

/**
 * One hash over a graph that does not depend on order or internal ids: the sum of each record's SHA-256. A relationship
 * is hashed with its ends' contents, so that it cannot move unseen; the bot's own records are left out.
 */
export function createGraphHash(): GraphHash {
  const contents = createIdSpool(HASH_BYTES);
  const counts = new Map<string, number>();
  let sum = 0n;
  const add = (content: Json): Buffer => {
    const digest = hash('sha256', canonicalJson(content), 'buffer');
    sum = (sum + BigInt(`0x${digest.toString('hex')}`)) % MODULUS;
    return digest;
  };
  const count = (collection: string) => counts.set(collection, (counts.get(collection) ?? 0) + 1);
  return {
    addNode({ id, labels, properties }) {
      if (labels.some(isInternalName)) {
        contents.put(id, INTERNAL);
        return;
      }
      contents.put(id, add(['node', [...labels].sort(), visible(properties)]));
      for (const label of labels) count(label);
      if (labels.length === 0) count('(no label)');
    },
    addRelationship({ start, end, type, properties }) {
      const [from, to] = [contents.get(start), contents.get(end)];
      if (!from || !to) return false;
      if (isInternalName(type) || from.equals(INTERNAL) || to.equals(INTERNAL)) return true;
      add(['relationship', type, visible(properties), from.toString('hex'), to.toString('hex')]);
      count(`-[${type}]->`);
      return true;
    },
    addSchema({ constraints, indexes }) {
      for (const element of [...constraints, ...indexes]) {
        if (!isInternalElement(element)) add(['schema', digestOf(element as unknown as Json)]);
      }
    },
    result() {
      const sorted = [...counts.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
      return { counts: Object.fromEntries(sorted), hash: sum.toString(16).padStart(64, '0') };
    },
    close: () => contents.close(),
  };
}
