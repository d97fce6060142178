import { z } from 'zod';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type StepKind, type StepPreview } from '../../system.ts';
import { runBatch } from '../batch.ts';
import { isBucket, readVersioning } from '../changes/buckets.ts';
import type { KindSetting } from '../journal-store.ts';
import { previewUndo, undoBatch } from '../undo.ts';

/** As S3 allows it, without dots: with TLS they fit no certificate. */
export const bucketName = z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'is no name of a bucket');

const inputSchema = z.strictObject({
  bucket: bucketName.optional().describe('A bucket beside the configured one; absent = the configured one.'),
});
type Input = z.infer<typeof inputSchema>;

/** Makes a bucket that keeps versions. One that is there stays as it is, and undo never touches it. */
export function createBucketKind(setting: KindSetting): StepKind {
  const { s3 } = setting;
  return defineStepKind<Input>({
    name: 'minio.create-bucket',
    effect: 'adds',
    input: inputSchema,
    describe: ({ bucket = s3.bucket }) => `makes the bucket ${bucket}, with versions`,
    preview: ({ bucket = s3.bucket }) => preview(setting, bucket),
    async performBatch({ bucket = s3.bucket }, batch, context) {
      const { cursor, done } = await runBatch(setting, context, batch, async () => {
        const existed = await isBucket(s3, bucket);
        const changes = existed ? [] : [{ did: 'make-bucket' as const, key: bucket }];
        return { version: 1, changes, conflicts: [], missing: 0, cursor: null };
      });
      return { cursor, done };
    },
    async verify({ bucket = s3.bucket }) {
      const title = `The bucket ${bucket} is there`;
      const there = await isBucket(s3, bucket);
      return [{ check: 'bucket-there', title, status: there ? 'passed' : 'failed', count: there ? 0 : 1, samples: [] }];
    },
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context),
    narrow: () => null,
  });
}

async function preview({ s3 }: KindSetting, bucket: string): Promise<StepPreview> {
  const there = await isBucket(s3, bucket);
  const versioning = there ? await readVersioning(s3, bucket) : 'enabled';
  return {
    count: there ? 0 : 1,
    exact: true,
    keysHash: digestOf(bucket),
    schemaHash: digestOf({ bucket, there }),
    samples: there ? [] : [{ collection: bucket, key: bucket, before: { bucket: null }, after: { bucket } }],
    undoClass: 'reversible',
    locks: [],
    bytes: 1_000,
    findings: versioning === 'enabled' ? [] : [withoutVersions(bucket)],
  };
}

function withoutVersions(bucket: string): Finding {
  return {
    check: 'bucket-versioned',
    title: `The bucket ${bucket} is there already and keeps no versions`,
    status: 'warning',
    count: 1,
    samples: [],
    advice: 'It stays as it is. minio.set-versioning switches versions on.',
  };
}
