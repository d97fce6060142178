import { z } from 'zod';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type StepKind, type StepPreview } from '../../system.ts';
import { runBatch } from '../batch.ts';
import type { VersioningState } from '../change.ts';
import { isBucket, readVersioning } from '../changes/buckets.ts';
import type { KindSetting } from '../journal-store.ts';
import { previewUndo, undoBatch } from '../undo.ts';
import { bucketName } from './create-bucket.ts';

const inputSchema = z.strictObject({
  enabled: z.boolean().describe('True: each write keeps the version before it. False: from now on none is kept.'),
  bucket: bucketName.optional().describe('A bucket beside the configured one; absent = the configured one.'),
});
type Input = z.infer<typeof inputSchema>;

/** Lets a bucket keep versions, or pause. The versions that it has stay in both cases. */
export function setVersioningKind(setting: KindSetting): StepKind {
  const { s3 } = setting;
  return defineStepKind<Input>({
    name: 'minio.set-versioning',
    effect: 'changes',
    input: inputSchema,
    describe: ({ enabled, bucket = s3.bucket }) => `${bucket} ${enabled ? 'keeps' : 'no longer keeps'} versions`,
    preview: (input) => preview(setting, input),
    async performBatch({ bucket = s3.bucket, enabled }, batch, context) {
      const { cursor, done } = await runBatch(setting, context, batch, async () => {
        const before = await readVersioning(s3, bucket);
        const change = { did: 'versioning' as const, key: bucket, before, after: wanted(before, enabled) };
        const changes = change.before === change.after ? [] : [change];
        return { version: 1, changes, conflicts: [], missing: 0, cursor: null };
      });
      return { cursor, done };
    },
    async verify({ bucket = s3.bucket, enabled }) {
      const title = `${bucket} ${enabled ? 'keeps' : 'keeps no'} versions`;
      const fits = ((await readVersioning(s3, bucket)) === 'enabled') === enabled;
      return [{ check: 'versioning-set', title, status: fits ? 'passed' : 'failed', count: fits ? 0 : 1, samples: [] }];
    },
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
    narrow: () => null,
  });
}

/** A bucket that never kept versions need not pause. */
function wanted(before: VersioningState, enabled: boolean): VersioningState {
  if (enabled) return 'enabled';
  return before === 'never' ? 'never' : 'suspended';
}

async function preview({ s3 }: KindSetting, { bucket = s3.bucket, enabled }: Input): Promise<StepPreview> {
  const there = await isBucket(s3, bucket);
  const before = there ? await readVersioning(s3, bucket) : 'never';
  const after = wanted(before, enabled);
  const changes = before !== after;
  const findings: Finding[] = [];
  if (changes && before === 'never') findings.push(noWayBack(bucket));
  if (changes && after === 'suspended') findings.push(nothingKept(bucket));
  return {
    count: changes ? 1 : 0,
    exact: true,
    keysHash: digestOf(bucket),
    schemaHash: digestOf({ bucket, before }),
    samples: changes
      ? [{ collection: bucket, key: bucket, before: { versioning: before }, after: { versioning: after } }]
      : [],
    undoClass: changes && before === 'never' ? 'one-way' : 'reversible',
    locks: [],
    bytes: 1_000,
    findings,
  };
}

function noWayBack(bucket: string): Finding {
  return {
    check: 'versioning-never',
    title: `${bucket} never kept versions: there is no way back to that`,
    status: 'warning',
    count: 1,
    samples: [],
    advice:
      'Undo suspends it: what was written before stays as it is, versions made meanwhile stay until they are deleted.',
  };
}

function nothingKept(bucket: string): Finding {
  return {
    check: 'versioning-paused',
    title: `While ${bucket} keeps no versions, overwritten and deleted objects are gone`,
    status: 'warning',
    count: 1,
    samples: [],
    advice: 'Other steps on this bucket are one-way meanwhile.',
  };
}
