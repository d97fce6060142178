import type { Store } from './batch.ts';
import type { Change, NodeImage, RelationshipImage } from './batch-body.ts';
import type { GraphTransaction } from './connection.ts';
import { decodeProperties, type Encoded, encodeProperties, encodeValue } from './encode.ts';
import { type Computed, evaluationStatement, sequencedRows } from './evaluation.ts';
import { checkExpression, type Expression, SEQUENCE } from './expression.ts';
import { escapeName } from './name.ts';
import { createRelationshipRecords } from './node-images.ts';
import { ensureReading } from './reading.ts';
import { type LockedRecord, type Selection, selectStatement } from './records.ts';
import { cypher, type Statement } from './statement.ts';
import {
  endKeys,
  identityRules,
  imageOf,
  type KeyRule,
  nameEnds,
  readWholeNodes,
  STAMP,
  visibleProperties,
  type WholeNode,
} from './whole-nodes.ts';

/** Which nodes are copied to what; expressions as in the file. */
export interface CopyStep {
  readonly from: KeyRule & { readonly where: string };
  readonly to: KeyRule;
  /** Absent = all. */
  readonly properties?: { readonly [property: string]: string } | undefined;
  readonly stamp: { readonly [property: string]: string };
}

/** The step with its expressions checked. */
export interface Checked {
  readonly selection: Selection;
  /** The properties, then the stamps. */
  readonly computed: Computed;
  readonly evaluate: Statement;
  /** Rows `[id, digits]` → one list of the record's id, the copy's, and its properties; no copy where the condition does not hold. */
  readonly copy: Statement;
}

export function checkAll(place: string, named: { readonly [property: string]: string }): Computed {
  const properties = Object.keys(named).sort();
  return {
    properties,
    expressions: properties.map((name): Expression => checkExpression(`${place}.${name}`, named[name] as string)),
  };
}

function selectionOf({ from, to }: CopyStep): Selection {
  const value: Expression = { place: 'from.key', cypher: `n.${escapeName(from.key)}`, sequenced: false };
  return {
    label: from.label,
    key: from.key,
    where: checkExpression('from.where', from.where),
    unless: { label: to.label, key: to.key, value },
  };
}

/** Throws `invalid-statement` for expressions that do more than read. */
export async function checkCopy(store: Store, step: CopyStep): Promise<Checked> {
  const selection = selectionOf(step);
  const [properties, stamps] = [checkAll('properties', step.properties ?? {}), checkAll('stamp', step.stamp)];
  const computed = {
    properties: [...properties.properties, ...stamps.properties],
    expressions: [...properties.expressions, ...stamps.expressions],
  };
  const evaluate = evaluationStatement(selection, computed);
  await ensureReading(store.connection, selectStatement(selection, 'RETURN n', null), 'from.where');
  await ensureReading(store.connection, evaluate, 'properties');
  return { selection, computed, evaluate, copy: copyStatement(step, selection, computed) };
}

/** Copies at the server: what a record holds comes to this process once, as what its copy holds. */
function copyStatement({ from, to, properties }: CopyStep, { where }: Selection, computed: Computed): Statement {
  const entries = new Map(computed.properties.map((name, i) => [name, `_tas_values[${i}]`]));
  entries.set(to.key, `n.${escapeName(from.key)}`);
  const named = [...entries].map(([name, value]) => `${escapeName(name)}: ${value}`);
  // A stamp tells the record itself apart, not its copy.
  const all = properties ? '' : `.*, ${STAMP}: null, `;
  return cypher`UNWIND $rows AS _tas_row MATCH (n:${escapeName(from.label)}) WHERE id(n) = _tas_row[0]
WITH n, _tas_row[1] AS ${SEQUENCE} WHERE ${where}
WITH n, [${computed.expressions}] AS _tas_values
CREATE (_tas_copy:${escapeName(to.label)}) SET _tas_copy = n {${all}${named.join(', ')}}
RETURN collect([id(n), id(_tas_copy), properties(_tas_copy)])`;
}

