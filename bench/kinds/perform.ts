import { randomBytes } from 'node:crypto';
import type { StoreEndpoints } from '../../sandbox/servers/endpoints.ts';
import { nextSize } from '../../src/runs/perform-step.ts';
import type { Json } from '../../src/shared/json.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import { Secret } from '../../src/shared/secret.ts';
import { createMinioSystem } from '../../src/systems/minio/minio-system.ts';
import { createNeo4jSystem } from '../../src/systems/neo4j/neo4j-system.ts';
import { createPostgresSystem } from '../../src/systems/postgres/postgres-system.ts';
import type { StepContext, System } from '../../src/systems/system.ts';

/** As the engine begins. */
const firstSize = 2_000;
const fence = { environment: 'bench', token: 1 } as const;

/** A step as a migration names it. */
export interface Step {
  readonly use: string;
  readonly with: { readonly [parameter: string]: Json };
}

export interface Performed {
  readonly batches: number;
  readonly records: number;
}

type SystemType = 'neo4j' | 'postgres' | 'minio';

/** The bot's view of one store; `bucket` stands in for the platform's. Close it after use. */
export function openSystem(type: SystemType, endpoints: StoreEndpoints, bucket = endpoints.minio.bucket): System {
  const common = { seal: createSeal(randomBytes(32)), logger: createLogger('error') };
  if (type === 'neo4j') {
    const { url, user, password } = endpoints.neo4j;
    return createNeo4jSystem({ ...common, name: 'graph', url, user, password: new Secret(password) });
  }
  if (type === 'postgres') {
    const { host, port, database, user, password } = endpoints.postgres;
    const place = { host, port, database, user, password: new Secret(password) };
    return createPostgresSystem({ ...common, name: 'relational', ...place });
  }
  const { url, accessKey, secretKey } = endpoints.minio;
  return createMinioSystem({ ...common, name: 'objects', url, accessKey, secretKey: new Secret(secretKey), bucket });
}

/** A run that no journal knows yet: what is journaled already is not done again. */
export function newRun(): string {
  return `bench-${randomBytes(5).toString('hex')}`;
}

/** Carries the step out as the engine does: batches one after the other, sized by the time they take. */
export async function perform(system: System, step: Step, runId = newRun()): Promise<Performed> {
  const kind = system.kinds.find(({ name }) => name === step.use);
  if (!kind) throw new Error(`${system.name} has no kind ${step.use}`);
  await system.advanceFence?.(fence);
  const input = kind.input.parse(step.with);
  const context: StepContext = {
    runId,
    stepId: 'data.step',
    sequenceBase: String(Date.now() * 1000),
    fence,
    cap: null,
    signal: AbortSignal.timeout(3_600_000),
    lookup: async () => new Map(),
    async *scan() {},
  };
  let [done, size, cursor]: [number, number, Json] = [0, firstSize, null];
  for (let index = 0; ; index += 1) {
    const began = performance.now();
    const result = await kind.performBatch(input, { index, cursor, done, size }, context);
    size = nextSize(size, performance.now() - began);
    done += result.done;
    cursor = result.cursor;
    if (cursor === null) return { batches: index + 1, records: done };
  }
}
