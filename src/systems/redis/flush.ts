import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { BatchRequest, BatchResult, Fence, StepContext } from '../system.ts';
import { type Connection, listOf, pairsOf } from './connection.ts';
import { readInfo } from './info.ts';
import { ownPrefix, scanPage } from './keys.ts';

/** What kinds need of their system. */
export interface KindSetting {
  readonly system: string;
  readonly connection: Connection;
  readonly seal: Seal;
}

/** Which keys go. */
export interface FlushSelection {
  readonly patterns: readonly string[];
  readonly type?: string | undefined;
  /** Keys that never expire go too. */
  readonly persistent: boolean;
}

/** Batches are remembered for this long: a run that stands still for longer begins its step anew, which does no harm. */
const rememberMs = 90 * 24 * 3_600_000;
/** Pages of a scan in one batch, so that one without a match ends in time. */
const mostPages = 100;

/** The place in the scan; it holds for one start of the server, for another one orders its keys in another way. */
const cursorSchema = z.strictObject({ pattern: z.number().int().min(0), from: z.string(), server: z.string() });
type Cursor = z.infer<typeof cursorSchema>;

/**
 * Everything at one moment: what the batch has done already; the fence; the cap; the deletion; the journal. Nothing can
 * come in between, and a process that was overtaken deletes nothing.
 */
const flushScript = `
local standing = redis.call('HMGET', KEYS[2], 'body', 'done')
if standing[1] then return {'done', standing[2], standing[1]} end
local token = tonumber(redis.call('GET', KEYS[1]) or '-1')
local mine, cap = tonumber(ARGV[1]), tonumber(ARGV[2])
if token > mine then return {'fenced'} end
local meant = {}
for i = 3, #KEYS do
  local ttl = redis.call('PTTL', KEYS[i])
  if ttl >= 0 or (ttl == -1 and ARGV[3] == 'all') then meant[#meant + 1] = KEYS[i] end
end
if cap >= 0 and #meant > cap then return {'over-cap'} end
if token < mine then redis.call('SET', KEYS[1], ARGV[1]) end
for _, key in ipairs(meant) do redis.call('UNLINK', key) end
redis.call('HSET', KEYS[2], 'body', ARGV[4], 'done', #meant)
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return {'done', #meant, ARGV[4]}
`;

const fenceScript = `
local token = tonumber(redis.call('GET', KEYS[1]) or '-1')
if token < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return redis.call('GET', KEYS[1])
`;

/** Writes at least this token. */
export async function raiseFence(connection: Connection, fence: Fence): Promise<void> {
  await connection.ask('EVAL', fenceScript, '1', fenceKey(fence), String(fence.token));
}

/** Removes the keys of the next stretch of the scan. */
export async function flushBatch(
  setting: KindSetting,
  selection: FlushSelection,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const { connection, seal, system } = setting;
  const { runId, stepId, fence } = context;
  context.signal.throwIfAborted();
  const journal = journalKey(runId, stepId, batch.index);
  const known = pairsOf(await connection.askBytes('HGETALL', journal));
  const body = known.get('body');
  if (body) return resultOf(await seal.open(body as Buffer, journal), Number(known.get('done')));
  const { keys, cursor } = await collect(connection, selection, batch, context.signal);
  const sealed = await seal.seal(Buffer.from(JSON.stringify({ cursor })), journal);
  const cap = context.cap === null ? -1 : Math.max(0, context.cap - batch.done);
  const answer = await connection.askBytes(
    ...['EVAL', flushScript, String(keys.length + 2), fenceKey(fence), journal, ...keys],
    ...[String(fence.token), String(cap), selection.persistent ? 'all' : 'expiring', sealed, String(rememberMs)],
  );
  const [status, done, standing] = listOf(answer);
  if (String(status) === 'fenced') throw fenced(system, fence);
  if (String(status) === 'over-cap') throw overCap(system, context);
  return resultOf(await seal.open(standing as Buffer, journal), Number(done));
}

/** True where the step has begun. */
export async function hasBegun({ connection }: KindSetting, runId: string, stepId: string): Promise<boolean> {
  return (await connection.ask('EXISTS', journalKey(runId, stepId, 0))) === 1;
}

async function collect(
  connection: Connection,
  { patterns, type }: FlushSelection,
  batch: BatchRequest,
  signal: AbortSignal,
): Promise<{ keys: Buffer[]; cursor: Cursor | null }> {
  const server = (await readInfo(connection, 'server')).get('run_id') ?? '';
  const begun = batch.cursor === null ? null : cursorSchema.parse(batch.cursor);
  let place: Cursor = begun?.server === server ? begun : { pattern: 0, from: '0', server };
  const keys = new Map<string, Buffer>();
  for (let pages = 0; keys.size < batch.size && pages < mostPages; pages += 1) {
    signal.throwIfAborted();
    const found = await scanPage(connection, place.from, patterns[place.pattern] ?? '', type);
    for (const key of found.keys) keys.set(key.toString('latin1'), key);
    place = found.next === '0' ? { ...place, pattern: place.pattern + 1, from: '0' } : { ...place, from: found.next };
    if (place.pattern >= patterns.length) return { keys: [...keys.values()], cursor: null };
  }
  return { keys: [...keys.values()], cursor: place };
}

function resultOf(body: Buffer, done: number): BatchResult {
  const { cursor } = z.strictObject({ cursor: cursorSchema.nullable() }).parse(JSON.parse(body.toString()));
  return { cursor, done };
}

export function fenceKey({ environment }: Pick<Fence, 'environment'>): string {
  return `${ownPrefix}fence:${environment}`;
}

/** A pattern over a run's batches. */
export function journalKeys(runId: string): string {
  return `${ownPrefix}journal:${encodeURIComponent(runId)}:*`;
}

function journalKey(runId: string, stepId: string, index: number): string {
  return `${ownPrefix}journal:${encodeURIComponent(runId)}:${encodeURIComponent(stepId)}:${index}`;
}

function fenced(system: string, fence: Fence): Failure {
  return new Failure({
    code: 'fenced',
    message: `${system}: another process holds the environment ${fence.environment} by now; this one may change nothing any more.`,
    advice: 'The process that holds the environment goes on with the run.',
  });
}

function overCap(system: string, { stepId, cap }: StepContext): Failure {
  return new Failure({
    code: 'over-cap',
    message: `${stepId} would remove more keys from ${system} than the ${cap} that were approved.`,
    advice: 'This batch removed nothing, earlier ones stand. See who writes these keys; then ask again.',
  });
}