/** What the copy of a record will hold. */
export function propertiesOf(
  step: CopyStep,
  { computed }: Checked,
  record: { readonly key: string; readonly properties: NodeImage['properties'] },
  values: readonly unknown[],
): { [property: string]: Encoded } {
  const made = step.properties ? {} : visibleProperties(record.properties);
  for (const [i, name] of computed.properties.entries()) {
    const value = encodeValue(values[i]);
    if (value === null) delete made[name];
    else made[name] = value;
  }
  made[step.to.key] = record.key;
  return made;
}

/** A copy that is about to hang on what its original hangs on. */
interface Copy {
  readonly record: LockedRecord;
  /** Its relationships only. */
  readonly original: WholeNode;
  readonly id: bigint;
  /** As stored. */
  readonly properties: { readonly [property: string]: unknown };
}

interface Links {
  readonly rows: Parameters<typeof createRelationshipRecords>[1][number][];
  /** By the original's internal id. */
  readonly images: ReadonlyMap<bigint, RelationshipImage[]>;
}

/**
 * Every relationship of an original once more for its copy. Between two originals of one batch there is one between their
 * copies as well; where the other one is copied later, that batch finds this copy as an end and does the same.
 */
function linkCopies(step: CopyStep, copies: readonly Copy[], originals: ReadonlyMap<bigint, NodeImage>): Links {
  const byOriginal = new Map(copies.map((copy) => [copy.original.id, copy]));
  const rows: Links['rows'] = [];
  const images = new Map<bigint, RelationshipImage[]>();
  const copyEnd = ({ record }: Copy) => ({ label: step.to.label, key: step.to.key, value: record.key });
  for (const copy of copies) {
    const own: RelationshipImage[] = [];
    images.set(copy.original.id, own);
    for (const [i, { type, direction, otherId }] of copy.original.relationships.entries()) {
      const image = originals.get(copy.original.id)?.relationships[i] as RelationshipImage;
      const properties = decodeProperties(image.properties);
      const other = byOriginal.get(otherId);
      if (other !== copy) {
        rows.push({ node: copy.id, other: otherId, type, direction, properties });
        own.push(image);
      }
      if (!other) continue;
      own.push({ ...image, other: copyEnd(other) });
      if (direction === 'out') rows.push({ node: copy.id, other: other.id, type, direction, properties });
    }
  }
  return { rows, images };
}

/** Makes the copies of these locked records, and their relationships; of those only for which the condition still holds. */
export async function copyRecords(
  transaction: GraphTransaction,
  checked: Checked,
  step: CopyStep,
  records: readonly LockedRecord[],
  base: bigint,
): Promise<Change[]> {
  const [[made]] = (await transaction.run(checked.copy.text, { rows: sequencedRows(records, base) })) as [
    [[bigint, bigint, { [property: string]: unknown }][]],
  ];
  const copyOf = new Map(made.map(([id, copy, properties]) => [id, { id: copy, properties }]));
  const rules = await identityRules(transaction, [step.from, step.to]);
  const nodes = await readWholeNodes(transaction, [...copyOf.keys()], endKeys(rules), { relationshipsOnly: true });
  const endOf = await nameEnds(transaction, nodes.values(), rules);
  const copies = records.flatMap((record): Copy[] => {
    const copy = copyOf.get(record.id);
    return copy ? [{ record, original: nodes.get(record.id) as WholeNode, ...copy }] : [];
  });
  const images = new Map(copies.map(({ original }) => [original.id, imageOf(original, endOf)]));
  const links = linkCopies(step, copies, images);
  await createRelationshipRecords(transaction, links.rows);
  return copies.map(({ record, original, properties }): Change => {
    const relationships = links.images.get(original.id) ?? [];
    const after = { labels: [step.to.label], properties: encodeProperties(properties), relationships };
    return { form: 'node', key: record.key, before: null, after };
  });
}
