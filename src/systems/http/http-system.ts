import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Health, System } from '../system.ts';
import { type Client, connectHttp, type HttpOptions } from './client.ts';
import { awaitHealthyKind } from './kinds/await-healthy.ts';
import { compareResponsesKind } from './kinds/compare-responses.ts';
import { runWorkflowKind } from './kinds/run-workflow.ts';

export interface HttpSystemOptions extends HttpOptions {
  /** The path that answers 200 when the service is well. */
  readonly health: string;
}

/** A service behind one address. It holds nothing that could be backed up; what workflows make in it they clean up. */
export function createHttpSystem(options: HttpSystemOptions): System {
  const client = connectHttp(options);
  return {
    name: options.name,
    type: 'http',
    kinds: [awaitHealthyKind(client, options.health), runWorkflowKind(client), compareResponsesKind(client)],
    // Where it is: a version says who it is only until the next upgrade.
    identity: async () => client.origin,
    checkHealth: () => checkHealth(client, options.health),
    async close() {
      // Nothing is kept open between requests.
    },
  };
}

const told = z.object({ version: z.string().max(100) });

async function checkHealth(client: Client, path: string): Promise<Health> {
  const started = performance.now();
  const latency = (): number => Math.round(performance.now() - started);
  try {
    const { status, json } = await client.send({ method: 'GET', path, withinMs: 5_000 });
    const version = told.safeParse(json).data?.version ?? null;
    if (status === 200) return { up: true, version, latencyMs: latency() };
    return { up: false, version, latencyMs: latency(), note: `${client.name} answers ${status} at ${path}` };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { up: false, version: null, latencyMs: latency(), note: error.message };
  }
}
