import { createHealthKind } from '../../src/checks/health-kind.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import { createMemorySystem } from '../../src/systems/memory/memory-system.ts';
import type { StepContext } from '../../src/systems/system.ts';

const context = { signal: new AbortController().signal } as StepContext;
const batch = { index: 0, cursor: null, done: 0, size: 1 };

describe('the health gate between two phases', () => {
  const graph = createMemorySystem({ name: 'graph', seal: createSeal(Buffer.alloc(32)) });
  const kind = createHealthKind(new Map([['graph', graph]]));
  const input = (within: string) => kind.input.parse({ systems: ['graph'], within });

  it('lets the run go on when everything is up', async () => {
    graph.setReachable(true);
    expect(await kind.performBatch(input('1s'), batch, context)).toMatchObject({ cursor: null });
  });

  it('stops it with the name of what is down, and with what is safe', async () => {
    graph.setReachable(false);
    await expect(kind.performBatch(input('1s'), batch, context)).rejects.toMatchObject({
      code: 'step-failed',
      message: expect.stringMatching(/^After 1 s: graph is down/),
      advice: expect.stringContaining('nothing of the next phase was begun'),
    });
  });
});
