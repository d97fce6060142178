import type { GraphTransaction } from './connection.ts';

/** How many rows a `MATCH … WHERE …` finds, and what `shown` gives for five of them. Collects nothing on the server. */
export async function countAndSample(
  transaction: GraphTransaction,
  match: string,
  shown: string,
): Promise<{ readonly count: number; readonly samples: readonly string[] }> {
  const [row] = await transaction.run(`${match} RETURN count(*)`);
  const count = Number(row?.[0] ?? 0);
  if (count === 0) return { count, samples: [] };
  const rows = await transaction.run(`${match} RETURN ${shown} LIMIT 5`);
  return { count, samples: rows.map(([value]) => String(value)) };
}
