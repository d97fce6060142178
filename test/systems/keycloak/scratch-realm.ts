import { randomUUID } from 'node:crypto';
import { type AskKeycloak, logIn } from '../../../sandbox/servers/keycloak/realm.ts';
import { Secret } from '../../../src/shared/secret.ts';
import { createKeycloakSystem, type KeycloakSystemOptions } from '../../../src/systems/keycloak/keycloak-system.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';

/** A realm of a test's own on the real server. */
export interface ScratchRealm {
  readonly realm: string;
  readonly id: string;
  /** As administrator; the path begins after the realm. */
  ask(method: 'GET' | 'POST' | 'DELETE' | 'PUT', path: string, body?: unknown): Promise<unknown>;
  /** Users with these ids, in one import. */
  addUsers(users: readonly { readonly id: string; readonly [field: string]: unknown }[]): Promise<void>;
  /** A user of the realm who has these roles of its administration, and the system as which he asks. */
  asManager(roles: readonly string[]): Promise<System>;
  system(over?: Partial<KeycloakSystemOptions>): System;
  remove(): Promise<void>;
}

let login: { readonly admin: Promise<AskKeycloak>; readonly at: number } | null = null;

/** A login takes half a second, and a token lives for a minute. */
function logInSometimes(): Promise<AskKeycloak> {
  if (login === null || performance.now() - login.at > 30_000) {
    login = { admin: logIn(liveEndpoints().keycloak), at: performance.now() };
  }
  return login.admin;
}

export async function scratchRealm(): Promise<ScratchRealm> {
  const endpoint = liveEndpoints().keycloak;
  const realm = `test-${randomUUID().slice(0, 8)}`;
  const id = randomUUID();
  const send = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const admin = await logInSometimes();
    const answer = await admin(method as Parameters<AskKeycloak>[0], path, body);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answers ${answer.status}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  };
  await send('POST', '', { id, realm, enabled: true });
  const ask: ScratchRealm['ask'] = (method, path, body) => send(method, `/${realm}${path}`, body);
  const system = (over: Partial<KeycloakSystemOptions> = {}): System =>
    createKeycloakSystem({
      name: 'identities',
      url: endpoint.url,
      managementUrl: endpoint.managementUrl,
      realm,
      user: endpoint.user,
      password: new Secret(endpoint.password),
      ...over,
    });
  return {
    realm,
    id,
    ask,
    system,
    async addUsers(users) {
      await ask('POST', '/partialImport', { ifResourceExists: 'FAIL', users });
    },
    async asManager(roles) {
      const password = randomUUID();
      const user = `manager-${password.slice(0, 8)}`;
      const clientRoles = { 'realm-management': roles };
      const credentials = [{ type: 'password', value: password, temporary: false }];
      const person = { email: `${user}@example.com`, firstName: 'M', lastName: 'M', emailVerified: true };
      await ask('POST', '/partialImport', {
        ifResourceExists: 'FAIL',
        users: [{ username: user, enabled: true, ...person, credentials, clientRoles }],
      });
      return system({ loginRealm: realm, user, password: new Secret(password) });
    },
    async remove() {
      await send('DELETE', `/${realm}`);
    },
  };
}
