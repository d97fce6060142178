import { Failure } from '../../shared/failure.ts';
import type { Finding } from '../finding.ts';
import type { GraphTransaction } from './connection.ts';
import { escapeName } from './name.ts';
import type { LockedRecord, Selection } from './records.ts';
import { cypher } from './statement.ts';

/** Relationships that one batch reads and writes at most, but for a single node that has more of them. */
const RELATIONSHIPS_A_BATCH = 20_000;
/** A node with more is refused: all would be in memory at once, here and in the server's transaction. */
const RELATIONSHIPS_A_NODE = 50_000;

/** The records from the first on whose relationships fit into one batch; at least one. Throws for a node above the bound. */
export async function boundByRelationships(
  transaction: GraphTransaction,
  label: string,
  records: readonly LockedRecord[],
): Promise<LockedRecord[]> {
  const statement = 'MATCH (n) WHERE id(n) IN $ids RETURN id(n), COUNT { (n)--() }';
  const rows = await transaction.run(statement, { ids: records.map(({ id }) => id) });
  const degrees = new Map(rows as [bigint, bigint][]);
  const fitting: LockedRecord[] = [];
  let sum = 0;
  for (const record of records) {
    const degree = Number(degrees.get(record.id) ?? 0);
    if (degree > RELATIONSHIPS_A_NODE) {
      throw new Failure({
        code: 'precondition-failed',
        message: `${label} ${record.key} has ${degree} relationships; of one node at most ${RELATIONSHIPS_A_NODE} can be journaled.`,
        advice: 'This batch was rolled back. Leave the record out (where), or take its relationships away first.',
      });
    }
    sum += degree;
    if (fitting.length > 0 && sum > RELATIONSHIPS_A_BATCH) break;
    fitting.push(record);
  }
  return fitting;
}

/** Nodes of the selection whose relationships could not be journaled: too many of them, or an end without any label. */
export async function findRelationshipProblems(
  transaction: GraphTransaction,
  selection: Selection,
): Promise<Finding[]> {
  const { label, key, where } = selection;
  const findings: Finding[] = [];
  const ask = async (check: string, condition: string, title: string, advice: string) => {
    const statement = cypher`MATCH (n:${escapeName(label)}) WHERE ${where} AND ${condition}
      RETURN count(n), collect(toString(n.${escapeName(key)}))[..5]`;
    const [row] = await transaction.run(statement.text, { most: BigInt(RELATIONSHIPS_A_NODE) });
    const count = Number(row?.[0] ?? 0);
    if (count > 0) findings.push({ check, title, status: 'failed', count, samples: row?.[1] as string[], advice });
  };
  await ask(
    'relationships-bounded',
    'COUNT { (n)--() } > $most',
    `No ${label} has more than ${RELATIONSHIPS_A_NODE} relationships`,
    'Leave these records out (where), or take their relationships away first: more cannot be journaled at once.',
  );
  await ask(
    'ends-have-labels',
    'EXISTS { (n)--(_tas_end) WHERE size(labels(_tas_end)) = 0 }',
    `No relationship of a ${label} leads to a node without label`,
    'Give the nodes at the other end a label; without one they cannot be found again for an undo.',
  );
  return findings;
}
