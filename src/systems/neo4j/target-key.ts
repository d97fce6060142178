import { Failure } from '../../shared/failure.ts';
import type { Finding } from '../finding.ts';
import type { GraphTransaction } from './connection.ts';
import { uniqueRules } from './undo/value-holders.ts';

/** The label and key of nodes that a step makes. */
interface Target {
  readonly label: string;
  readonly key: string;
}

async function isConstrained(transaction: GraphTransaction, { label, key }: Target): Promise<boolean> {
  return (await uniqueRules(transaction, [key])).some((rule) => rule.label === label);
}

/** A failed finding where no uniqueness constraint keeps a node from being made twice; empty where one does. */
export async function findUnconstrained(transaction: GraphTransaction, target: Target): Promise<Finding[]> {
  if (await isConstrained(transaction, target)) return [];
  const name = `${target.label}.${target.key}`;
  return [
    {
      check: 'target-key-constrained',
      title: `${name} has a uniqueness constraint`,
      status: 'failed',
      count: 1,
      samples: [],
      advice: `Create one first (neo4j.create-constraint on ${name}); without it a node could be made twice.`,
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
