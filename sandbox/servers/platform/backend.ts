import { createHash, createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Endpoints } from '../endpoints.ts';
import { openObjects, type Sessions } from './stores.ts';

export interface Request {
  readonly method: string;
  /** Without the service's prefix. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly json?: unknown;
}

interface User {
  readonly id: string;
  readonly tenant: string;
}

const id = z.string().regex(/^[\w-]{1,80}$/);
const bodies = {
  tenant: z.object({ id, name: z.string().max(200) }),
  user: z.object({ username: id, password: z.string().min(8), tenant: id }),
  login: z.object({ username: id, password: z.string() }),
  notebook: z.object({ name: z.string().min(1).max(200) }),
  document: z.object({ name: z.string().regex(/^[\w .-]{1,100}$/), content: z.string().max(100_000) }),
};

/** The same name gives the same id, so that a call that comes twice meets the record of the first. */
export function idOf(...names: string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(names)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What aether-backend does, in the real stores. Tenants and users are made with the sandbox's key, the rest by users. */
export class Backend {
  readonly #key: string;
  readonly #bucket: string;
  readonly #objects: ReturnType<typeof openObjects>;

  constructor(endpoints: Endpoints) {
    this.#key = endpoints.platform.apiKey;
    this.#bucket = endpoints.minio.bucket;
    this.#objects = openObjects(endpoints);
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('hex');
  }

  async #userOf({ headers }: Request): Promise<User | null> {
    const [name, signed] = Buffer.from(String(headers.authorization ?? '').replace(/^Bearer /, ''), 'base64url')
      .toString('utf8')
      .split(' ');
    if (!name || signed !== this.#sign(`token ${name}`)) return null;
    const tenant = Buffer.from(name, 'base64url').toString('utf8').split(' ');
    return { id: tenant[0] ?? '', tenant: tenant[1] ?? '' };
  }

  async #provision({ method, path, body }: Request, { sql, graph }: Sessions): Promise<Answer> {
    if (method === 'POST' && path === '/tenants') {
      const tenant = bodies.tenant.parse(body);
      const insert = "INSERT INTO tenants (id, name, status) VALUES ($1, $2, 'active') ON CONFLICT DO NOTHING";
      await sql.query(insert, [tenant.id, tenant.name]);
      return { status: 201, json: { id: tenant.id } };
    }
    if (method === 'POST' && path === '/users') {
      const { username, password, tenant } = bodies.user.parse(body);
      const user = { id: idOf('user', tenant, username), username, tenant, password: this.#sign(password) };
      await graph.executeQuery(
        `MERGE (u:User {id: $id}) SET u.username = $username, u.email = $username + '@example.org', u.status = 'active',
           u.personal_tenant_id = $tenant, u.sandbox_password = $password`,
        user,
      );
      return { status: 201, json: { id: user.id } };
    }
    const tenant = /^\/tenants\/([\w-]{1,80})$/.exec(path)?.[1];
    if (method !== 'DELETE' || !tenant) return { status: 404 };
    const paths = await sql.query('SELECT path FROM audimodal_files WHERE tenant_id = $1', [tenant]);
    for (const row of paths.rows) await this.#objects.removeObject(this.#bucket, row.path);
    await sql.query('DELETE FROM audimodal_files WHERE tenant_id = $1', [tenant]);
    const gone = await sql.query('DELETE FROM tenants WHERE id = $1', [tenant]);
    await graph.executeQuery('MATCH (n:Document|Notebook {tenant_id: $tenant}) DETACH DELETE n', { tenant });
    await graph.executeQuery('MATCH (u:User {personal_tenant_id: $tenant}) DETACH DELETE u', { tenant });
    return { status: gone.rowCount === 0 ? 404 : 204 };
  }

  async #login({ body }: Request, { graph }: Sessions): Promise<Answer> {
    const { username, password } = bodies.login.parse(body);
    const { records } = await graph.executeQuery(
      'MATCH (u:User {username: $username, sandbox_password: $password}) RETURN u.id, u.personal_tenant_id',
      { username, password: this.#sign(password) },
    );
    if (records.length !== 1) return { status: 401 };
    const name = Buffer.from(`${records[0]?.get(0)} ${records[0]?.get(1)}`).toString('base64url');
    return {
      status: 200,
      json: { token: Buffer.from(`${name} ${this.#sign(`token ${name}`)}`).toString('base64url') },
    };
  }

  async #upload(user: User, notebook: string, body: unknown, { sql, graph }: Sessions): Promise<Answer> {
    const { name, content } = bodies.document.parse(body);
    const document = idOf('document', notebook, name);
    const job = idOf('file', document);
    const space = user.tenant.replace(/^tenant_/, 'space_');
    const path = `${user.tenant}/${space}/documents/${document}/${name}`;
    const size = Buffer.byteLength(content);
    await this.#objects.putObject(this.#bucket, path, content, size, { 'Content-Type': 'text/plain' });
    await sql.query(
      `INSERT INTO audimodal_files (id, tenant_id, filename, path, url, content_type, size, status)
       VALUES ($1, $2, $3, $4, $5, 'text/plain', $6, 'processed') ON CONFLICT (id) DO UPDATE SET size = excluded.size`,
      [job, user.tenant, name, path, `s3://${this.#bucket}/${path}`, size],
    );
    await graph.executeQuery(
      `MATCH (n:Notebook {id: $notebook, tenant_id: $tenant}) MERGE (d:Document {id: $document})
       SET d.name = $name, d.type = 'text', d.status = 'processed', d.storage_path = $path, d.storage_bucket = $bucket,
         d.size_bytes = toInteger($size), d.processing_job_id = $job, d.notebook_id = $notebook, d.owner_id = $owner,
         d.tenant_id = $tenant, d.space_id = $space MERGE (d)-[:BELONGS_TO]->(n)`,
      { notebook, tenant: user.tenant, document, name, path, bucket: this.#bucket, size, job, owner: user.id, space },
    );
    return { status: 201, json: { id: document } };
  }

  async #ofUser(user: User, request: Request, { sql, graph }: Sessions): Promise<Answer> {
    const { method, path, query, body } = request;
    if (path === '/notebooks' && method === 'GET') {
      const { records } = await graph.executeQuery(
        'MATCH (n:Notebook {tenant_id: $tenant}) RETURN n.id AS id, n.name AS name ORDER BY id LIMIT 100',
        { ...user },
      );
      return { status: 200, json: { items: records.map((record) => record.toObject()) } };
    }
    if (path === '/notebooks' && method === 'POST') {
      const { name } = bodies.notebook.parse(body);
      const notebook = { id: idOf('notebook', user.tenant, name), name, owner: user.id, tenant: user.tenant };
      await graph.executeQuery(
        `MERGE (n:Notebook {id: $id}) SET n.name = $name, n.owner_id = $owner, n.tenant_id = $tenant, n.status = 'active'
         WITH n MATCH (u:User {id: $owner}) MERGE (n)-[:OWNED_BY]->(u)`,
        notebook,
      );
      return { status: 201, json: { id: notebook.id } };
    }
    const notebook = /^\/notebooks\/([\w-]{1,80})\/documents$/.exec(path)?.[1];
    if (notebook && method === 'POST') return this.#upload(user, notebook, body, { sql, graph });
    if (path !== '/search' || method !== 'GET') return { status: 404 };
    const { records } = await graph.executeQuery(
      'MATCH (d:Document {tenant_id: $tenant}) WHERE d.name CONTAINS $q RETURN d.id AS id, d.name AS name LIMIT 20',
      { tenant: user.tenant, q: query.get('q') ?? '' },
    );
    return { status: 200, json: { items: records.map((record) => record.toObject()) } };
  }

  async answer(request: Request, sessions: Sessions): Promise<Answer> {
    try {
      if (request.path === '/login' && request.method === 'POST') return await this.#login(request, sessions);
      if (/^\/(tenants|users)(\/|$)/.test(request.path)) {
        return request.headers['x-api-key'] === this.#key ? await this.#provision(request, sessions) : { status: 401 };
      }
      const user = await this.#userOf(request);
      return user ? await this.#ofUser(user, request, sessions) : { status: 401 };
    } catch (error) {
      if (error instanceof z.ZodError) return { status: 400 };
      throw error;
    }
  }
}
