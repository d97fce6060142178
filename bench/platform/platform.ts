import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installDeeplake } from '../../sandbox/servers/deeplake/deeplake-program.ts';
import type { Endpoints } from '../../sandbox/servers/endpoints.ts';
import { createProgress } from '../../sandbox/servers/progress.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import { Secret } from '../../src/shared/secret.ts';
import { createSystem } from '../../src/systems/index.ts';
import { type ContestFigures, compete } from '../kinds/contest.ts';
import { kubectlProgram } from '../kubectl-program.ts';
import { clusterContest } from './cluster-contest.ts';
import { vectorContests } from './vector-contests.ts';

export interface PlatformRequest {
  readonly pairs: number;
  readonly vectors: number;
  readonly texts: number;
}

/** What goes around the stores, beside what people do by hand: services stopped and started, datasets copied and embedded. */
export async function measurePlatform(
  endpoints: Endpoints,
  request: PlatformRequest,
  say: (line: string) => void,
): Promise<readonly ContestFigures[]> {
  const progress = createProgress(process.stderr);
  const kubectl = await kubectlProgram.build(progress.task('kubectl'));
  const python = await installDeeplake(progress.task('deeplake'));
  progress.stop();
  const deps = {
    seal: createSeal(randomBytes(32)),
    logger: createLogger('error'),
    reveal: () => new Secret(endpoints.embeddings.apiKey),
  };
  const { kubeconfig } = endpoints.kubernetes;
  const namespaces = ['aether', 'aether-be'];
  const cluster = createSystem('cluster', { type: 'kubernetes', kubeconfig, namespaces, home: 'aether-be' }, deps);
  const root = await mkdtemp(join(tmpdir(), 'tas-bench-vectors-'));
  const embeddings = { url: endpoints.embeddings.url, apiKey: 'env:UNUSED' };
  const vectors = createSystem('vectors', { type: 'deeplake', root, python, embeddings }, deps);
  const figures: ContestFigures[] = [];
  try {
    const place = { system: vectors, python, root, embeddings: endpoints.embeddings };
    const contests = [
      clusterContest(cluster, endpoints.kubernetes, kubectl),
      ...(await vectorContests(place, { copied: request.vectors, embedded: request.texts })),
    ];
    for (const contest of contests) figures.push(await compete(contest, request.pairs, say));
  } finally {
    await cluster.close();
    await vectors.close();
    await rm(root, { recursive: true, force: true });
  }
  return figures;
}
