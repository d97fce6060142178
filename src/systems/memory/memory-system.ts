import { createHash } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import type { Json, JsonObject } from '../../shared/json.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Load, LookupQuery, Row, ScanQuery, Standing, System, Violations } from '../system.ts';
import { backup, fingerprintOf, readContent, restore } from './backup.ts';
import { parseCondition, parseStatement } from './condition.ts';
import { createJournal } from './journal.ts';
import { deleteRecordsKind } from './kinds/delete-records.ts';
import { dropFieldKind } from './kinds/drop-field.ts';
import { failAtKind } from './kinds/fail-at.ts';
import { setFieldsKind } from './kinds/set-fields.ts';
import { asText, byCodePoint, type Fields, MemoryStore } from './memory-store.ts';

/** A record; `id` is its key. */
export interface MemoryRecord extends JsonObject {
  readonly id: string;
}

export interface MemorySystemOptions {
  readonly name: string;
  readonly seal: Seal;
  /** By collection. */
  readonly records?: { readonly [collection: string]: readonly MemoryRecord[] };
  /** Who the server is; by default made of the name. */
  readonly identity?: string;
}

/** A system in memory, with what tests do behind the bot's back. */
export interface MemorySystem extends Required<Omit<System, 'holder' | 'clock' | 'recovery'>> {
  /** Writes a record as a user of the store would: whole, without journal. */
  put(collection: string, record: MemoryRecord): void;
  /** Deletes a record as a user of the store would. */
  remove(collection: string, id: string): void;
  /** Null when there is none. */
  read(collection: string, id: string): MemoryRecord | null;
  setReachable(reachable: boolean): void;
  /** What `load` answers from now on. */
  setLoad(load: Load): void;
  /** What `standing` answers from now on, whatever run is asked for. */
  setStanding(standing: readonly Standing[]): void;
  /** What `intrusions` answers from now on. */
  setIntrusions(intrusions: readonly string[]): void;
  /** The next batch is kept, and fails as `unreachable` afterwards: an answer that was lost. */
  loseNextAnswer(): void;
}

/** Makes a system that lives in memory. Deterministic: no clock, no random but the seal's. */
export function createMemorySystem(options: MemorySystemOptions): MemorySystem {
  const { name, seal } = options;
  const store = new MemoryStore(name);
  for (const [collection, records] of Object.entries(options.records ?? {})) {
    for (const record of records) store.write(collection, record.id, record);
  }
  const setting = { store, seal };
  return {
    name,
    type: 'memory',
    kinds: [setFieldsKind(setting), dropFieldKind(setting), deleteRecordsKind(setting), failAtKind(setting)],
    async identity() {
      store.checkReachable();
      return options.identity ?? `memory-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
    },
    async checkHealth() {
      if (!store.reachable) return { up: false, version: null, latencyMs: 0, note: 'does not answer' };
      return { up: true, version: '1', latencyMs: 0 };
    },
    advanceFence: (fence) => store.exclusive(async () => store.raiseFence(fence)),
    lookup: (query, keys) => store.exclusive(async () => lookup(store, query, keys)),
    scan: (query) => scan(store, query),
    violations: (statement) => store.exclusive(async () => violations(store, statement)),
    journal: createJournal(store, seal),
    preflight: () => store.exclusive(async () => []),
    load: () => store.exclusive(async () => store.load),
    standing: () => store.exclusive(async () => store.standing),
    previewRestore: async () => [],
    intrusions: () => store.exclusive(async () => store.intrusions),
    dataModel: {
      read: () => store.exclusive(async () => store.content.dataModel),
      write: (version, fence) =>
        store.exclusive(async () => {
          store.checkFence(fence);
          store.content.dataModel = version;
        }),
    },
    fingerprint: () => store.exclusive(async () => fingerprintOf(store.content)),
    counts: () => store.exclusive(async () => fingerprintOf(store.content).counts),
    backup: (folder, context) => store.exclusive(() => backup(store, folder, context)),
    restore: (part, folder) => store.exclusive(() => restore(store, part, folder)),
    trial: {
      async restoreBeside(part, folder, _context, look) {
        const scratch = new MemoryStore(name);
        scratch.content = await readContent(scratch, part, folder);
        const fingerprint = fingerprintOf(scratch.content);
        return look({ fingerprint, violations: async (statement) => violations(scratch, statement) });
      },
      readPart: async (part, folder) => fingerprintOf(await readContent(new MemoryStore(name), part, folder)),
    },
    close: async () => {},
    put: (collection, record) => store.write(collection, record.id, record),
    remove: (collection, id) => store.write(collection, id, null),
    read: (collection, id) => structuredClone((store.records(collection).get(id) as MemoryRecord | undefined) ?? null),
    setLoad: (load) => {
      store.load = load;
    },
    setStanding: (standing) => {
      store.standing = standing;
    },
    setIntrusions: (intrusions) => {
      store.intrusions = intrusions;
    },
    setReachable: (reachable) => {
      store.reachable = reachable;
    },
    loseNextAnswer: () => {
      store.loseNextAnswer = true;
    },
  };
}

function lookup(store: MemoryStore, query: LookupQuery, keys: readonly string[]): Map<string, JsonObject> {
  const wanted = new Set(keys);
  const found = new Map<string, JsonObject>();
  for (const id of store.keys(query.collection)) {
    const record = store.records(query.collection).get(id) ?? {};
    const value = asText(record[query.by]);
    if (value !== null && wanted.has(value) && !found.has(value)) found.set(value, pick(record, query.fields));
  }
  return found;
}

async function* scan(store: MemoryStore, query: ScanQuery): AsyncIterable<Row> {
  store.checkReachable();
  const matches = query.where === undefined ? () => true : parseCondition(store, query.collection, query.where);
  const rows: Row[] = [];
  for (const record of store.records(query.collection).values()) {
    const key = asText(record[query.key]);
    if (key === null || !matches(record)) continue;
    if (query.after !== undefined && byCodePoint(key, query.after) <= 0) continue;
    rows.push({ key, values: pick(record, query.fields) });
  }
  rows.sort((a, b) => byCodePoint(a.key, b.key));
  const doubled = rows.find((row, i) => row.key === rows[i - 1]?.key);
  if (doubled) {
    throw new Failure({
      code: 'precondition-failed',
      message: `${query.key} of ${query.collection} in ${store.name} is not unique.`,
      advice: 'Scan by a unique field.',
    });
  }
  yield* rows;
}

function violations(store: MemoryStore, statement: string): Violations {
  const { collection, test } = parseStatement(store, statement);
  const keys = store.keys(collection).filter((key) => test(store.records(collection).get(key) ?? {}));
  return { count: keys.length, samples: keys.slice(0, 5).map((id) => ({ collection, id })) };
}

function pick(record: Fields, fields: readonly string[]): JsonObject {
  return Object.fromEntries(fields.map((field): [string, Json] => [field, record[field] ?? null]));
}
