import { describeSystemContract } from '../system-contract.ts';
import { idsOf, scratchVectors } from './scratch-vectors.ts';

const dataset = 'tenants/tenant_1/default';
const ids = idsOf(6);

describeSystemContract('deeplake', async () => {
  const vectors = await scratchVectors();
  await vectors.users(
    { do: 'create', path: dataset, ids, dimension: 8, tenant: 'tenant_1' },
    { do: 'create', path: 'tenants/tenant_2/default', ids: idsOf(4, 'w'), dimension: 8, tenant: 'tenant_2' },
    { do: 'create', path: 'tenants/tenant_3/default', ids: idsOf(2, 'x'), dimension: 8, tenant: 'tenant_3' },
    ...['1', '2', '3'].flatMap((n) =>
      ['', '.next'].map((suffix) => ({
        do: 'create' as const,
        path: `teams/t${n}/main${suffix}`,
        ids: idsOf(3, `t${n}`),
        dimension: suffix ? 4 : 8,
        tenant: n,
      })),
    ),
  );
  const system = vectors.system();
  const reading = { collection: dataset, fields: ['document_id', 'metadata.tenant_id', 'embedding.length'] };
  return {
    system,
    reopen: async () => vectors.system(),
    examples: [
      {
        kind: 'deeplake.add-field',
        input: {
          datasets: 'tenants/*/default',
          field: 'tenant',
          type: 'text',
          from: 'metadata.tenant_id',
          value: 'none',
        },
        count: 12,
        edit: {
          field: 'tenant',
          apply: async () =>
            void (await vectors.users({ do: 'change', path: dataset, column: 'tenant', id: 'v-02', value: 'mine' })),
        },
      },
      {
        kind: 'deeplake.new-version',
        input: {
          datasets: 'tenants/*/default',
          suffix: '.v2',
          fields: {
            rename: { content: 'passage' },
            drop: ['chunk_id'],
            add: [{ field: 'stage', type: 'int', value: 2 }],
          },
        },
        count: 12,
        edit: {
          field: 'version',
          apply: async () =>
            void (await vectors.users({ do: 'delete', path: 'tenants/tenant_2/default.v2', id: 'w-01' })),
        },
      },
      { kind: 'deeplake.swap-datasets', input: { datasets: 'teams/*/main', with: '.next' }, count: 3 },
    ],
    reading: {
      lookup: { ...reading, by: 'id' },
      scan: { ...reading, key: 'id' },
      keys: ids,
      where: { text: '{"document_id": "d-v-0[24]"}', keys: ['v-02', 'v-04'] },
    },
    statements: {
      finds: {
        text: '{"datasets": "tenants/*/default", "match": "tenants/([^/]+)/", "must": {"metadata.tenant_id": "tenant_1"}}',
        count: 6,
      },
      findsNothing:
        '{"datasets": "tenants/*/default", "match": "tenants/([^/]+)/", "must": {"metadata.tenant_id": "$1", "embedding.length": "8"}}',
      unreadable: '{"datasets": "tenants/*/default", "must": {"id": "("}}',
    },
    async change() {
      await vectors.users(
        { do: 'append', path: dataset, ids: ['new-1'] },
        { do: 'change', path: dataset, column: 'content', id: 'v-03', value: 'other' },
        { do: 'delete', path: 'tenants/tenant_2/default', id: 'w-02' },
        { do: 'create', path: 'tenants/tenant_9/default', ids: ['z'], dimension: 8, tenant: 'tenant_9' },
      );
    },
    async close() {
      await system.close();
      await vectors.remove();
    },
  };
});
