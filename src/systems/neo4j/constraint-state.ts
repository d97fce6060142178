import { Failure } from '../../shared/failure.ts';
import type { JsonObject } from '../../shared/json.ts';
import { awaitOnline } from './await-online.ts';
import type { Connection, GraphTransaction } from './connection.ts';
import { escapeName } from './name.ts';

/** A uniqueness constraint on one property of a label. */
export interface UniqueConstraint {
  readonly name: string;
  readonly label: string;
  readonly property: string;
}

const FILLED_IN_MS = 5 * 60_000;

/** What stands where a constraint is wanted. */
export interface ConstraintState {
  /** A constraint that does the same, under whatever name. */
  readonly equivalent: UniqueConstraint | null;
  /** The wanted name is taken by another index or constraint. */
  readonly nameTaken: boolean;
  /** A plain index on the same property stands in the way. */
  readonly blockedBy: string | null;
}

export async function readConstraintState(
  transaction: GraphTransaction,
  wanted: UniqueConstraint,
): Promise<ConstraintState> {
  const parameters = { label: wanted.label, property: wanted.property };
  const same = "entityType = 'NODE' AND labelsOrTypes = [$label] AND properties = [$property]";
  const [equivalent] = await transaction.run(
    `SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes, properties
     WHERE ${same} AND type IN ['UNIQUENESS', 'NODE_KEY'] RETURN name`,
    parameters,
  );
  const [blocking] = await transaction.run(
    `SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, owningConstraint
     WHERE ${same} AND type = 'RANGE' AND owningConstraint IS NULL RETURN name`,
    parameters,
  );
  const taken = await transaction.run(`SHOW INDEXES YIELD name WHERE name = $name RETURN name`, { name: wanted.name });
  const named = await transaction.run('SHOW CONSTRAINTS YIELD name WHERE name = $name RETURN name', {
    name: wanted.name,
  });
  const found = equivalent ? { ...wanted, name: equivalent[0] as string } : null;
  const ours = found?.name === wanted.name;
  return {
    equivalent: found,
    nameTaken: !ours && taken.length + named.length > 0,
    blockedBy: (blocking?.[0] as string | undefined) ?? null,
  };
}

/** Values that more than one node holds: how many, and up to five with the number of their nodes. */
export async function findDuplicates(
  transaction: GraphTransaction,
  { label, property }: UniqueConstraint,
): Promise<{ count: number; nodes: number; samples: [value: unknown, times: number][] }> {
  const name = `n.${escapeName(property)}`;
  const [row] = await transaction.run(
    `MATCH (n:${escapeName(label)}) WHERE ${name} IS NOT NULL WITH ${name} AS value, count(*) AS times WHERE times > 1
     WITH value, times ORDER BY times DESC RETURN count(*), sum(times), collect([value, times])[..5]`,
  );
  const samples = ((row?.[2] ?? []) as [unknown, bigint][]).map(([value, times]): [unknown, number] => [
    value,
    Number(times),
  ]);
  return { count: Number(row?.[0] ?? 0), nodes: Number(row?.[1] ?? 0), samples };
}

/** Neo4j fills the index before it answers; the wait is for servers that do so later. Throws when a value stands twice. */
export async function makeConstraint(
  connection: Connection,
  wanted: UniqueConstraint,
  signal?: AbortSignal,
): Promise<void> {
  const { name, label, property } = wanted;
  const on = `FOR (n:${escapeName(label)}) REQUIRE n.${escapeName(property)} IS UNIQUE`;
  const stands = async () =>
    (await connection.read((transaction) => readConstraintState(transaction, wanted))).equivalent;
  await connection
    .command(`CREATE CONSTRAINT ${escapeName(name)} IF NOT EXISTS ${on}`)
    .catch(async (error: unknown) => {
      const code = (error as { cause?: { message?: unknown } }).cause?.message;
      if (String(code).endsWith('ConstraintCreationFailed')) throw duplicated(wanted);
      // Another process may have been quicker.
      if ((await stands()) === null) throw error;
    });
  // By name: what somebody else has filled at the same time is not waited for.
  const made = await stands();
  if (made) await awaitOnline(connection, made.name, FILLED_IN_MS, signal);
}

function duplicated({ label, property }: UniqueConstraint): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${label}.${property} holds values that stand in more than one record, so it cannot be made unique.`,
    advice: 'Ask for the migration again: its plan lists the duplicates. Nothing was changed.',
  });
}

/** Does nothing where it is gone already. */
export async function dropConstraint(connection: Connection, name: string): Promise<void> {
  await connection.command(`DROP CONSTRAINT ${escapeName(name)} IF EXISTS`).catch(async (error: unknown) => {
    const rows = await connection.read((transaction) =>
      transaction.run('SHOW CONSTRAINTS YIELD name WHERE name = $name RETURN name', { name }),
    );
    if (rows.length > 0) throw error;
  });
}

export function toJson({ name, label, property }: UniqueConstraint): JsonObject {
  return { name, label, property };
}
