import { Failure } from '../../shared/failure.ts';
import type { Finding } from '../finding.ts';
import type { GraphTransaction } from './connection.ts';
import { escapeName } from './name.ts';
import { uniqueRules } from './undo/value-holders.ts';

/** The label and key of nodes that a step makes. */
interface Target {
  readonly label: string;
  readonly key: string;
}

async function isConstrained(transaction: GraphTransaction, { label, key }: Target): Promise<boolean> {
  return (await uniqueRules(transaction, [key])).some((rule) => rule.label === label);
}

/**
 * A finding where no uniqueness constraint keeps a node from being made twice; empty where one does. While there is no such
 * node yet it is a warning: an earlier step of the migration may make the constraint, and the step itself refuses without.
 */
export async function findUnconstrained(transaction: GraphTransaction, target: Target): Promise<Finding[]> {
  if (await isConstrained(transaction, target)) return [];
  const [row] = await transaction.run(`MATCH (n:${escapeName(target.label)}) RETURN count(n)`);
  const name = `${target.label}.${target.key}`;
  return [
    {
      check: 'target-key-constrained',
      title: `${name} has a uniqueness constraint`,
      status: Number(row?.[0] ?? 0) > 0 ? 'failed' : 'warning',
      count: 1,
      samples: [],
      advice: `Create one in an earlier step (neo4j.create-constraint on ${name}); without it a node could be made twice.`,
    },
  ];
}

/** The same as a failure, for the moment before the first write. */
export async function refuseUnconstrained(transaction: GraphTransaction, target: Target): Promise<void> {
  if (await isConstrained(transaction, target)) return;
  throw new Failure({
    code: 'precondition-failed',
    message: `${target.label}.${target.key} has no uniqueness constraint, so a node could be made twice.`,
    advice: 'Nothing was written by this batch. Create the constraint (neo4j.create-constraint), then ask again.',
  });
}
