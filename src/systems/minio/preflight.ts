import { z } from 'zod';
import { sayBytes } from '../../shared/bytes-text.ts';
import { Failure } from '../../shared/failure.ts';
import type { Finding } from '../finding.ts';
import type { PreflightNeeds } from '../system.ts';
import { isBucket, readVersioning } from './changes/buckets.ts';
import { journalBucket } from './journal-store.ts';
import { judgeAction, type Policy, policySchema } from './policy.ts';
import type { S3 } from './s3.ts';

/** So many times what is needed must be free. */
const spare = 2;
/** Kinds that act by version: without versions nothing that they do can be undone. */
const byVersion = ['minio.copy-keys', 'minio.remove-keys', 'minio.set-tags'];

const reads = ['s3:ListBucket', 's3:ListBucketVersions', 's3:GetBucketVersioning', 's3:GetObject'];
const versionsAndTags = ['s3:GetObjectVersion', 's3:GetObjectTagging', 's3:GetObjectVersionTagging'];
/** What each kind asks the server for, its undo included. */
const wantedBy: Readonly<Record<string, readonly string[]>> = {
  'minio.set-tags': [...versionsAndTags, 's3:PutObjectTagging', 's3:PutObjectVersionTagging', 's3:DeleteObjectTagging'],
  'minio.copy-keys': [...versionsAndTags, 's3:PutObject', 's3:PutObjectTagging', 's3:DeleteObjectVersion'],
  'minio.remove-keys': [...versionsAndTags, 's3:DeleteObject', 's3:DeleteObjectVersion'],
  'minio.create-bucket': ['s3:CreateBucket', 's3:DeleteBucket', 's3:PutBucketVersioning'],
  'minio.set-versioning': ['s3:PutBucketVersioning'],
};
const ofTheJournal = ['s3:CreateBucket', 's3:ListBucket', 's3:GetObject', 's3:PutObject'];
const ofBuckets = /Bucket/;

/** What a plan needs of server, bucket and access key, looked at for real. Writes nothing. */
export async function preflight(s3: S3, needs: PreflightNeeds): Promise<readonly Finding[]> {
  const there = await isBucket(s3, s3.bucket);
  const makesIt = needs.uses.includes('minio.create-bucket');
  if (!there && !makesIt) return [bucketWanted(s3.bucket)];
  return [
    passed('bucket-there', `The bucket ${s3.bucket} ${there ? 'is there' : 'will be made'}`),
    ...(there ? [await checkVersions(s3, needs)] : []),
    await checkRights(s3, needs),
    await checkDisk(s3, needs.bytes),
  ];
}

async function checkVersions(s3: S3, { uses }: PreflightNeeds): Promise<Finding> {
  const versioned = (await readVersioning(s3, s3.bucket)) === 'enabled';
  if (versioned) return passed('bucket-versions', `The bucket ${s3.bucket} keeps versions`);
  const title = `The bucket ${s3.bucket} keeps no versions`;
  const status =
    uses.some((use) => byVersion.includes(use)) && !uses.includes('minio.set-versioning') ? 'warning' : 'passed';
  const advice =
    'What is done to its objects is one-way, and no key is removed. minio.set-versioning switches versions on.';
  return { check: 'bucket-versions', title, status, count: status === 'warning' ? 1 : 0, samples: [], advice };
}

/** The policy that the server itself says holds for the key. */
async function checkRights(s3: S3, { uses }: PreflightNeeds): Promise<Finding> {
  const title = 'The access key may do what the steps need';
  const answer = await s3.request({
    method: 'GET',
    bucket: 'minio',
    key: 'admin/v3/accountinfo',
    allow: ['AccessDenied'],
  });
  const policy = answer ? policyOf(answer.body) : null;
  if (!policy) return skipped('key-rights', title, 'The server does not tell the policy of this key.');
  const wanted = [
    ...[...new Set([...reads, ...uses.flatMap((use) => wantedBy[use] ?? [])])].map((action) => [action, s3.bucket]),
    ...ofTheJournal.map((action) => [action, journalBucket(s3.bucket)]),
  ] as [string, string][];
  const verdicts = wanted.map(([action, bucket]) => {
    const resource = ofBuckets.test(action) ? bucket : `${bucket}/any`;
    return { name: `${action} on ${bucket}`, verdict: judgeAction(policy, action, resource) };
  });
  const denied = verdicts.filter(({ verdict }) => verdict === 'denied').map(({ name }) => name);
  if (denied.length > 0) {
    const advice = `Give the key the rights of the guide: ${denied.slice(0, 5).join(', ')}${denied.length > 5 ? ' …' : ''}.`;
    return { check: 'key-rights', title, status: 'failed', count: denied.length, samples: denied.slice(0, 5), advice };
  }
  const unknown = verdicts.filter(({ verdict }) => verdict === 'unknown').map(({ name }) => name);
  if (unknown.length === 0) return passed('key-rights', title);
  return skipped(
    'key-rights',
    title,
    `Its policy has conditions that only the server can judge: ${unknown.slice(0, 3).join(', ')}.`,
  );
}

const accountSchema = z.object({ Policy: policySchema });

function policyOf(body: string): Policy | null {
  const parsed = accountSchema.safeParse(JSON.parse(body));
  return parsed.success ? parsed.data.Policy : null;
}

const storageSchema = z.object({
  Disks: z.array(z.object({ availspace: z.number().optional(), state: z.string().optional() })),
});

/** The space of all drives, redundancy not taken off: more than that cannot be there. */
export async function checkDisk(s3: S3, bytes: number): Promise<Finding> {
  const title = 'Free disk of the server';
  const asked = { method: 'GET', bucket: 'minio', key: 'admin/v3/storageinfo', allow: ['AccessDenied'] } as const;
  const answer = await s3.request(asked);
  if (!answer) return skipped('free-disk', title, 'Only admin:StorageInfo lets this key ask for it.');
  const storage = storageSchema.safeParse(JSON.parse(answer.body));
  const free = storage.success ? storage.data.Disks.reduce((sum, disk) => sum + (disk.availspace ?? 0), 0) : 0;
  if (free === 0) return skipped('free-disk', title, 'The server does not say how much its drives have left.');
  if (free >= spare * bytes) return passed('free-disk', `${title}: ${sayBytes(free)}, needed ${sayBytes(bytes)}`);
  const advice = `Make room for at least ${sayBytes(spare * bytes)}, ${spare} times what is needed.`;
  const short = `${title}: ${sayBytes(free)}, and copies and journal need ${sayBytes(bytes)}`;
  return { check: 'free-disk', title: short, status: 'failed', count: 1, samples: [], advice };
}

function passed(check: string, title: string): Finding {
  return { check, title, status: 'passed', count: 0, samples: [] };
}

function skipped(check: string, title: string, advice: string): Finding {
  return { check, title, status: 'skipped', count: null, samples: [], advice };
}

function bucketWanted(bucket: string): Finding {
  const advice = 'Create the bucket or correct the configuration.';
  return {
    check: 'bucket-there',
    title: `There is no bucket ${bucket}`,
    status: 'failed',
    count: 1,
    samples: [],
    advice,
  };
}

/** A server that cannot be reached says so as a finding; a wrong key too. */
export function unreachableFinding(error: unknown): Finding {
  if (!(error instanceof Failure)) throw error;
  const { message, advice } = error;
  return { check: 'server-reachable', title: message, status: 'failed', count: 1, samples: [], advice };
}
