import { z } from 'zod';
import type { DataModel, DataModelVersion } from '../system.ts';
import type { Connection, GraphTransaction } from './connection.ts';
import { passFence } from './fence.ts';
import { ensureJournalSchema } from './journal-schema.ts';

const stored = z.object({ version: z.string(), runId: z.string(), at: z.string() });

/** One node for the whole graph. It is in backups, so that a restore rewinds it, and in no count or fingerprint. */
async function read(transaction: GraphTransaction): Promise<DataModelVersion | null> {
  const [row] = await transaction.run(
    'MATCH (m:_TasDataModel) RETURN m {.version, .runId, .at} ORDER BY m.at DESC LIMIT 1',
  );
  return row ? stored.parse(row[0]) : null;
}

/** The data-model version, recorded in the graph itself. */
export function createDataModel(connection: Connection): DataModel {
  return {
    read: () => connection.read(read),
    async write(version, fence) {
      await ensureJournalSchema(connection);
      await connection.write(async (transaction) => {
        // Holds off every other writer of the environment until the end.
        await passFence(transaction, fence, connection.place);
        await transaction.run('MATCH (m:_TasDataModel) DELETE m');
        if (version) await transaction.run('CREATE (m:_TasDataModel) SET m = $version', { version: { ...version } });
      });
    },
  };
}
