import pg from 'pg';
import { z } from 'zod';
import { assemblePlan, planStage } from '../../src/plans/build-plan.ts';
import type { Environment } from '../../src/plans/environment.ts';
import type { Plan } from '../../src/plans/plan.ts';
import type { CarryOutDeps } from '../../src/runs/execution.ts';
import type { RunRecords } from '../../src/runs/run-records.ts';
import { settle } from '../../src/runs/settle.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { Failure } from '../../src/shared/failure.ts';
import { digestOf } from '../../src/shared/json.ts';
import { createLogger } from '../../src/shared/logger.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type StepContext,
  type System,
} from '../../src/systems/system.ts';

/** A store whose state outlives its process: items with a count of how often each was written, a journal, a fence. */
export const itemSchema = `
  create table item (id int primary key, written int not null default 0);
  create table item_batch (run_id text, step_id text, index int, result jsonb not null, primary key (run_id, step_id, index));
  create table item_fence (only_row boolean primary key default true, token bigint not null);
  insert into item_fence (token) values (0)`;

const batchSize = 250;

/** Called inside each batch: at its end but before it is kept, and just after it was kept. */
export type Moment = (index: number, when: 'before' | 'after') => void;

/** One environment with that store, and one plan: add one to each item, batch by batch. */
export interface ItemWorld {
  readonly deps: CarryOutDeps;
  plan(): Promise<Plan>;
  close(): Promise<void>;
}

export function createItemWorld(
  name: string,
  url: string,
  records: RunRecords,
  moment: Moment = () => undefined,
): ItemWorld {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on('error', () => undefined);
  const system = itemSystem(pool, moment);
  const environment: Environment = {
    name,
    production: false,
    channel: 'tas-platform',
    systems: new Map([['items', system]]),
    ownKinds: [],
    votesRequired: 1,
    expiresMinutes: 60,
    tolerancePercent: 0,
    holdDays: 14,
    shown: new Set(),
    configHash: 'config',
    migrations: async () => new Map(),
    checks: async () => new Map(),
    ledger: records.ledger(name, []),
    backupRoom: async () => ({ free: Number.MAX_SAFE_INTEGER, lastSet: null }),
  };
  const step = { id: 'write', title: 'Write', system: 'items', use: 'items.write', input: {} };
  const frame = { subject: 'write', title: 'Write', contentHash: 'c', references: [], coupled: [], findings: [] };
  const plan = async (): Promise<Plan> =>
    assemblePlan(environment, { action: 'migrate', ...frame }, [
      await planStage(environment, { id: 'data', title: 'Data', steps: [step] }),
    ]);
  return {
    plan,
    deps: {
      records,
      environments: new Map([[name, environment]]),
      replan: plan,
      settle: (run) => settle(records, async () => [], run),
      clock: systemClock,
      logger: createLogger('silent'),
    },
    close: () => pool.end(),
  };
}

function itemSystem(pool: pg.Pool, moment: Moment): System {
  return {
    name: 'items',
    type: 'items',
    kinds: [
      defineStepKind({
        name: 'items.write',
        effect: 'changes',
        input: z.strictObject({}),
        describe: () => 'adds one to each item',
        async preview() {
          const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from item');
          const nothing = { exact: true, samples: [], locks: [], bytes: 0, findings: [] };
          return {
            ...nothing,
            count: rows[0]?.n ?? 0,
            keysHash: '',
            schemaHash: digestOf('item'),
            undoClass: 'one-way',
          };
        },
        performBatch: (_input, batch, context) => writeBatch(pool, batch, context, moment),
      }),
    ],
    identity: async () => 'items-1',
    checkHealth: async () => ({ up: true, version: '1', latencyMs: 0 }),
    async advanceFence({ token }) {
      await pool.query('update item_fence set token = greatest(token, $1)', [token]);
    },
    close: () => pool.end(),
  };
}

async function writeBatch(
  pool: pg.Pool,
  batch: BatchRequest,
  context: StepContext,
  moment: Moment,
): Promise<BatchResult> {
  const key = [context.runId, context.stepId, batch.index];
  const client = await pool.connect().catch(unreachable);
  const lost = (): void => undefined;
  client.on('error', lost);
  try {
    await client.query('begin');
    const { rows } = await client.query<{ result: BatchResult }>(
      'select result from item_batch where run_id = $1 and step_id = $2 and index = $3',
      key,
    );
    if (rows[0]) return rows[0].result;
    const fence = await client.query<{ token: string }>('select token from item_fence for update');
    if (Number(fence.rows[0]?.token) > context.fence.token) {
      throw new Failure({ code: 'fenced', message: 'Another worker has taken over.', advice: 'It goes on there.' });
    }
    const after = typeof batch.cursor === 'number' ? batch.cursor : 0;
    const written = await client.query<{ id: number }>(
      `update item set written = written + 1
        where id in (select id from item where id > $1 order by id limit $2) returning id`,
      [after, batchSize],
    );
    const last = Math.max(after, ...written.rows.map(({ id }) => id));
    const result = { cursor: written.rows.length < batchSize ? null : last, done: written.rows.length };
    await client.query('insert into item_batch values ($1, $2, $3, $4)', [...key, JSON.stringify(result)]);
    moment(batch.index, 'before');
    await client.query('commit');
    moment(batch.index, 'after');
    return result;
  } catch (error) {
    return unreachable(error as Error);
  } finally {
    const broken = await client.query('rollback').then(
      () => undefined,
      (error: Error) => error,
    );
    client.off('error', lost);
    client.release(broken);
  }
}

/** A connection that broke is a failure of the store, as systems promise; all else is thrown as it is. */
function unreachable(cause: Error & { code?: string }): never {
  if (!/^57P|^ECONN/.test(cause.code ?? '') && !/terminated/.test(cause.message)) throw cause;
  throw new Failure({ code: 'unreachable', message: 'The items are away.', advice: 'Wait.', retryable: true, cause });
}
