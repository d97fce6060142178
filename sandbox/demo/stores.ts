import neo4j, { type Driver } from 'neo4j-driver';
import pg from 'pg';
import type { StoreEndpoints } from '../servers/endpoints.ts';

type Values = Readonly<Record<string, string>>;

/** Every record of the graph and the tables, by `collection/key`, each value as text. */
export type Picture = ReadonlyMap<string, Values>;

/** The stores as anybody with a driver sees them: nothing of the bot is used here, so that its claims can be checked. */
export interface Stores {
  /** Labels that the bot keeps its journal and fence under are left out. */
  picture(): Promise<Picture>;
  cypher(statement: string, parameters?: Record<string, unknown>): Promise<Record<string, unknown>[]>;
  sql(statement: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

const tables = ['users', 'spaces', 'audimodal_files', 'tenants', 'chunks', 'agents', 'executions'] as const;

export function openStores(endpoints: StoreEndpoints): Stores {
  const { url, user, password } = endpoints.neo4j;
  const driver = neo4j.driver(url, neo4j.auth.basic(user, password));
  const pool = new pg.Pool({ connectionString: endpoints.postgres.url, max: 2 });
  // A restore cuts idle connections; the pool makes new ones.
  pool.on('error', () => undefined);
  const cypher: Stores['cypher'] = async (statement, parameters = {}) => {
    const { records } = await driver.executeQuery(statement, parameters);
    return records.map((record) => record.toObject());
  };
  const sql: Stores['sql'] = async (statement, values = []) => (await pool.query(statement, values)).rows;
  return {
    cypher,
    sql,
    async picture() {
      return new Map([...(await graphPicture(driver)), ...(await tablePicture(sql))]);
    },
    async close() {
      await driver.close();
      await pool.end();
    },
  };
}

async function graphPicture(driver: Driver): Promise<[string, Values][]> {
  const nodes = await driver.executeQuery(
    `MATCH (n) WHERE NOT any(label IN labels(n) WHERE label STARTS WITH '_Tas')
     RETURN labels(n) AS labels, coalesce(n.id, n.name, elementId(n)) AS key, properties(n) AS properties`,
  );
  const relationships = await driver.executeQuery(
    `MATCH (a)-[r]->(b) WHERE a.id IS NOT NULL AND b.id IS NOT NULL
     RETURN type(r) AS type, a.id + ' → ' + b.id AS key, properties(r) AS properties`,
  );
  return [
    ...nodes.records.map((record) =>
      entry((record.get('labels') as string[]).toSorted().join(':'), record.get('key'), record.get('properties')),
    ),
    ...relationships.records.map((record) =>
      entry(`(${String(record.get('type'))})`, record.get('key'), record.get('properties')),
    ),
  ];
}

async function tablePicture(sql: Stores['sql']): Promise<[string, Values][]> {
  const lists = await Promise.all(
    tables.map(async (table) => {
      const rows = await sql(`select to_jsonb(t) as row from ${table} t`);
      return rows.map(({ row }) => entry(table, (row as { id: unknown }).id, row as object));
    }),
  );
  return lists.flat();
}

function entry(collection: string, key: unknown, properties: object): [string, Values] {
  const values = Object.entries(properties).map(([name, value]) => [
    name,
    JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? 'null',
  ]);
  return [`${collection}/${String(key)}`, Object.fromEntries(values)];
}

/** What differs, as `collection/key: added`, `… : removed` or `collection/key.field`, sorted. */
export function differences(before: Picture, after: Picture): string[] {
  const found: string[] = [];
  for (const [key, values] of after) {
    const old = before.get(key);
    if (old === undefined) {
      found.push(`${key}: added`);
      continue;
    }
    for (const field of new Set([...Object.keys(old), ...Object.keys(values)])) {
      if ((old[field] ?? 'null') !== (values[field] ?? 'null')) found.push(`${key}.${field}`);
    }
  }
  for (const key of before.keys()) if (!after.has(key)) found.push(`${key}: removed`);
  return found.sort();
}
