import { Client as MinioClient } from 'minio';
import neo4j, { type Driver } from 'neo4j-driver';
import pg from 'pg';
import type { Endpoints } from '../endpoints.ts';
import type { ClusterWatch } from './cluster-watch.ts';

/** Services that keep sessions in the stores while they run, as real ones do. */
const holders = ['aether-backend', 'audimodal'] as const;
export type Holder = (typeof holders)[number];

export interface Sessions {
  readonly sql: pg.Pool;
  readonly graph: Driver;
}

/** The sessions of each service. They are opened while it runs and closed when its Deployment has no pod any more. */
export interface HeldSessions {
  of(service: Holder): Sessions;
  /** While the services rest they hold no session between two requests. */
  rest(resting: boolean): void;
  /** `busy` = a request is being answered. */
  keepUp(cluster: ClusterWatch, busy: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export function holdSessions({ postgres, neo4j: graph }: Endpoints): HeldSessions {
  const open = new Map<Holder, Sessions>();
  let resting = false;
  const of = (service: Holder): Sessions => {
    const known = open.get(service);
    if (known) return known;
    const sql = new pg.Pool({
      connectionString: postgres.url,
      application_name: service,
      max: 4,
      idleTimeoutMillis: 0,
      connectionTimeoutMillis: 3_000,
    });
    // A server that restarts ends them; the next look opens new ones.
    sql.on('error', () => undefined);
    const driver = neo4j.driver(graph.url, neo4j.auth.basic(graph.user, graph.password), {
      userAgent: `${service}/1`,
      connectionTimeout: 3_000,
      connectionAcquisitionTimeout: 5_000,
      maxTransactionRetryTime: 3_000,
    });
    const sessions = { sql, graph: driver };
    open.set(service, sessions);
    return sessions;
  };
  const end = async (service: Holder): Promise<void> => {
    const sessions = open.get(service);
    open.delete(service);
    if (sessions) await Promise.allSettled([sessions.sql.end(), sessions.graph.close()]);
  };
  return {
    of,
    rest(value) {
      resting = value;
    },
    async keepUp(cluster, busy) {
      for (const service of holders) {
        if (!cluster.of(service).running || (resting && !busy())) await end(service);
        else if (resting) continue;
        else await Promise.allSettled([of(service).sql.query('SELECT 1'), of(service).graph.executeQuery('RETURN 1')]);
      }
    },
    async close() {
      await Promise.all(holders.map(end));
    },
  };
}

export function openObjects({ minio }: Endpoints): MinioClient {
  const { hostname, port } = new URL(minio.url);
  const { accessKey, secretKey } = minio;
  return new MinioClient({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
}
