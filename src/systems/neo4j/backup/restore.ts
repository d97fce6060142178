import type { BackupContext, BackupPart, Fingerprint } from '../../system.ts';
import { type Connection, refuseAborted } from '../connection.ts';
import { decodeProperties } from '../encode.ts';
import { asFailure } from '../error.ts';
import { escapeLabels } from '../name.ts';
import { createRelationshipRecords } from '../node-images.ts';
import type { NodeRecord, RelationshipRecord } from './graph-hash.ts';
import { createSchema, dropSchema } from './graph-schema.ts';
import { createIdSpool, type IdSpool } from './id-spool.ts';
import { corruptBackup } from './part-file.ts';
import { createProgress, expectFingerprint, readNodes, readRelationships, verifyPart } from './typed-export.ts';
import { walkGraph } from './walk-graph.ts';

const BATCH_RECORDS = 2000;
const BATCH_LENGTH = 4 * 1024 * 1024;
const FENCE = '_TasFence';

/** Deletes everything but the fences: a process that lost its lease stays shut out while the graph is put back. */
async function wipe(connection: Connection): Promise<void> {
  await connection.command('MATCH ()-[r]->() CALL { WITH r DELETE r } IN TRANSACTIONS OF 10000 ROWS');
  await connection.command(
    `MATCH (n) WHERE NOT n:${FENCE} CALL { WITH n DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS`,
  );
}

/** Collects items to batches bounded in number and size. */
async function* inBatches<T extends { readonly length: number }>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let [batch, length] = [[] as T[], 0];
  for await (const item of items) {
    batch.push(item);
    length += item.length;
    if (batch.length < BATCH_RECORDS && length < BATCH_LENGTH) continue;
    yield batch;
    [batch, length] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

/** A fence's token never falls: of the backup's and the present one the greater stays. */
async function mergeFences(connection: Connection, fences: readonly NodeRecord[]): Promise<void> {
  const rows = fences.map(({ properties }) => decodeProperties(properties));
  await connection.write((transaction) =>
    transaction.run(
      `UNWIND $rows AS row MERGE (f:${FENCE} {environment: row.environment})
       SET f.token = CASE WHEN f.token > row.token THEN f.token ELSE row.token END`,
      { rows },
    ),
  );
}

async function loadNodes(connection: Connection, nodes: readonly NodeRecord[], ids: IdSpool): Promise<void> {
  const fences = nodes.filter(({ labels }) => labels.includes(FENCE));
  if (fences.length > 0) await mergeFences(connection, fences);
  const groups = Map.groupBy(
    nodes.filter(({ labels }) => !labels.includes(FENCE)),
    ({ labels }) => JSON.stringify(labels),
  );
  // Not taken up again when the answer to a commit is lost: the nodes would be there twice.
  const made = await connection.write(
    async (transaction) => {
      const found: (readonly unknown[])[] = [];
      for (const group of groups.values()) {
        const labels = escapeLabels(group[0]?.labels ?? []);
        const rows = group.map(({ id, properties }) => [BigInt(id), decodeProperties(properties)]);
        const statement = `UNWIND $rows AS row CREATE (n${labels}) SET n = row[1] RETURN row[0], id(n)`;
        found.push(...(await transaction.run(statement, { rows })));
      }
      return found;
    },
    { once: true },
  );
  const value = Buffer.alloc(8);
  for (const [id, node] of made) {
    value.writeBigUInt64LE(node as bigint);
    ids.put(Number(id), value);
  }
}

async function loadRelationships(
  connection: Connection,
  relationships: readonly RelationshipRecord[],
  ids: IdSpool,
): Promise<void> {
  const nodeOf = (id: number): bigint => {
    const found = ids.get(id);
    if (!found) throw corruptBackup('a relationship has no end');
    return found.readBigUInt64LE();
  };
  const rows = relationships.map(({ start, end, type, properties }) => {
    return {
      node: nodeOf(start),
      other: nodeOf(end),
      type,
      direction: 'out',
      properties: decodeProperties(properties),
    } as const;
  });
  await connection.write((transaction) => createRelationshipRecords(transaction, rows), { once: true });
}

/**
 * Replaces the database's content by the part's. Checks the part first; then empties, loads, makes the schema, and
 * compares. After a crash it begins anew, so it may be called again; until it has returned the content is not whole.
 */
export async function restore(
  connection: Connection,
  part: BackupPart,
  folder: string,
  context: BackupContext,
): Promise<Fingerprint> {
  const ids = createIdSpool(8);
  try {
    const { records, schema } = await verifyPart(part, folder);
    refuseAborted(context.signal, connection.place);
    const progress = createProgress(context);
    progress.begin(records);
    await dropSchema(connection, schema);
    await wipe(connection);
    for await (const batch of inBatches(readNodes(folder))) {
      refuseAborted(context.signal, connection.place);
      await loadNodes(
        connection,
        batch.map(({ node }) => node),
        ids,
      );
      progress.add(batch.length);
    }
    for await (const batch of inBatches(readRelationships(folder))) {
      refuseAborted(context.signal, connection.place);
      await loadRelationships(
        connection,
        batch.map(({ relationship }) => relationship),
        ids,
      );
      progress.add(batch.length);
    }
    await createSchema(connection, schema);
    const found = await walkGraph(connection, {}, context.signal);
    expectFingerprint(part, found, 'what the server holds after the restore');
    return found;
  } catch (error) {
    throw asFailure(error, connection.place);
  } finally {
    ids.close();
  }
}
