import { describeSystemContract } from '../system-contract.ts';
import { scratchCluster } from './scratch-cluster.ts';

describeSystemContract('kafka', async () => {
  const cluster = await scratchCluster();
  await cluster.makeTopic('documents', 3, { 'retention.ms': '86400000' });
  await cluster.makeTopic('documents.empty', 1);
  await cluster.makeTopic('notices', 1);
  for (const partition of [0, 1, 2]) await cluster.send('documents', partition, 5);
  await cluster.commit('audimodal', 'documents', { 0: 3, 1: 5, 2: 0 });
  const system = cluster.system();
  return {
    system,
    reopen: async () => cluster.system(),
    examples: [
      {
        kind: 'kafka.set-topic-config',
        input: { topic: 'documents', config: { 'retention.ms': '7200000', 'max.message.bytes': '2000000' } },
        count: 2,
        ofSchema: true,
        edit: {
          field: 'retention.ms',
          async apply() {
            const configEntries = [
              { name: 'retention.ms', value: '1000000' },
              { name: 'max.message.bytes', value: '2000000' },
            ];
            await cluster.admin.alterConfigs({
              validateOnly: false,
              resources: [{ type: 2, name: 'documents', configEntries }],
            });
          },
        },
      },
      {
        kind: 'kafka.create-topic',
        input: { topic: 'made', partitions: 2, config: { 'cleanup.policy': 'compact' } },
        count: 1,
        ofSchema: true,
        edit: { field: 'messages', apply: () => cluster.send('made', 1, 1) },
      },
      {
        kind: 'kafka.set-offsets',
        input: { group: 'audimodal', topic: 'documents', to: 'earliest' },
        count: 2,
        ofSchema: true,
        edit: { field: 'documents/1', apply: () => cluster.commit('audimodal', 'documents', { 1: 4 }) },
      },
    ],
    reading: {
      lookup: { collection: 'topics', by: 'name', fields: ['partitions', 'messages', 'config.retention.ms'] },
      scan: { collection: 'topics', key: 'name', fields: ['partitions', 'messages'] },
      keys: ['documents', 'documents.empty', 'notices'],
      where: { text: '{"match": "^documents"}', keys: ['documents', 'documents.empty'] },
    },
    async change() {
      await cluster.admin.deleteTopics({ topics: ['notices'] });
      await cluster.commit('audimodal', 'documents', { 0: 4, 2: 2 });
      await cluster.admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: 2, name: 'documents', configEntries: [{ name: 'retention.ms', value: '5000' }] }],
      });
    },
    refused: {
      password: 'not-the-password-77',
      wrongPassword: () => cluster.asUser('admin', 'not-the-password-77'),
      unreachable: () => cluster.system({ brokers: ['127.0.0.1:1'] }),
    },
    close: () => cluster.close(),
  };
});
