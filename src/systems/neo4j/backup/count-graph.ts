import type { Fingerprint } from '../../system.ts';
import type { Connection } from '../connection.ts';
import { escapeName, isInternalName } from '../name.ts';

/** The fingerprint's counts, by label and type, added up by the server: it reads no properties and sends no records. */
export async function countGraph(connection: Connection): Promise<Fingerprint['counts']> {
  return connection.survey(async (transaction) => {
    const counts = new Map<string, number>();
    const add = (collection: string, count: number) => counts.set(collection, (counts.get(collection) ?? 0) + count);
    const internal = new Set<string>();
    for (const [found, count] of await transaction.run('MATCH (n) RETURN labels(n), count(*)')) {
      const labels = found as string[];
      const own = labels.filter(isInternalName);
      for (const label of own) internal.add(label);
      if (own.length > 0) continue;
      for (const label of labels.length > 0 ? labels : ['(no label)']) add(label, Number(count));
    }
    for (const [type, count] of await transaction.run('MATCH ()-[r]->() RETURN type(r), count(*)')) {
      if (!isInternalName(type as string)) add(`-[${type as string}]->`, Number(count));
    }
    // What hangs on the bot's own nodes is left out with them.
    const holders = [...internal].map(escapeName).join('|');
    const hanging = `MATCH (:${holders})-[r]-() RETURN type(r), count(DISTINCT r)`;
    for (const [type, count] of holders === '' ? [] : await transaction.run(hanging)) {
      if (!isInternalName(type as string)) add(`-[${type as string}]->`, -Number(count));
    }
    const left = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(left);
  });
}
