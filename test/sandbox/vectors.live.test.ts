import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { seedVectors } from '../../sandbox/seed/vectors.ts';
import { installDeeplake } from '../../sandbox/servers/deeplake/deeplake-program.ts';
import { silentProgress } from '../../sandbox/servers/progress.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import { Secret } from '../../src/shared/secret.ts';
import { createDeeplakeSystem } from '../../src/systems/deeplake/deeplake-system.ts';
import { liveEndpoints } from '../live-stores.ts';
import { performAll, stepContext, sumDone } from '../systems/step-contexts.ts';

it('fills a dataset for each tenant with real vectors, which the embedding model migration then takes on', async () => {
  const python = await installDeeplake(silentProgress.task('deeplake'));
  const root = await mkdtemp(join(tmpdir(), 'tas-vectors-'));
  const { url, apiKey } = liveEndpoints().embeddings;
  const logger = pino({ level: 'silent' });
  const embeddings = { url, apiKey: new Secret(apiKey) };
  const system = createDeeplakeSystem({
    name: 'vectors',
    root,
    python,
    embeddings,
    logger,
    seal: createSeal(Buffer.alloc(32, 5)),
  });
  const use = (name: string, input: object) => {
    const kind = system.kinds.find((candidate) => candidate.name === name);
    if (!kind) throw new Error(`there is no ${name}`);
    return performAll(kind, input, stepContext({ stepId: `storage.${name}` }), 500);
  };
  const broken = async (statement: object) => (await system.violations?.(JSON.stringify(statement)))?.count;
  try {
    const seeded = await seedVectors({ root, python, endpoint: { url, apiKey }, kind: 'demo', tenants: 3 });
    expect(seeded.datasets).toBe(3);
    expect(seeded.vectors).toBeGreaterThan(3);
    const counts = await system.counts?.();
    expect(Object.values(counts ?? {}).reduce((sum, one) => sum + one, 0)).toBe(seeded.vectors);
    const same = { datasets: 'tenants/*/*', same: ['model', 'embedding.length'] };
    expect(await broken(same)).toBe(0);
    expect(await broken({ datasets: 'tenants/*/*', must: { 'embedding.length': '3072' } })).toBe(seeded.vectors);
    const to = { model: 'text-embedding-3-large', dimension: 3072 };
    const embedded = await use('deeplake.re-embed', { datasets: 'tenants/*/*', from: 'text-embedding-ada-002', to });
    expect(sumDone(embedded)).toBe(seeded.vectors);
    const from = { model: 'text-embedding-ada-002', dimension: 1536 };
    expect(sumDone(await use('deeplake.switch-embeddings', { datasets: 'tenants/*/*', from, to }))).toBe(3);
    expect(await broken({ datasets: 'tenants/*/default', must: { 'embedding.length': '3072' } })).toBe(0);
    expect(await broken(same)).toBe(0);
    const again = await seedVectors({ root, python, endpoint: null, kind: 'demo', tenants: 3 });
    expect(again.vectors).toBe(seeded.vectors);
  } finally {
    await system.close();
    await rm(root, { recursive: true, force: true });
  }
});
