import type { Client } from 'minio';
import type { Person } from './records.ts';

const AT_ONCE = 8;

/** One line of a bucket's listing, delete markers included. */
interface Version {
  readonly name?: string;
  readonly versionId?: string | null;
}

/** Writes the contents of documents into the bucket. */
export interface ObjectWriter {
  count: number;
  prepare(): Promise<void>;
  write(people: readonly Person[]): Promise<void>;
}

export function createObjectWriter(client: Client, bucket: string): ObjectWriter {
  return {
    count: 0,
    prepare: () => wipeBucket(client, bucket),
    async write(people) {
      const bodies = people.flatMap((person) => person.bodies);
      for (let i = 0; i < bodies.length; i += AT_ONCE) {
        const puts = bodies
          .slice(i, i + AT_ONCE)
          .map(({ document, body }) =>
            client.putObject(bucket, document.storage_path, body, body.length, { 'Content-Type': document.mime_type }),
          );
        this.count += (await Promise.all(puts)).length;
      }
    },
  };
}

/** Makes the bucket where there is none, and empties it where there is one. What the bot wrote beside it goes with it. */
async function wipeBucket(client: Client, bucket: string): Promise<void> {
  const journal = `${bucket}-tas-journal`;
  if (await client.bucketExists(journal)) {
    await removeVersions(client, journal);
    await client.removeBucket(journal);
  }
  if (!(await client.bucketExists(bucket))) await client.makeBucket(bucket);
  await client.setBucketVersioning(bucket, { Status: 'Enabled' });
  await removeVersions(client, bucket);
}

/** Every version and delete marker. */
async function removeVersions(client: Client, bucket: string): Promise<void> {
  let versions: { name: string; versionId: string }[] = [];
  const remove = async () => {
    const failed = (await client.removeObjects(bucket, versions)).filter((answer) => answer);
    if (failed.length > 0) throw new Error(`${failed.length} versions cannot be removed from ${bucket}`);
    versions = [];
  };
  const listed: AsyncIterable<Version> = client.listObjects(bucket, '', true, { IncludeVersion: true });
  for await (const { name, versionId } of listed) {
    if (name !== undefined) versions.push({ name, versionId: versionId ?? 'null' });
    if (versions.length === 1000) await remove();
  }
  if (versions.length > 0) await remove();
}
