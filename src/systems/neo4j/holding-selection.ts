import type { Finding } from '../finding.ts';
import type { Sample, StepContext } from '../system.ts';
import type { Store } from './batch.ts';
import type { GraphTransaction } from './connection.ts';
import { countAndSample } from './count-and-sample.ts';
import { encodeValue } from './encode.ts';
import { checkExpression, type Expression } from './expression.ts';
import { escapeName } from './name.ts';
import { ensureReading } from './reading.ts';
import { type Selection, selectStatement } from './records.ts';
import { showEncoded } from './show-value.ts';
import { cypher } from './statement.ts';

/** The records of a label that hold a property, by their unique key. */
export interface Holders {
  readonly label: string;
  readonly key: string;
  readonly property: string;
  /** A condition over `n`; absent = all of them. */
  readonly where?: string | undefined;
}

/** Selects them; throws `invalid-statement` for a condition that does more than read. */
export async function selectHolding(store: Store, holders: Holders): Promise<Selection> {
  const { label, key, property, where } = holders;
  const condition = checkExpression('where', where ?? 'true');
  // Asked about alone first: then the position in a message is that of the file.
  await ensureReading(store.connection, selectStatement({ label, key, where: condition }, 'RETURN n', null), 'where');
  const holding: Expression = {
    ...condition,
    cypher: `n.${escapeName(property)} IS NOT NULL AND (\n${condition.cypher}\n)`,
  };
  return { label, key, where: holding };
}

/** The first five records with these properties as they are; `after` says what becomes of them. */
export async function sampleHolders(
  transaction: GraphTransaction,
  { selection, properties }: { readonly selection: Selection; readonly properties: readonly string[] },
  after: (values: readonly Sample['before'][string][]) => Sample['after'],
): Promise<Sample[]> {
  const names = properties.map((name) => `n.${escapeName(name)}`).join(', ');
  const tail = `LIMIT 5 RETURN n.${escapeName(selection.key)}, [${names}]`;
  const rows = await transaction.run(selectStatement(selection, tail, null).text);
  return rows.map(([key, stored]) => {
    const values = (stored as unknown[]).map((value) => showEncoded(encodeValue(value)));
    const before = Object.fromEntries(properties.map((name, i) => [name, values[i] ?? null]));
    return { collection: selection.label, key: String(key), before, after: after(values) };
  });
}

/** Indexes and constraints over a property that is given up: they stay, over what nobody has any more. */
export async function findLeftSchema(
  transaction: GraphTransaction,
  { label, property }: Pick<Holders, 'label' | 'property'>,
): Promise<Finding[]> {
  const rows = await transaction.run(
    `SHOW INDEXES YIELD name, entityType, labelsOrTypes, properties
     WHERE entityType = 'NODE' AND $label IN labelsOrTypes AND $property IN properties RETURN name ORDER BY name`,
    { label, property },
  );
  if (rows.length === 0) return [];
  return [
    {
      check: 'schema-over-property',
      title: `No index or constraint is over ${label}.${property}`,
      status: 'warning',
      count: rows.length,
      samples: rows.slice(0, 5).map(([name]) => String(name)),
      advice: 'They stay as they are. Drop them, or create them over another property, in steps of their own.',
    },
  ];
}

/** Whether any record holds the property still. */
export async function verifyGone(
  store: Store,
  holders: Holders,
  context: Pick<StepContext, 'signal'>,
): Promise<readonly Finding[]> {
  const selection = await selectHolding(store, holders);
  const match = cypher`MATCH (n:${escapeName(holders.label)}) WHERE ${selection.where}`;
  const { count, samples } = await store.connection.read(
    (transaction) => countAndSample(transaction, match.text, `n.${escapeName(holders.key)}`),
    { signal: context.signal },
  );
  const title = `No ${holders.label} of the step holds ${holders.property} any more`;
  if (count === 0) return [{ check: 'property-gone', title, status: 'passed', count: 0, samples: [] }];
  const advice = 'Records were added or changed meanwhile; run the migration again.';
  return [{ check: 'property-gone', title, status: 'failed', count, samples, advice }];
}
