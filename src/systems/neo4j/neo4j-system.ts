import { Failure } from '../../shared/failure.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Secret } from '../../shared/secret.ts';
import { sessionIntrusions } from '../no-sessions.ts';
import type { Health, System } from '../system.ts';
import { countGraph } from './backup/count-graph.ts';
import { restore } from './backup/restore.ts';
import { backUp, verifyPart } from './backup/typed-export.ts';
import { walkGraph } from './backup/walk-graph.ts';
import type { Store } from './batch.ts';
import { connect } from './connection.ts';
import { createDataModel } from './data-model.ts';
import { advanceFence } from './fence.ts';
import { createJournal } from './journal.ts';
import { awaitNoSessions } from './kinds/await-no-sessions.ts';
import { copyNodes } from './kinds/copy-nodes.ts';
import { createConstraint } from './kinds/create-constraint.ts';
import { createIndex } from './kinds/create-index.ts';
import { createNodes } from './kinds/create-nodes.ts';
import { cypherKind } from './kinds/cypher.ts';
import { deleteNodes } from './kinds/delete-nodes.ts';
import { dropConstraintByName } from './kinds/drop-constraint.ts';
import { dropIndex } from './kinds/drop-index.ts';
import { removeProperty } from './kinds/remove-property.ts';
import { renameProperty } from './kinds/rename-property.ts';
import { retypeRelationships } from './kinds/retype-relationships.ts';
import { setProperties } from './kinds/set-properties.ts';
import { setRelationshipProperties } from './kinds/set-relationship-properties.ts';
import { readLoad } from './load.ts';
import { preflight } from './preflight.ts';
import { findViolations, lookup, scan } from './reads.ts';
import { recovery } from './recovery.ts';
import { createSessionStore } from './sessions.ts';

interface Neo4jOptions {
  /** The configured name, e.g. `graph`. */
  readonly name: string;
  /** bolt:// or neo4j://, with +s for TLS. */
  readonly url: string;
  readonly user: string;
  readonly password: Secret;
  /** Absent = the server's default database. */
  readonly database?: string;
  /** Where the server's data lies, if the bot sees it; for the free disk. */
  readonly dataFolder?: string;
  readonly seal: Seal;
  readonly logger: Logger;
}

async function checkHealth({ connection }: Store): Promise<Health> {
  try {
    return { up: true, ...(await connection.ping()) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { up: false, version: null, latencyMs: 0, note: error.message };
  }
}

/** A Neo4j 5 database. Connects at the first use. */
export function createNeo4jSystem(options: Neo4jOptions): System {
  const { name, url, user, password, database, dataFolder, seal, logger } = options;
  const connection = connect({ name, url, user, password, ...(database ? { database } : {}), logger });
  const store: Store = { name, connection, seal };
  return {
    name,
    type: 'neo4j',
    kinds: [
      setProperties(store),
      createNodes(store),
      createConstraint(store),
      copyNodes(store),
      deleteNodes(store),
      createIndex(store),
      dropIndex(store),
      dropConstraintByName(store),
      cypherKind(store),
      renameProperty(store),
      removeProperty(store),
      setRelationshipProperties(store),
      retypeRelationships(store),
      awaitNoSessions(store),
    ],
    async identity() {
      const rows = await connection.read((transaction) => transaction.run('CALL db.info() YIELD id RETURN id'));
      return String(rows[0]?.[0]);
    },
    checkHealth: () => checkHealth(store),
    async clock() {
      const rows = await connection.read((transaction) => transaction.run('RETURN datetime.realtime().epochMillis'));
      return new Date(Number(rows[0]?.[0]));
    },
    advanceFence: (fence) => advanceFence(connection, fence),
    lookup: (query, keys) => lookup(connection, query, keys),
    scan: (query) => scan(connection, query),
    violations: (statement) => findViolations(connection, statement),
    journal: createJournal(store),
    preflight: (needs) => preflight(connection, needs, dataFolder),
    load: () => readLoad(connection),
    intrusions: (runIds) => sessionIntrusions(createSessionStore(connection), runIds),
    recovery: (run) => recovery(options, run),
    dataModel: createDataModel(connection),
    fingerprint: () => walkGraph(connection, {}),
    counts: () => countGraph(connection),
    backup: (folder, context) => backUp(connection, folder, context),
    restore: (part, folder, context) => restore(connection, part, folder, context),
    // The Community edition has one database: there is nowhere to restore to beside it.
    trial: {
      readPart: async (part, folder, { signal }) => (await verifyPart(part, folder, signal)).fingerprint,
    },
    close: () => connection.close(),
  };
}
