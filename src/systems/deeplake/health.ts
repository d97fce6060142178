import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Secret } from '../../shared/secret.ts';
import type { Health } from '../system.ts';
import { listDatasets } from './setting.ts';
import type { Worker } from './worker.ts';

const limitMs = 5_000;

/**
 * Up = the worker runs and the root can be read. The service in front of the datasets is no part of that: it is stopped while
 * they are migrated; what is wrong with it is the note.
 */
export async function checkHealth(
  worker: Worker,
  service: { readonly url: string; readonly apiKey?: Secret } | null,
): Promise<Health> {
  const started = performance.now();
  const latencyMs = (): number => Math.round(performance.now() - started);
  try {
    const { deeplake } = await worker.versions();
    await worker.call('file-read', { name: 'identity' }, z.json());
    await listDatasets(worker, '*');
    const note = service && (await askService(service));
    return { up: true, version: deeplake, latencyMs: latencyMs(), ...(note ? { note } : {}) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { up: false, version: null, latencyMs: latencyMs(), note: error.message };
  }
}

/** What is wrong with it; null = nothing. */
async function askService({ url, apiKey }: { readonly url: string; readonly apiKey?: Secret }): Promise<string | null> {
  try {
    const headers: Record<string, string> = apiKey ? { authorization: `ApiKey ${apiKey.reveal()}` } : {};
    const address = `${url.replace(/\/$/, '')}/api/v1/health`;
    const answer = await fetch(address, { headers, redirect: 'error', signal: AbortSignal.timeout(limitMs) });
    await answer.body?.cancel();
    return answer.ok ? null : `the service in front of the datasets answers ${answer.status}`;
  } catch {
    return 'the service in front of the datasets does not answer';
  }
}
