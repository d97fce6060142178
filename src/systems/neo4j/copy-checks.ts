import type { Finding } from '../finding.ts';
import type { Store } from './batch.ts';
import type { GraphTransaction } from './connection.ts';
import { type Checked, type CopyStep, checkAll, checkCopy } from './copy-records.ts';
import { evaluationStatement } from './evaluation.ts';
import { checkExpression } from './expression.ts';
import { escapeName } from './name.ts';
import { compareWithCopies } from './node-copies.ts';
import { selectStatement } from './records.ts';
import { boundByRelationships } from './relationship-bounds.ts';
import { cypher } from './statement.ts';

/** Nodes that bear both labels would be taken for their own copies; other labels stay with the original. */
export async function findLabelProblems(transaction: GraphTransaction, step: CopyStep): Promise<Finding[]> {
  const where = checkExpression('from.where', step.from.where);
  const [from, to, key] = [escapeName(step.from.label), escapeName(step.to.label), `n.${escapeName(step.from.key)}`];
  const findings: Finding[] = [];
  const ask = async (condition: string) => {
    const statement = cypher`MATCH (n:${from}) WHERE ${where} AND ${condition} RETURN count(n), collect(toString(${key}))[..5]`;
    const [row] = await transaction.run(statement.text, { from: step.from.label });
    return { count: Number(row?.[0] ?? 0), samples: (row?.[1] ?? []) as string[] };
  };
  const both = await ask(`n:${to}`);
  if (both.count > 0) {
    const title = `No ${step.from.label} is a ${step.to.label} already`;
    const advice = `Take one of the two labels from these records, or leave them out (where: NOT n:${step.to.label}).`;
    findings.push({ check: 'copies-are-others', title, status: 'failed', ...both, advice });
  }
  const more = await ask('any(label IN labels(n) WHERE label <> $from)');
  if (more.count > both.count) {
    const title = `${step.from.label} records bear no further labels`;
    const advice = `Copies bear the label ${step.to.label} alone; other labels stay with the originals.`;
    findings.push({ check: 'labels-not-copied', title, status: 'warning', ...more, advice });
  }
  return findings;
}

/** How many copies are compared with their originals, chosen at random. */
const COMPARED = 500;

async function verifySample(store: Store, step: CopyStep, checked: Checked): Promise<Finding> {
  const properties = step.properties ? checkAll('properties', step.properties) : null;
  // A number out of `$sequence` is another one at each reading.
  const stable = properties?.expressions.map(({ sequenced }) => !sequenced);
  const computed = properties && {
    properties: properties.properties.filter((_, i) => stable?.[i]),
    expressions: properties.expressions.filter((_, i) => stable?.[i]),
  };
  const { unless: _, ...originals } = checked.selection;
  const evaluate = evaluationStatement(originals, computed ?? { properties: [], expressions: [] });
  const rule = { ...step, computed, ignored: new Set(Object.keys(step.stamp)), evaluate };
  const key = `n.${escapeName(step.from.key)}`;
  const pick = cypher`MATCH (n:${escapeName(step.from.label)}) WHERE ${originals.where}
    WITH n ORDER BY rand() LIMIT ${String(COMPARED)} RETURN id(n), ${key}`;
  const { equal, unequal } = await store.connection.read(async (transaction) => {
    const rows = await transaction.run(pick.text);
    const records = rows.map(([id, value]) => ({ id: id as bigint, key: String(value) }));
    const bounded = await boundByRelationships(transaction, step.from.label, records);
    return compareWithCopies(transaction, rule, bounded, [], 'look');
  });
  const title = `${equal.length + unequal.length} copies picked at random equal their originals`;
  if (unequal.length === 0) return { check: 'copies-equal', title, status: 'passed', count: 0, samples: [] };
  return {
    check: 'copies-equal',
    title,
    status: 'failed',
    count: unequal.length,
    samples: unequal.slice(0, 5).map(({ key: name, why }) => `${step.from.label} ${name} ${why}`),
    advice: 'Somebody wrote to one of the two since. Undo the step and run it again while services are stopped.',
  };
}

/** Complete for the number of copies, a sample for what they hold. */
export async function verifyCopies(store: Store, step: CopyStep): Promise<readonly Finding[]> {
  const checked = await checkCopy(store, step);
  const key = `n.${escapeName(step.from.key)}`;
  const { text } = selectStatement(checked.selection, `RETURN count(n), collect(${key})[..5]`, null);
  const [row] = await store.connection.read((transaction) => transaction.run(text));
  const count = Number(row?.[0] ?? 0);
  const title = `Every ${step.from.label} of the step has its ${step.to.label}`;
  const complete: Finding =
    count === 0
      ? { check: 'nodes-copied', title, status: 'passed', count: 0, samples: [] }
      : {
          check: 'nodes-copied',
          title,
          status: 'failed',
          count,
          samples: ((row?.[1] ?? []) as unknown[]).map(String),
          advice: 'Records were added meanwhile; run the migration again.',
        };
  return [complete, await verifySample(store, step, checked)];
}
