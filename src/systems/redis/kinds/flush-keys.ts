import { z } from 'zod';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  defineStepKind,
  type Sample,
  type StepContext,
  type StepKind,
  type StepPreview,
  type UndoContext,
} from '../../system.ts';
import type { Connection } from '../connection.ts';
import { type FlushSelection, flushBatch, hasBegun, type KindSetting } from '../flush.ts';
import { readInfo } from '../info.ts';
import { KeySum, ownPrefix, scanKeys } from '../keys.ts';

/** A pattern without any letter of its own: it matches whatever there is. */
function isEverything(pattern: string): boolean {
  return pattern.replace(/\[[^\]]*\]?/g, '').replace(/[*?]/g, '') === '';
}

const inputSchema = z
  .strictObject({
    patterns: z
      .array(z.string().min(1).max(500))
      .min(1)
      .max(50)
      .describe('Patterns of keys as KEYS takes them: * ? [abc], e.g. tenant:*:notebooks.'),
    type: z
      .enum(['string', 'list', 'set', 'zset', 'hash', 'stream'])
      .optional()
      .describe('Only keys with such a value.'),
    persistent: z
      .boolean()
      .default(false)
      .describe('Keys that never expire are removed too; otherwise they stay, for they may be no cache.'),
    rebuilds: z
      .boolean()
      .default(false)
      .describe('True = services make these values again by themselves: then this changes and does not destroy.'),
    all: z.boolean().default(false).describe('Has to be true for a pattern that matches every key, such as *.'),
    sample: z.number().int().min(0).max(5).default(5).describe('How many keys the preview names.'),
  })
  .refine(({ all, patterns }) => all || !patterns.some(isEverything), 'a pattern matches every key: say all: true')
  .refine(
    ({ patterns }) => !patterns.some((pattern) => pattern.startsWith(ownPrefix)),
    `${ownPrefix} keys are the bot's`,
  );
type Input = z.infer<typeof inputSchema>;

/**
 * Removes cached values that a migration made wrong. What was cached before an undo is wrong after it as well: so undo
 * brings nothing back, and removes the same patterns again.
 */
export function flushKeysKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'redis.flush-keys',
    effect: 'destroys',
    input: inputSchema,
    describe: ({ patterns, type, rebuilds }) =>
      `removes the keys ${patterns.join(', ')}${type ? ` of type ${type}` : ''}${rebuilds ? ', which services make again' : ''}`,
    preview: (input, context) => preview(setting, input, context),
    performBatch: (input, batch, context) => flushBatch(setting, selectionOf(input), batch, context),
    verify: (input, context) => verify(setting, input, context),
    async previewUndo(input, context) {
      const begun = await hasBegun(setting, context.undoes.runId, context.undoes.stepId);
      const found = await preview(setting, input, context);
      return { ...found, ...(begun ? {} : nothing), findings: [...found.findings, undoFlushes] };
    },
    async undoBatch(input, batch, context: UndoContext) {
      const begun = await hasBegun(setting, context.undoes.runId, context.undoes.stepId);
      if (!begun) return { cursor: null, done: 0, kept: 0, missing: 0 };
      return { ...(await flushBatch(setting, selectionOf(input), batch, context)), kept: 0, missing: 0 };
    },
    narrow: () => null,
  });
}

const nothing = { count: 0, samples: [], keysHash: new KeySum().digest() };

const undoFlushes: Finding = {
  check: 'undo-flushes',
  title: 'Undo brings no removed key back: it removes the same patterns again, with what was cached since',
  status: 'warning',
  count: 0,
  samples: [],
  advice: 'Values that were cached meanwhile come from data that the undo takes back. Services fill the cache anew.',
};

function selectionOf({ patterns, type, persistent }: Input): FlushSelection {
  return { patterns, type, persistent };
}

interface Counted {
  readonly sum: KeySum;
  /** Keys that match and stay because they never expire. */
  readonly stay: number;
  readonly samples: readonly Sample[];
}

/** Every key is looked at once; memory does not grow with them. */
async function countKeys({ connection }: KindSetting, input: Input, context: StepContext): Promise<Counted> {
  const sum = new KeySum();
  const samples: Sample[] = [];
  let stay = 0;
  const { patterns, type, persistent, sample } = input;
  for await (const keys of scanKeys(connection, { patterns, type, signal: context.signal })) {
    const ttls = await Promise.all(keys.map((key) => connection.ask('PTTL', key)));
    for (const [i, key] of keys.entries()) {
      const ttl = Number(ttls[i]);
      if (ttl === -2) continue;
      if (ttl === -1 && !persistent) {
        stay += 1;
        continue;
      }
      sum.add(key);
      if (samples.length >= sample) continue;
      const kind = String(await connection.ask('TYPE', key));
      const before = { type: kind, 'expires in s': ttl === -1 ? null : Math.ceil(ttl / 1000) };
      samples.push({ collection: 'keys', key: key.toString(), before, after: { type: null } });
    }
  }
  return { sum, stay, samples };
}

async function preview(setting: KindSetting, input: Input, context: StepContext): Promise<StepPreview> {
  const { connection } = setting;
  const { sum, stay, samples } = await countKeys(setting, input, context);
  const role = (await readInfo(connection, 'replication')).get('role');
  return {
    count: sum.count,
    exact: true,
    keysHash: sum.digest(),
    schemaHash: digestOf({ database: connection.database, patterns: input.patterns, type: input.type ?? null }),
    samples,
    undoClass: input.rebuilds ? 'reversible' : 'one-way',
    locks: sum.count === 0 ? [] : ['services that ask for these values find none, and ask the stores behind the cache'],
    bytes: 0,
    effect: input.rebuilds ? 'changes' : 'destroys',
    findings: [
      ...(role === 'slave' ? [isReplica] : []),
      ...(stay > 0 ? [staysPersistent(stay)] : []),
      ...(!input.all && (await isEveryKey(connection, sum.count)) ? [everyKey(sum.count)] : []),
    ],
  };
}

/** Whether so many keys are all that there are, the bot's own left out. */
async function isEveryKey(connection: Connection, count: number): Promise<boolean> {
  const all = Number(await connection.ask('DBSIZE'));
  // Whoever is far from it need not be counted exactly.
  if (count === 0 || count < all * 0.5) return false;
  let others = 0;
  for await (const keys of scanKeys(connection, { patterns: ['*'] })) others += keys.length;
  return count >= others;
}

const isReplica: Finding = {
  check: 'redis-primary',
  title: 'The server is a replica and cannot be written',
  status: 'failed',
  count: 1,
  samples: [],
  advice: 'Point the configuration at the primary.',
};

function staysPersistent(count: number): Finding {
  const title = 'Keys that match and never expire: they may be no cache, and stay';
  const advice = 'Say persistent: true if they are to go as well.';
  return { check: 'persistent-keys', title, status: 'warning', count, samples: [], advice };
}

function everyKey(count: number): Finding {
  const title = 'The patterns match every key of the database';
  const advice = 'Look whether something else than a cache is among them.';
  return { check: 'every-key', title, status: 'warning', count, samples: [], advice };
}

/** Keys that are there again were written since: no failure, for services may run. */
async function verify(setting: KindSetting, input: Input, context: StepContext): Promise<Finding[]> {
  const { sum, samples } = await countKeys(setting, input, context);
  const title = sum.count === 0 ? 'No such key is left' : 'Such keys are there again: they were written since';
  const status = sum.count === 0 ? 'passed' : 'warning';
  return [{ check: 'keys-flushed', title, status, count: sum.count, samples: samples.map(({ key }) => key) }];
}
