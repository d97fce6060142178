import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Health, System } from '../system.ts';
import { backup } from './backup/backup.ts';
import { fingerprint, restore, verifyPart } from './backup/restore.ts';
import { restoreBeside } from './backup/restore-beside.ts';
import { createDataModel } from './data-model.ts';
import { toFailure } from './failure.ts';
import { createJournal } from './journal.ts';
import { createJournalStore, type KindSetting } from './journal-store.ts';
import { copyKeysKind } from './kinds/copy-keys.ts';
import { createBucketKind } from './kinds/create-bucket.ts';
import { removeKeysKind } from './kinds/remove-keys.ts';
import { setTagsKind } from './kinds/set-tags.ts';
import { setVersioningKind } from './kinds/set-versioning.ts';
import { createLoad } from './load.ts';
import { isVersioned } from './objects.ts';
import { preflight, unreachableFinding } from './preflight.ts';
import { lookup, scan, violations } from './reading.ts';
import { recovery } from './recovery.ts';
import { connectS3, type S3, type S3Options } from './s3.ts';

export interface MinioOptions extends S3Options {
  readonly seal: Seal;
  readonly logger: Logger;
}

const serverInfo = z.object({
  deploymentID: z.string().min(1),
  servers: z.array(z.object({ version: z.string() })).optional(),
});

/** One bucket of a MinIO server. Connects at the first use. */
export function createMinioSystem(options: MinioOptions): System {
  const { name, seal, logger } = options;
  const s3 = connectS3(options);
  const store = createJournalStore(s3, seal);
  const setting: KindSetting = { system: name, s3, seal, journal: store };
  const identity = async (): Promise<string> => (await readServerInfo(s3)).deploymentID;
  const dataModel = createDataModel(s3, store);
  const load = createLoad(s3);
  // What streams and timers throw past the driver is put into words here.
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const failure = toFailure(error, s3.place);
      if (failure !== error) logger.debug({ err: error, system: name }, 'minio failed');
      throw failure;
    }
  };
  return {
    name,
    type: 'minio',
    kinds: [
      setTagsKind(setting),
      copyKeysKind(setting),
      removeKeysKind(setting),
      createBucketKind(setting),
      setVersioningKind(setting),
    ],
    identity: () => guard(identity),
    checkHealth: () => checkHealth(s3),
    clock: () => guard(() => readClock(s3)),
    advanceFence: (fence) => guard(() => store.raiseFence(fence)),
    lookup: (query, keys) => guard(() => lookup(s3, query, keys)),
    scan: (query) => scan(s3, query),
    violations: (statement) => guard(() => violations(s3, statement)),
    journal: createJournal(s3, store),
    preflight: (needs) => guard(() => preflight(s3, needs)).catch((error: unknown) => [unreachableFinding(error)]),
    load: () => guard(load),
    recovery: (run) => recovery(options, run),
    dataModel: {
      read: () => guard(() => dataModel.read()),
      write: (version, fence) => guard(() => dataModel.write(version, fence)),
    },
    fingerprint: () => guard(() => fingerprint(s3)),
    backup: (folder, context) => guard(async () => backup(s3, await identity(), folder, context)),
    restore: (part, folder, context) => guard(() => restore(s3, store, part, folder, context)),
    trial: {
      restoreBeside: (part, folder, context, look) =>
        guard(() => restoreBeside(options, s3, part, folder, context, look)),
      readPart: (part, folder, context) => guard(async () => (await verifyPart(s3, part, folder, context)).fingerprint),
    },
    async close() {
      s3.close();
    },
  };
}

/** The admin API lies beside the buckets and takes the same signature: its path reads like a bucket and a key. */
async function readServerInfo(s3: S3): Promise<z.infer<typeof serverInfo>> {
  const answer = await s3.request({ method: 'GET', bucket: 'minio', key: 'admin/v3/info', allow: ['AccessDenied'] });
  if (answer) return serverInfo.parse(JSON.parse(answer.body));
  throw new Failure({
    code: 'missing-rights',
    message: `${s3.place.system}: this access key may not ask the server who it is.`,
    advice: 'Give it the action admin:ServerInfo: plans are bound to the server by its deployment id.',
  });
}

/** To the second. */
async function readClock(s3: S3): Promise<Date> {
  const answer = await s3.request({ method: 'HEAD', allow: ['NotFound', 'NoSuchBucket'] });
  const said = Date.parse(String(answer?.headers.date ?? ''));
  if (!Number.isNaN(said)) return new Date(said);
  throw new Failure({
    code: 'precondition-failed',
    message: `${s3.place.system} does not say what time it is.`,
    advice: 'See whether its bucket is there.',
  });
}

async function checkHealth(s3: S3): Promise<Health> {
  const started = performance.now();
  const latency = (): number => Math.round(performance.now() - started);
  try {
    const versioned = await isVersioned(s3);
    const latencyMs = latency();
    const version = (await readServerInfo(s3)).servers?.[0]?.version ?? 'unknown';
    const note = versioned ? {} : { note: `the bucket ${s3.bucket} keeps no versions: changes cannot be undone` };
    return { up: true, version, latencyMs, ...note };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { up: false, version: null, latencyMs: latency(), note: error.message };
  }
}
