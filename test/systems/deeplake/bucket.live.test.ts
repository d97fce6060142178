import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'minio';
import { Secret } from '../../../src/shared/secret.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveStores } from '../../live-stores.ts';
import { failureOf, need } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { idsOf, type ScratchVectors, scratchVectors } from './scratch-vectors.ts';

const name = 'tenants/tenant_1/default';

describe('DeepLake in a bucket', () => {
  const { url, accessKey, secretKey } = liveStores().minio;
  const s3 = { endpointUrl: url, accessKey, secretKey: new Secret(secretKey), region: 'us-east-1' };
  const bucket = `vectors-${process.pid}-${Date.now()}`;
  const { hostname, port } = new URL(url);
  const client = new Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey });
  let vectors: ScratchVectors;
  let system: System;

  beforeAll(async () => {
    await client.makeBucket(bucket);
    vectors = await scratchVectors({ root: `s3://${bucket}/data/vectors`, s3 });
    system = vectors.system();
    await vectors.users(
      { do: 'create', path: name, ids: idsOf(5), dimension: 8, tenant: 'tenant_1' },
      { do: 'create', path: 'tenants/tenant_2/default', ids: idsOf(3), dimension: 8, tenant: 'tenant_2' },
    );
  });

  afterAll(async () => {
    await system.close();
    for await (const item of client.listObjects(bucket, '', true)) await client.removeObject(bucket, item.name ?? '');
    await client.removeBucket(bucket);
  });

  it('reads, checks and tells who it is', async () => {
    expect(await need(system, 'fingerprint')()).toMatchObject({ counts: { [name]: 5, 'tenants/tenant_2/default': 3 } });
    expect(await system.identity()).toBe(await system.identity());
    expect(
      (await need(system, 'lookup')({ collection: name, by: 'id', fields: ['metadata.tenant_id'] }, ['v-02'])).get(
        'v-02',
      ),
    ).toEqual({
      'metadata.tenant_id': 'tenant_1',
    });
    expect(await system.preflight?.({ uses: ['deeplake.add-field'], bytes: 1 })).not.toContainEqual(
      expect.objectContaining({ status: 'failed' }),
    );
  });

  it('refuses wrong keys without showing them', async () => {
    const wrong = vectors.system({ s3: { ...s3, secretKey: new Secret('not-the-secret-77') } });
    const failure = await failureOf(() => wrong.identity());
    expect(failure.code).toBe('wrong-password');
    expect(`${failure.message} ${failure.advice}`).not.toContain('not-the-secret-77');
    await wrong.close();
  });

  it('adds a field and takes it away, makes a new version and drops it', async () => {
    const before = await need(system, 'fingerprint')();
    const fence = { environment: 'test', token: 3 };
    for (const [kind, input] of [
      ['deeplake.add-field', { datasets: 'tenants/*/default', field: 'stage', type: 'int', value: 4 }],
      ['deeplake.new-version', { datasets: 'tenants/*/default', suffix: '.v2' }],
    ] as const) {
      const results = await performAll(kindOf(system, kind), input, stepContext({ runId: kind, fence }), 5);
      expect(sumDone(results)).toBe(8);
      expect((await need(system, 'fingerprint')()).hash).not.toBe(before.hash);
      await undoAll(kindOf(system, kind), input, undoContext({ runId: kind, stepId: 'data.step' }, { fence }));
      expect(await need(system, 'fingerprint')()).toEqual(before);
    }
    const late = stepContext({ runId: 'late', fence: { environment: 'test', token: 2 } });
    const input = { datasets: 'tenants/*/default', field: 'late', type: 'int', value: 4 };
    expect((await failureOf(() => performAll(kindOf(system, 'deeplake.add-field'), input, late, 5))).code).toBe(
      'fenced',
    );
  });

  it('refuses a swap, which a bucket cannot do in one step, and says what to do instead', async () => {
    const kind = kindOf(system, 'deeplake.swap-datasets');
    const preview = await kind.preview({ datasets: 'tenants/*/default', with: '.v2' }, stepContext());
    expect(preview.findings).toContainEqual(expect.objectContaining({ check: 'names-exchangeable', status: 'failed' }));
  });

  it('backs up and restores', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tas-bucket-'));
    const context = { objectsFolder: join(folder, 'objects'), signal: AbortSignal.timeout(60_000), progress: () => {} };
    await mkdir(join(folder, 'objects'));
    await mkdir(join(folder, 'set'));
    const before = await need(system, 'fingerprint')();
    const part = await need(system, 'backup')(join(folder, 'set'), context);
    expect(part.fingerprint).toEqual(before);
    await vectors.users({ do: 'delete', path: name, id: 'v-01' }, { do: 'append', path: name, ids: ['late'] });
    expect(await need(system, 'restore')(part, join(folder, 'set'), context)).toEqual(before);
    await rm(folder, { recursive: true });
  });
});
