import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checksumOf } from '../../../src/shared/checksum.ts';
import { readNdjsonZst } from '../../../src/shared/ndjson.ts';
import { Secret } from '../../../src/shared/secret.ts';
import { connectKeycloak } from '../../../src/systems/keycloak/client.ts';
import { scan } from '../../../src/systems/keycloak/reading.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { failureOf, need } from '../contract-subject.ts';
import { type ScratchRealm, scratchRealm } from './scratch-realm.ts';

const id = (n: number): string => `${(n * 7919).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
const person = (n: number) => ({ id: id(n), username: `u${n}`, email: `u${n}@example.com`, enabled: true });

describe('keycloak', () => {
  let realm: ScratchRealm;
  beforeEach(async () => {
    realm = await scratchRealm();
  });
  afterEach(() => realm.remove());

  it('is the realm at this address, and another realm is another', async () => {
    const identity = await realm.system().identity();
    expect(identity).toBe(`${realm.id}@${new URL(liveEndpoints().keycloak.url).host}`);
    const other = await scratchRealm();
    expect(await other.system().identity()).not.toBe(identity);
    await other.remove();
  });

  it('is down where the realm is missing, is disabled, or the management port does not answer', async () => {
    expect(await realm.system({ realm: 'nowhere' }).checkHealth()).toMatchObject({
      up: false,
      note: 'identities has no realm nowhere',
    });
    const deaf = await realm.system({ managementUrl: 'http://127.0.0.1:2' }).checkHealth();
    expect(deaf).toMatchObject({ up: false, note: expect.stringContaining('management port') });
    await realm.ask('PUT', '', { enabled: false });
    expect(await realm.system().checkHealth()).toMatchObject({ up: false, note: expect.stringContaining('disabled') });
  });

  it('counts users, groups, clients and roles, and sees every change of them', async () => {
    const system = realm.system();
    const hashes = new Set([(await need(system, 'fingerprint')()).hash]);
    const before = await system.counts?.();
    expect(before).toMatchObject({ users: 0, groups: 0 });
    await realm.addUsers([person(1), person(2)]);
    await realm.ask('POST', '/groups', { name: 'team' });
    expect(await system.counts?.()).toEqual({ ...before, users: 2, groups: 1 });
    hashes.add((await need(system, 'fingerprint')()).hash);
    await realm.ask('PUT', `/users/${id(1)}`, { ...person(1), enabled: false });
    hashes.add((await need(system, 'fingerprint')()).hash);
    await realm.ask('PUT', '', { accessTokenLifespan: 77 });
    hashes.add((await need(system, 'fingerprint')()).hash);
    expect(hashes.size).toBe(4);
  });

  it('scans over several pages by id, whatever fits into memory', async () => {
    const many = Array.from({ length: 1_150 }, (_, n) => person(n));
    for (let first = 0; first < many.length; first += 300) await realm.addUsers(many.slice(first, first + 300));
    const { keycloak } = liveEndpoints();
    const password = new Secret(keycloak.password);
    const client = connectKeycloak({
      name: 'identities',
      url: keycloak.url,
      realm: realm.realm,
      user: keycloak.user,
      password,
    });
    const sorted = many.map((user) => user.id).sort();
    for (const most of [20_000, 400]) {
      const keys: string[] = [];
      for await (const row of scan(client, { collection: 'users', key: 'id', fields: ['email'] }, most))
        keys.push(row.key);
      expect(keys).toEqual(sorted);
    }
  });

  it('looks users up by name and address too, and by ids that lead nowhere finds nobody', async () => {
    await realm.addUsers([person(1), person(2), person(11)]);
    const lookup = need(realm.system(), 'lookup');
    const found = await lookup({ collection: 'users', by: 'username', fields: ['id'] }, ['u1', 'u3']);
    expect([...found]).toEqual([['u1', { id: id(1) }]]);
    const strange = ['..', '../..', 'count', 'profile', `${id(1)}/groups`, '%2e%2e', 'a?b=c', ''];
    expect(await lookup({ collection: 'users', by: 'id', fields: ['email'] }, strange)).toEqual(new Map());
    const failure = await failureOf(() => lookup({ collection: 'users', by: 'id', fields: ['credentials'] }, [id(1)]));
    expect(failure.code).toBe('invalid-statement');
  });

  it('tells violations by id and field, without values', async () => {
    await realm.addUsers([person(1), { ...person(2), email: 'private@other.org' }]);
    const found = await need(realm.system(), 'violations')('{"must": {"email": ".*@example[.]com"}}');
    expect(found).toEqual({ count: 1, samples: [{ id: id(2), breaks: 'email' }] });
  });

  it('names the role that the login lacks', async () => {
    const needs = { uses: [], bytes: 0 };
    const all = ['view-users', 'view-clients', 'view-realm', 'manage-realm'];
    const findingOf = async (roles: readonly string[]) =>
      (await (await realm.asManager(roles)).preflight?.(needs)) ?? [];
    expect(await findingOf(all)).toEqual([expect.objectContaining({ check: 'admin-roles', status: 'passed' })]);
    expect(await findingOf(all.filter((role) => role !== 'manage-realm'))).toEqual([
      expect.objectContaining({ status: 'failed', samples: ['manage-realm'] }),
    ]);
    expect((await findingOf(['view-realm']))[0]).toMatchObject({
      status: 'failed',
      samples: expect.arrayContaining(['view-users']),
    });
    const queries = await findingOf(['query-users', 'view-clients', 'view-realm', 'manage-realm']);
    expect(queries).toContainEqual(expect.objectContaining({ check: 'users-seen', status: 'warning' }));
    const refused = await failureOf(async () => need(await realm.asManager([]), 'fingerprint')());
    expect(refused.code).toBe('missing-rights');
  });

  it('backs up the export and the ids, says that this is no backup of users, and shows no secret', async () => {
    await realm.addUsers([person(1), person(2), person(3)]);
    await realm.ask('POST', '/clients', { clientId: 'app', secret: 'the-secret-of-app', publicClient: false });
    const folder = await mkdtemp(join(tmpdir(), 'keycloak-backup-'));
    try {
      const context = { objectsFolder: folder, signal: AbortSignal.timeout(60_000), progress() {} };
      const system = realm.system();
      const part = await need(system, 'backup')(folder, context);
      expect(part.fingerprint).toEqual(await need(system, 'fingerprint')());
      for (const { path, ...sum } of part.files) expect(await checksumOf(join(folder, path))).toEqual(sum);
      const text = await readFile(join(folder, 'realm.json'), 'utf8');
      expect(JSON.parse(text)).toMatchObject({ realm: realm.realm });
      expect(text).toContain('"clientId": "app"');
      expect(text).not.toContain('the-secret-of-app');
      const ids: unknown[] = [];
      for await (const line of readNdjsonZst(join(folder, 'user-ids.ndjson.zst'))) ids.push(line);
      expect(ids).toEqual([id(1), id(2), id(3)].sort());
      expect(part.excludes.join()).toMatch(/users with their credentials.*database.*masks/s);
      expect(system.restore).toBeUndefined();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('logs in anew when its sessions were ended, and asks a busy server again', async () => {
    const { keycloak } = liveEndpoints();
    const seen: string[] = [];
    // Before the real server: lets the first answer be a 503, and once says that the token is not known any more.
    const proxy = createServer(async (request, answer) => {
      const path = request.url ?? '';
      seen.push(path);
      const asked = seen.filter((other) => other === path).length;
      const broken = path.endsWith('/users/count') ? ({ 1: 503, 2: 401 } as Record<number, number>)[asked] : undefined;
      if (broken) {
        answer.statusCode = broken;
        answer.end();
        return;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const passed = await fetch(`${keycloak.url}${path}`, {
        method: request.method ?? 'GET',
        headers: {
          ...(request.headers.authorization ? { authorization: request.headers.authorization } : {}),
          ...(request.headers['content-type'] ? { 'content-type': request.headers['content-type'] } : {}),
        },
        ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      });
      answer.statusCode = passed.status;
      answer.end(await passed.text());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      expect(await realm.system({ url }).counts?.()).toMatchObject({ users: 0 });
      expect(seen.filter((path) => path.endsWith('/token')).length).toBeGreaterThanOrEqual(1);
      expect(seen.filter((path) => path.endsWith('/users/count')).length).toBeGreaterThanOrEqual(3);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
