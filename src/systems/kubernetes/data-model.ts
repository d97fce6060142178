import { z } from 'zod';
import type { DataModel } from '../system.ts';
import type { Cluster } from './client.ts';
import type { FenceStore } from './fence.ts';

const versionSchema = z.strictObject({ version: z.string(), runId: z.string(), at: z.string() });

/** The version of the data model, in a ConfigMap of the home namespace. */
export function createDataModel(cluster: Cluster, fence: FenceStore): DataModel {
  const object = { kind: 'ConfigMap', namespace: cluster.home, name: 'tas-data-model' } as const;
  const read: DataModel['read'] = async () => {
    const text = (await cluster.get(object))?.data as { readonly version?: string } | undefined;
    return text?.version === undefined ? null : versionSchema.parse(JSON.parse(text.version));
  };
  return {
    read,
    async write(version, token) {
      await fence.check(token);
      for (;;) {
        const found = await cluster.get(object);
        const data = version === null ? {} : { version: JSON.stringify(versionSchema.parse(version)) };
        if (found === null) {
          if (
            version === null ||
            (await cluster.create('ConfigMap', cluster.home, { metadata: { name: object.name }, data }))
          )
            return;
          continue;
        }
        const operation = { op: 'add' as const, path: '/data', value: data };
        if (await cluster.patch(object, found.metadata.resourceVersion, [operation])) return;
      }
    },
  };
}
