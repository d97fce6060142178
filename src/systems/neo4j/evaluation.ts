import type { GraphTransaction } from './connection.ts';
import { type Expression, SEQUENCE } from './expression.ts';
import { escapeName } from './name.ts';
import type { LockedRecord, Selection } from './records.ts';
import { cypher, type Statement } from './statement.ts';

/** Property → expression over `n`, checked; in the order of the names. */
export interface Computed {
  readonly properties: readonly string[];
  readonly expressions: readonly Expression[];
}

/** Rows `[id, digits]` → one list of id, computed values; only of records for which the condition (still) holds. */
export function evaluationStatement({ label, where }: Selection, { expressions }: Computed): Statement {
  return cypher`UNWIND $rows AS _tas_row MATCH (n:${escapeName(label)}) WHERE id(n) = _tas_row[0]
WITH n, _tas_row[1] AS ${SEQUENCE} WHERE ${where}
WITH n, [${expressions}] AS _tas_values RETURN collect([id(n), _tas_values])`;
}

/** The rows that such statements take; `base` = first `$sequence`. */
export function sequencedRows(records: readonly LockedRecord[], base: bigint): [id: bigint, digits: string][] {
  return records.map(({ id }, position) => [id, String(base + BigInt(position))]);
}

/** Values by record; records for which the condition does not hold any more are left out. `base` = first `$sequence`. */
export async function evaluateRecords(
  transaction: GraphTransaction,
  statement: Statement,
  records: readonly LockedRecord[],
  base: bigint,
): Promise<Map<bigint, readonly unknown[]>> {
  const rows = sequencedRows(records, base);
  const [[answer]] = (await transaction.run(statement.text, { rows })) as [[[bigint, unknown[]][]]];
  return new Map(answer);
}
