import { randomUUID } from 'node:crypto';
import type { Logger } from '../../shared/logger.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Secret } from '../../shared/secret.ts';
import type { System } from '../system.ts';
import { backup, fingerprint, restore } from './backup.ts';
import { createDataModel } from './data-model.ts';
import { checkHealth } from './health.ts';
import { createJournal } from './journal.ts';
import { createJournalStore, readFile, writeFile } from './journal-store.ts';
import { addFieldKind } from './kinds/add-field.ts';
import { newVersionKind } from './kinds/new-version.ts';
import { reEmbedKind } from './kinds/re-embed.ts';
import { splitByModelKind } from './kinds/split-by-model.ts';
import { swapDatasetsKind } from './kinds/swap-datasets.ts';
import { switchEmbeddingsKind } from './kinds/switch-embeddings.ts';
import { preflight } from './preflight.ts';
import { counts, lookup, scan, violations } from './reading.ts';
import { recovery } from './recovery.ts';
import type { KindSetting } from './setting.ts';
import { standing } from './standing.ts';
import { type BucketAccess, createWorker, type Worker } from './worker.ts';

export interface DeeplakeOptions {
  readonly name: string;
  /** The folder, or `s3://bucket/prefix`, under which all datasets lie. */
  readonly root: string;
  /** A Python with the packages of `worker/requirements.txt`. */
  readonly python: string;
  readonly s3?: BucketAccess;
  /** The HTTP service in front of the datasets. */
  readonly service?: { readonly url: string; readonly apiKey?: Secret };
  /** Speaks OpenAI's `/v1/embeddings`; `url` ends before `/embeddings`. */
  readonly embeddings?: { readonly url: string; readonly apiKey?: Secret };
  readonly seal: Seal;
  readonly logger: Logger;
}

/** Datasets of vectors below one root. The worker starts at the first use. */
export function createDeeplakeSystem(options: DeeplakeOptions): System {
  const { name, root, python, s3, service, embeddings, seal, logger } = options;
  const worker = createWorker({ system: name, python, root, logger, ...(s3 ? { s3 } : {}) });
  const journal = createJournalStore(worker, name, seal);
  const setting: KindSetting = {
    system: name,
    worker,
    journal,
    folders: !root.startsWith('s3://'),
    checkFence: (fence) => journal.checkFence(fence),
    embeddings: embeddings ?? null,
  };
  return {
    name,
    type: 'deeplake',
    kinds: [
      addFieldKind(setting),
      newVersionKind(setting),
      swapDatasetsKind(setting),
      reEmbedKind(setting),
      switchEmbeddingsKind(setting),
      splitByModelKind(setting),
    ],
    identity: () => readIdentity(worker),
    checkHealth: () => checkHealth(worker, service ?? null),
    advanceFence: (fence) => journal.raiseFence(fence),
    lookup: (query, keys) => lookup(worker, query, keys),
    scan: (query) => scan(worker, query),
    violations: (statement) => violations(worker, statement),
    journal: createJournal(setting),
    preflight: (needs) => preflight(worker, needs),
    standing: (runIds) => standing(setting, runIds),
    dataModel: createDataModel(worker, setting.checkFence),
    recovery: (run) => recovery(options, run),
    fingerprint: () => fingerprint(worker),
    counts: () => counts(worker),
    backup: (folder, context) => backup(worker, folder, context),
    restore: (part, folder, context) => restore(worker, name, part, folder, context),
    close: () => worker.close(),
  };
}

/** A name that the root got once, in a file beside the datasets. */
async function readIdentity(worker: Worker): Promise<string> {
  for (;;) {
    const file = await readFile(worker, 'identity');
    if (file) return file.content.toString();
    await writeFile(worker, 'identity', Buffer.from(`deeplake-${randomUUID()}`), null);
  }
}
