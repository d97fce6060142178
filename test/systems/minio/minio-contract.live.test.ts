import { Secret } from '../../../src/shared/secret.ts';
import { describeSystemContract } from '../system-contract.ts';
import { scratchBucket } from './scratch-bucket.ts';

const keys = [
  'tenant_1/space_1/documents/d 1/ü & <a>+=%.txt',
  'tenant_1/space_1/documents/d2/b.txt',
  'tenant_1/space_1/documents/d3/c.txt',
  'tenant_2/files/d.txt',
  'tenant_2/files/\uFF5E.txt',
  'tenant_2/files/\u{1F600}.txt',
];

describeSystemContract('minio', async () => {
  const bucket = await scratchBucket();
  for (const [i, key] of keys.entries()) {
    await bucket.put(key, `content ${i}`, {
      metadata: { 'Content-Type': 'text/plain', 'X-Amz-Meta-Origin': `upload ${i}` },
      ...(i % 2 === 0 ? { tags: { stage: '007', 'a b': '1 + 1 = 2/@' } } : {}),
    });
  }
  await bucket.put('tenant_3/hidden.txt', 'deleted later');
  await bucket.client.removeObject(bucket.name, 'tenant_3/hidden.txt');
  const system = bucket.system();
  const reading = { collection: bucket.name, fields: ['etag', 'size', 'version_id', 'tag.stage'] };
  return {
    system,
    reopen: async () => bucket.system(),
    examples: [
      {
        kind: 'minio.set-tags',
        input: { match: '^(tenant_\\d+)/', set: { tenant: '$1', stage: 'moved' } },
        count: 6,
        edit: {
          field: 'tag.tenant',
          apply: () => bucket.client.setObjectTagging(bucket.name, keys[1] ?? '', { tenant: 'mine', stage: 'moved' }),
        },
      },
      { kind: 'minio.set-tags', input: { prefix: 'tenant_', set: { stage: null, 'a b': null } }, count: 3 },
      {
        kind: 'minio.copy-keys',
        input: { match: '^tenant_2/files/(.+)$', target: 'tenant_2/new/$1' },
        count: 3,
        edit: { field: 'version_id', apply: () => bucket.put('tenant_2/new/d.txt', 'a newer version') },
      },
    ],
    reading: {
      lookup: { ...reading, by: 'key' },
      scan: { ...reading, key: 'key' },
      keys,
      where: { text: '{"prefix": "tenant_2/", "where": {"tag.stage": "007"}}', keys: ['tenant_2/files/\uFF5E.txt'] },
    },
    statements: {
      finds: { text: '{"match": "^(tenant_\\\\d+)/", "must": {"tag.stage": "007", "tag.tenant": null}}', count: 3 },
      findsNothing: '{"must": {"key": "tenant_\\\\d+/.*", "size": "[1-9]\\\\d*"}}',
      unreadable: '{"must": {"key": "("}}',
    },
    async change() {
      await bucket.put(keys[0] ?? '', 'changed');
      await bucket.put('tenant_9/new.txt', 'new');
      await bucket.client.removeObject(bucket.name, keys[3] ?? '');
      await bucket.client.setObjectTagging(bucket.name, keys[2] ?? '', { stage: 'changed' });
    },
    refused: {
      password: 'not-the-password-77',
      wrongPassword: () => bucket.system({ secretKey: new Secret('not-the-password-77') }),
      unreachable: () => bucket.system({ url: 'http://127.0.0.1:1', secretKey: new Secret('not-the-password-77') }),
    },
    async close() {
      await system.close();
      await bucket.remove();
    },
  };
});
