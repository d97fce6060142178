import { Secret } from '../../../src/shared/secret.ts';
import { describeSystemContract } from '../system-contract.ts';
import { type ScratchRealm, scratchRealm } from './scratch-realm.ts';

const ids = [
  '00000000-0000-4000-8000-000000000009',
  '10000000-0000-4000-8000-000000000001',
  '2f000000-0000-4000-8000-000000000007',
  'a0000000-0000-4000-8000-000000000003',
  'ff000000-0000-4000-8000-000000000002',
];

let realm: ScratchRealm;
beforeAll(async () => {
  realm = await scratchRealm();
});
afterAll(() => realm.remove());

/** Making a realm takes seconds: each test has users of its own in the same one. */
describeSystemContract('keycloak', async () => {
  await realm.addUsers(
    ids.map((id, i) => ({
      id,
      // The server's order is by name: the reverse of ours.
      username: `user-${9 - i}`,
      email: `user-${i}@example.com`,
      enabled: i !== 1,
      emailVerified: true,
      createdTimestamp: 1_700_000_000_000 + i,
    })),
  );
  const system = realm.system();
  const fields = ['username', 'enabled', 'created', 'attribute.team'];
  return {
    system,
    reopen: async () => realm.system(),
    examples: [],
    reading: {
      lookup: { collection: 'users', by: 'id', fields },
      scan: { collection: 'users', key: 'id', fields },
      keys: ids,
      where: { text: '{"enabled": "true", "email": "user-[0-3]@.*"}', keys: [ids[0], ids[2], ids[3]] as string[] },
    },
    statements: {
      finds: { text: '{"where": {"enabled": "true"}, "must": {"email": "user-[34]@.*"}}', count: 2 },
      findsNothing: '{"must": {"username": "user-[0-9]", "email": ".+@example[.]com"}}',
      unreadable: '{"must": {"email": "("}}',
    },
    async change() {
      await realm.ask('DELETE', `/users/${ids[0]}`);
    },
    refused: {
      password: 'not-the-password-77',
      wrongPassword: () => realm.system({ password: new Secret('not-the-password-77') }),
      unreachable: () => realm.system({ url: 'http://127.0.0.1:2', password: new Secret('not-the-password-77') }),
    },
    async close() {
      await system.close();
      for (const id of ids) await realm.ask('DELETE', `/users/${id}`).catch(() => undefined);
    },
  };
});
