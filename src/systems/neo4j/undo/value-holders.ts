import { canonicalJson } from '../../../shared/json.ts';
import type { GraphTransaction } from '../connection.ts';
import { decodeValue, type Encoded, encodeValue } from '../encode.ts';
import { escapeName } from '../name.ts';

/** A value that a record is about to get. */
interface WantedValue {
  /** The record's internal id; null where it does not exist yet. */
  readonly id: bigint | null;
  readonly labels: readonly string[];
  readonly property: string;
  readonly value: Encoded;
}

interface UniqueRule {
  readonly label: string;
  readonly property: string;
}

/** The uniqueness constraints over one of these properties alone. */
export async function uniqueRules(transaction: GraphTransaction, properties: readonly string[]): Promise<UniqueRule[]> {
  const rows = await transaction.run(
    `SHOW CONSTRAINTS YIELD type, entityType, labelsOrTypes, properties
     WHERE entityType = 'NODE' AND type IN ['UNIQUENESS', 'NODE_KEY'] AND size(properties) = 1 AND properties[0] IN $properties
     RETURN labelsOrTypes[0], properties[0]`,
    { properties },
  );
  return rows.map(([label, property]) => ({ label: label as string, property: property as string }));
}

/**
 * Of the wanted values, those that a constraint would refuse because a record holds them that does not give them up;
 * with words for the holder. `leaving(property)` = ids of the records that lose their value of it in the same breath.
 */
export async function takenValues(
  transaction: GraphTransaction,
  rules: readonly UniqueRule[],
  wanted: readonly WantedValue[],
  leaving: (property: string) => ReadonlySet<bigint>,
): Promise<Map<WantedValue, string>> {
  const taken = new Map<WantedValue, string>();
  for (const { label, property } of rules) {
    const concerned = wanted.filter(
      (want) => want.property === property && want.value !== null && want.labels.includes(label),
    );
    if (concerned.length === 0) continue;
    const name = escapeName(property);
    const values = concerned.map(({ value }) => decodeValue(value));
    const statement = `MATCH (n:${escapeName(label)}) WHERE n.${name} IN $values RETURN id(n), n.${name}, n.id`;
    const holders = new Map<string, { id: bigint; key: unknown }>();
    for (const [id, value, key] of await transaction.run(statement, { values })) {
      if (!leaving(property).has(id as bigint))
        holders.set(canonicalJson(encodeValue(value)), { id: id as bigint, key });
    }
    for (const want of concerned) {
      const holder = holders.get(canonicalJson(want.value));
      if (!holder || holder.id === want.id) continue;
      taken.set(want, typeof holder.key === 'string' ? `held by ${label} ${holder.key}` : `held by another ${label}`);
    }
  }
  return taken;
}
