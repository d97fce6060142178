import { z } from 'zod';
import { sayBytes } from '../../shared/bytes-text.ts';
import { Failure } from '../../shared/failure.ts';
import type { Finding } from '../finding.ts';
import type { PreflightNeeds } from '../system.ts';
import { failed, listAll } from './setting.ts';
import type { Worker } from './worker.ts';

/** So many times what is needed must be free. */
const spare = 2;
const oldest = [4, 7] as const;

/** Kinds that let two datasets change names. */
const exchanging = new Set(['deeplake.swap-datasets', 'deeplake.switch-embeddings', 'deeplake.split-by-model']);

const siteSchema = z.strictObject({
  writable: z.boolean(),
  free: z.number().nullable(),
  exchanges: z.boolean().nullable(),
});

/** What a plan needs of worker, root and datasets, looked at for real. */
export async function preflight(worker: Worker, needs: PreflightNeeds): Promise<readonly Finding[]> {
  try {
    const site = await worker.call('site', {}, siteSchema);
    return [
      await checkVersion(worker),
      site.writable
        ? passed('root-writable', 'The root of the datasets may be written to')
        : failed(
            'root-writable',
            'The root of the datasets may not be written to',
            ['root'],
            'Give the user of the worker the right to write there.',
          ),
      checkDisk(site.free, needs.bytes),
      ...(needs.uses.some((kind) => exchanging.has(kind)) && site.exchanges === false
        ? [
            failed(
              'names-exchangeable',
              'This volume cannot exchange two names at one moment',
              ['root'],
              'Use a volume with ext4, XFS or Btrfs.',
            ),
          ]
        : []),
      ...(await checkDatasets(worker)),
    ];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [failed('worker-ready', error.message, [], error.advice)].map((finding) => ({ ...finding, count: 1 }));
  }
}

async function checkVersion(worker: Worker): Promise<Finding> {
  const { deeplake } = await worker.versions();
  const [major = 0, minor = 0] = deeplake.split('.').map(Number);
  const title = `DeepLake ${deeplake}`;
  if (major === oldest[0] && minor >= oldest[1]) return passed('deeplake-version', title);
  return failed(
    'deeplake-version',
    `${title} is not ${oldest.join('.')}`,
    [deeplake],
    'Install the versions of worker/requirements.txt.',
  );
}

function checkDisk(free: number | null, bytes: number): Finding {
  const title = 'Free disk of the root';
  if (free === null) {
    const advice = 'A bucket does not say how much it has left.';
    return { check: 'free-disk', title, status: 'skipped', count: null, samples: [], advice };
  }
  const said = `${title}: ${sayBytes(free)}, needed ${sayBytes(bytes)}`;
  if (free >= spare * bytes) return passed('free-disk', said);
  return failed(
    'free-disk',
    said,
    [sayBytes(free)],
    `Make room for at least ${sayBytes(spare * bytes)}, ${spare} times what is needed.`,
  );
}

/** Each is opened, read at both ends and asked for its locks: one that is damaged or held is named. */
async function checkDatasets(worker: Worker): Promise<Finding[]> {
  const broken: string[] = [];
  const advice = new Set<string>();
  for (const dataset of await listAll(worker)) {
    const failure = await worker.call('probe', { dataset }, z.strictObject({})).then(
      () => null,
      (error: unknown) => error,
    );
    if (failure === null) continue;
    if (!(failure instanceof Failure)) throw failure;
    broken.push(failure.message);
    advice.add(failure.advice);
  }
  const title = 'All datasets can be opened, read and written';
  if (broken.length === 0) return [passed('datasets-sound', title)];
  return [failed('datasets-sound', title, broken, [...advice].join(' '))];
}

function passed(check: string, title: string): Finding {
  return { check, title, status: 'passed', count: 0, samples: [] };
}
