import type { Finding } from '../finding.ts';
import type { Session } from './database.ts';
import { parseTableName, quoteName, quoteTable } from './identifiers.ts';

/**
 * What a step must be allowed on a table; `OWN` = to change its columns, `CREATE` = to make things in its schema,
 * `SCHEMA` = to make schemas in the database.
 */
export type Right = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'REFERENCES' | 'OWN' | 'CREATE' | 'SCHEMA';

export interface RightsNeeded {
  readonly table: string;
  readonly rights: readonly Right[];
}

/** Failed findings for rights that the connected user lacks, with the statement that grants them. Tables that are not there yet are left out. */
export async function findMissingRights(session: Session, needs: readonly RightsNeeded[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { table, rights } of needs) {
    const sql = quoteTable(parseTableName(table));
    const [row] = await session.rows<{
      user: string;
      owner: string;
      schema: string;
      database: string;
      allowed: string;
    }>(
      `SELECT current_user::text AS user, pg_catalog.pg_get_userbyid(c.relowner) AS owner, n.nspname AS schema,
         current_database()::text AS database,
         (SELECT json_object_agg(r, CASE r WHEN 'OWN' THEN pg_has_role(c.relowner, 'USAGE')
            WHEN 'SCHEMA' THEN has_database_privilege(current_database(), 'CREATE')
            WHEN 'CREATE' THEN has_schema_privilege(n.oid, 'CREATE') ELSE has_table_privilege(c.oid, r) END)
          FROM unnest($2::text[]) r)::text AS allowed
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)`,
      [sql, [...rights]],
    );
    if (!row) continue;
    const allowed = JSON.parse(row.allowed) as { [right: string]: boolean };
    const missing = rights.filter((right) => !allowed[right]);
    if (missing.length > 0) findings.push(toFinding(table, sql, missing, row));
  }
  return findings;
}

function toFinding(
  table: string,
  sql: string,
  missing: readonly Right[],
  place: { readonly user: string; readonly owner: string; readonly schema: string; readonly database: string },
): Finding {
  const grantee = quoteName(place.user);
  const special: { readonly [right: string]: { readonly words: string; readonly statement: string } } = {
    OWN: { words: `own it (its owner is ${place.owner})`, statement: `GRANT ${quoteName(place.owner)}` },
    CREATE: {
      words: `CREATE in its schema ${place.schema}`,
      statement: `GRANT CREATE ON SCHEMA ${quoteName(place.schema)}`,
    },
    SCHEMA: {
      words: `CREATE schemas in ${place.database}`,
      statement: `GRANT CREATE ON DATABASE ${quoteName(place.database)}`,
    },
  };
  const plain = missing.filter((right) => !(right in special));
  const statements = [
    ...(plain.length > 0 ? [`GRANT ${plain.join(', ')} ON ${sql}`] : []),
    ...missing.flatMap((right) => special[right]?.statement ?? []),
  ];
  return {
    check: 'rights',
    title: `${table}: user ${place.user} may not ${missing.map((right) => special[right]?.words ?? right).join(', ')}`,
    status: 'failed',
    count: missing.length,
    samples: missing.slice(0, 5),
    advice: `As its owner or a superuser: ${statements.map((text) => `${text} TO ${grantee};`).join(' ')}`,
  };
}
