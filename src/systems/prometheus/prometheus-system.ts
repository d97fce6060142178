import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import { digestOf } from '../../shared/json.ts';
import type { Finding } from '../finding.ts';
import type { Health, Load, System } from '../system.ts';
import { type Client, connectPrometheus, type PrometheusOptions } from './client.ts';
import { awaitQuietKind } from './kinds/await-quiet.ts';
import { compareMetricsKind } from './kinds/compare-metrics.ts';
import { recordMetricsKind } from './kinds/record-metrics.ts';
import { sayNumber, valuesNow } from './values.ts';

/** While the query's highest value is above the limit, runs wait. */
export interface ErrorBudget {
  readonly query: string;
  readonly limit: number;
  readonly title: string;
}

export interface PrometheusSystemOptions extends PrometheusOptions {
  readonly budget?: ErrorBudget;
}

/** A Prometheus: metrics before, during and after. It holds no data of ours: nothing is written, backed up or restored. */
export function createPrometheusSystem(options: PrometheusSystemOptions): System {
  const { name, budget } = options;
  const client = connectPrometheus(options);
  return {
    name,
    type: 'prometheus',
    kinds: [recordMetricsKind(client), compareMetricsKind(client), awaitQuietKind(client)],
    identity: () => readIdentity(client),
    checkHealth: () => checkHealth(client),
    preflight: () => preflight(client, budget).catch((error: unknown) => [unreachableFinding(error)]),
    ...(budget ? { load: () => readLoad(client, budget) } : {}),
    async close() {
      // Nothing is kept open between questions.
    },
  };
}

const flagsSchema = z.record(z.string(), z.string());
const configSchema = z.object({ yaml: z.string() });
const buildSchema = z.object({ version: z.string() });

/**
 * Prometheus has no id of its own: its address, its folder of data and the labels that it gives to the outside stay the
 * same over restarts and upgrades, and differ between two servers.
 */
async function readIdentity(client: Client): Promise<string> {
  const flags = await client.ask('/status/flags', {}, flagsSchema);
  const { yaml } = await client.ask('/status/config', {}, configSchema);
  const labels = /^ {2}external_labels:\n((?: {4}.*\n)*)/m.exec(yaml)?.[1] ?? '';
  return digestOf([client.at, flags['storage.tsdb.path'] ?? '', labels]).slice(0, 32);
}

async function checkHealth(client: Client): Promise<Health> {
  const started = performance.now();
  const latency = (): number => Math.round(performance.now() - started);
  try {
    const ready = await client.isReady();
    const { version } = await client.ask('/status/buildinfo', {}, buildSchema);
    if (ready) return { up: true, version, latencyMs: latency() };
    return { up: false, version: null, latencyMs: latency(), note: `${client.name} is not ready yet` };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { up: false, version: null, latencyMs: latency(), note: error.message };
  }
}

/** How much of the error budget is burnt now; without data nothing is known, and nothing is held up. */
async function readLoad(client: Client, { query, limit, title }: ErrorBudget): Promise<Load> {
  const values = ((await valuesNow(client, query)) ?? []).filter((value) => !Number.isNaN(value));
  if (values.length === 0) return { strain: 0, why: null };
  const worst = Math.max(...values);
  const strain = Math.max(0, worst / limit);
  return { strain, why: strain >= 0.5 ? `${title} is ${sayNumber(worst)} of ${sayNumber(limit)}` : null };
}

async function preflight(client: Client, budget: ErrorBudget | undefined): Promise<readonly Finding[]> {
  const { version } = await client.ask('/status/buildinfo', {}, buildSchema);
  const title = `${client.name} answers (version ${version})`;
  const answers: Finding = { check: 'prometheus-answers', title, status: 'passed', count: 0, samples: [] };
  return budget ? [answers, await checkBudget(client, budget)] : [answers];
}

/** A budget that cannot be read would never stop anything. */
async function checkBudget(client: Client, { query, title }: ErrorBudget): Promise<Finding> {
  const found = { check: 'error-budget', title: `Error budget: ${title}`, samples: [] };
  try {
    const values = await valuesNow(client, query);
    if (values === null) {
      return { ...found, status: 'failed', count: 1, advice: 'Its query gives no numbers. Correct the configuration.' };
    }
    if (values.some((value) => !Number.isNaN(value))) return { ...found, status: 'passed', count: 0 };
    return { ...found, status: 'warning', count: 1, advice: 'Its query gives nothing now: it cannot hold a run up.' };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'invalid-statement') throw error;
    return { ...found, status: 'failed', count: 1, advice: `${error.message} It is in the configuration.` };
  }
}

function unreachableFinding(error: unknown): Finding {
  if (!(error instanceof Failure)) throw error;
  const { message, advice } = error;
  return { check: 'prometheus-answers', title: message, status: 'failed', count: 1, samples: [], advice };
}
