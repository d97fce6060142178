import { join } from 'node:path';
import { seedIdentities } from '../../../sandbox/seed/identities.ts';
import { people } from '../../../sandbox/seed/people.ts';
import { shapeOf } from '../../../sandbox/seed/shape.ts';
import { makeRealmAnew } from '../../../sandbox/servers/keycloak/realm.ts';
import { readChecks } from '../../../src/checks/check.ts';
import { runCheck } from '../../../src/checks/run-check.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { type ScratchRealm, scratchRealm } from './scratch-realm.ts';

const kind = 650;
const ids = [...people(shapeOf(kind))].map(({ user }) => String(user.keycloak_id));

/** Stands for the graph: what the seed puts into it, by identity. */
const graph = {
  name: 'graph',
  type: 'neo4j',
  async *scan() {
    for (const id of [...ids].sort()) yield { key: id, values: { keycloak_id: id } };
  },
} as unknown as System;

describe('identities', () => {
  let realm: ScratchRealm;
  beforeAll(async () => {
    realm = await scratchRealm();
  });
  afterAll(() => realm.remove());

  const keycloak = () => ({ ...liveEndpoints().keycloak, realm: realm.realm });
  const judge = async (id: string) => {
    const checks = await readChecks([join(import.meta.dirname, '../../../packs/tas')], { files_table: 'files' });
    const check = checks.get(id);
    if (!check) throw new Error(`the pack has no check ${id}`);
    return runCheck(
      check,
      new Map([
        ['graph', graph],
        ['identities', realm.system()],
      ]),
    );
  };

  it('are those of the seeded graph, however often they are seeded, and a check finds each one that is missing', async () => {
    expect(await seedIdentities({ keycloak: keycloak() }, { kind })).toEqual({ added: kind, skipped: 0 });
    expect(await judge('identities-agree')).toMatchObject({ status: 'passed', count: 0 });
    expect(await judge('identities-well-formed')).toMatchObject({ status: 'passed', count: 0 });
    const gone = ids[5] ?? '';
    await realm.ask('DELETE', `/users/${gone}`);
    const strange = '00000000-0000-4000-8000-00000000abcd';
    await realm.addUsers([{ id: strange, username: 'stranger', enabled: true }]);
    const finding = await judge('identities-agree');
    expect(finding).toMatchObject({ status: 'failed', count: 2 });
    expect([...finding.samples].sort()).toEqual(
      [`${gone} is in graph only`, `${strange} is in identities only`].sort(),
    );
    expect(await seedIdentities({ keycloak: keycloak() }, { kind })).toEqual({ added: 1, skipped: kind - 1 });
  });

  it('are gone when the sandbox is emptied, and the realm stays the same one', async () => {
    await realm.addUsers([{ id: '00000000-0000-4000-8000-00000000abce', username: 'other', enabled: true }]);
    const identity = await realm.system().identity();
    await makeRealmAnew(keycloak());
    expect(await realm.system().counts?.()).toMatchObject({ users: 0 });
    expect(await realm.system().identity()).toBe(identity);
  });
});
