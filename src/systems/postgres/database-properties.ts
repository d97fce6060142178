import { z } from 'zod';
import type { Database, Session } from './database.ts';
import { quoteName, quoteText } from './identifiers.ts';

/** What belongs to the database itself and not to what is in it: pg_dump of one database leaves it out. */
export const propertiesSchema = z.object({
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  /** c = the operating system's, i = ICU. */
  provider: z.string(),
  icuLocale: z.string().nullable(),
  tablespace: z.string(),
  owner: z.string(),
  connectionLimit: z.number(),
  comment: z.string().nullable(),
  /** Null = the default rights. */
  grants: z.array(z.object({ grantee: z.string(), privilege: z.string(), grantable: z.boolean() })).nullable(),
  /** Settings of the database; `role` null = for all. */
  settings: z.array(z.object({ role: z.string().nullable(), name: z.string(), value: z.string() })),
});
export type DatabaseProperties = z.infer<typeof propertiesSchema>;

/** Null where there is no such database. */
export async function readProperties(session: Session, database: string): Promise<DatabaseProperties | null> {
  const [row] = await session.rows<{ properties: string }>(
    `SELECT json_build_object('encoding', pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype,
       'provider', coalesce(to_jsonb(d)->>'datlocprovider', 'c'), 'icuLocale', coalesce(to_jsonb(d)->>'daticulocale', to_jsonb(d)->>'datlocale'),
       'tablespace', t.spcname, 'owner', pg_get_userbyid(d.datdba), 'connectionLimit', d.datconnlimit,
       'comment', shobj_description(d.oid, 'pg_database'),
       'grants', CASE WHEN d.datacl IS NOT NULL THEN (SELECT coalesce(json_agg(json_build_object('grantee',
           CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END, 'privilege', a.privilege_type,
           'grantable', a.is_grantable)), '[]') FROM aclexplode(d.datacl) a) END,
       'settings', (SELECT coalesce(json_agg(json_build_object('role', CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END,
           'name', split_part(c, '=', 1), 'value', substr(c, strpos(c, '=') + 1))), '[]')
         FROM pg_db_role_setting s, unnest(s.setconfig) c WHERE s.setdatabase = d.oid))::text AS properties
     FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = $1`,
    [database],
  );
  return row ? propertiesSchema.parse(JSON.parse(row.properties)) : null;
}

/** Makes an empty database of this form, closed to everybody but its owner. */
export async function createLike(admin: Database, name: string, like: DatabaseProperties): Promise<void> {
  const icu = like.provider === 'i' ? ` LOCALE_PROVIDER icu ICU_LOCALE ${quoteText(like.icuLocale ?? '')}` : '';
  // Naming the default one would need a right that owners do not have.
  const place = like.tablespace === 'pg_default' ? '' : ` TABLESPACE ${quoteName(like.tablespace)}`;
  await admin.execute(
    `CREATE DATABASE ${quoteName(name)} WITH OWNER ${quoteName(like.owner)} TEMPLATE template0
       ENCODING ${quoteText(like.encoding)} LC_COLLATE ${quoteText(like.collate)} LC_CTYPE ${quoteText(like.ctype)}${icu}${place}`,
  );
  await admin.execute(`REVOKE CONNECT ON DATABASE ${quoteName(name)} FROM PUBLIC`);
}

/** Gives a database these rights, settings, comment and limit. */
export async function applyProperties(session: Session, name: string, properties: DatabaseProperties): Promise<void> {
  const database = quoteName(name);
  await session.rows(`ALTER DATABASE ${database} CONNECTION LIMIT ${properties.connectionLimit}`, []);
  if (properties.comment !== null) {
    await session.rows(`COMMENT ON DATABASE ${database} IS ${quoteText(properties.comment)}`, []);
  }
  await applyGrants(session, database, properties);
  for (const { role, name: setting, value } of properties.settings) {
    // By way of the session: lists such as search_path are quoted by the server itself then.
    await session.rows('SELECT set_config($1, $2, true)', [setting, value]);
    const quoted = setting.split('.').map(quoteName).join('.');
    const place = role === null ? `DATABASE ${database}` : `ROLE ${quoteName(role)} IN DATABASE ${database}`;
    await session.rows(`ALTER ${place} SET ${quoted} FROM CURRENT`, []);
  }
}

async function applyGrants(session: Session, database: string, { grants, owner }: DatabaseProperties): Promise<void> {
  if (grants === null) {
    await session.rows(`GRANT CONNECT ON DATABASE ${database} TO PUBLIC`, []);
    return;
  }
  await session.rows(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC, ${quoteName(owner)}`, []);
  for (const { grantee, privilege, grantable } of grants) {
    const to = grantee === 'PUBLIC' ? 'PUBLIC' : quoteName(grantee);
    const right = /^[A-Z ]+$/.test(privilege) ? privilege : 'CONNECT';
    await session.rows(`GRANT ${right} ON DATABASE ${database} TO ${to}${grantable ? ' WITH GRANT OPTION' : ''}`, []);
  }
}
