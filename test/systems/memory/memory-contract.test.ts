import { createSeal } from '../../../src/shared/sealed.ts';
import { createMemorySystem } from '../../../src/systems/memory/memory-system.ts';
import { describeSystemContract } from '../system-contract.ts';

const seal = createSeal(Buffer.alloc(32, 7));

describeSystemContract('memory', async () => {
  const system = createMemorySystem({
    name: 'people',
    seal,
    records: {
      User: [
        { id: 'u-1', email: 'one@example.org', tenant_id: 'tenant_1', age: 30 },
        { id: 'u-2', email: 'two@example.org' },
        { id: 'u-3', email: 'three@example.org', tenant_id: null },
        { id: 'u-4', email: 'three@example.org' },
        { id: '\u{1F600}', email: 'smile@example.org' },
        { id: '\uFF5E', email: 'wave@example.org', tags: ['a', 1, null] },
      ],
      Empty: [],
    },
  });
  const reading = { collection: 'User', fields: ['email', 'tenant_id'] };
  return {
    system,
    examples: [
      {
        kind: 'memory.set-fields',
        input: {
          collection: 'User',
          where: { field: 'tenant_id', equals: null },
          set: { tenant_id: 'tenant_{sequence}', space_id: 'space_{sequence}' },
        },
        count: 5,
        edit: {
          field: 'tenant_id',
          apply: async () => {
            system.put('User', { ...(system.read('User', 'u-2') ?? { id: 'u-2' }), tenant_id: 'tenant_mine' });
          },
        },
      },
      { kind: 'memory.delete-records', input: { collection: 'User', where: { field: 'age', equals: null } }, count: 5 },
    ],
    reading: {
      lookup: { ...reading, by: 'id' },
      scan: { ...reading, key: 'id' },
      keys: ['u-1', 'u-2', 'u-3', 'u-4', '\uFF5E', '\u{1F600}'],
      where: { text: 'tenant_id is missing and email matches /^t/', keys: ['u-2', 'u-3', 'u-4'] },
    },
    statements: {
      finds: { text: 'User where email is shared', count: 2 },
      findsNothing: 'User where email is missing',
      unreadable: 'delete everything',
    },
    async change() {
      system.put('User', { id: 'u-1', email: 'changed@example.org' });
      system.put('Notebook', { id: 'n-1', owner: 'u-1' });
      system.remove('User', 'u-3');
    },
    close: () => system.close(),
  };
});
