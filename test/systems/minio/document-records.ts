import type { JsonObject } from '../../../src/shared/json.ts';
import type { LookupQuery, Row, ScanQuery, StepContext } from '../../../src/systems/system.ts';
import { stepContext } from '../step-contexts.ts';

/** A record of another system that says which object is its own. */
export interface Doc {
  readonly id: string;
  readonly tenant: string | null;
  readonly name: string;
  path: string;
}

/** Document a: tenant_1/files/a.txt. */
export function doc(id: string, over: Partial<Doc> = {}): Doc {
  const name = over.name ?? `${id}.txt`;
  return { id, tenant: 'tenant_1', name, path: `tenant_1/files/${name}`, ...over };
}

/** Where `target` of the tests puts a document. */
export const targetOf = ({ id, tenant, name }: Doc): string => `${tenant}/documents/${id}/${name}`;

/** The parameters of a copy that goes by these records. */
export const byDocuments = {
  for: { system: 'graph', collection: 'Document', key: 'id' },
  source: '{path}',
  target: '{tenant}/documents/{id}/{name}',
};

/** The context of a step with these records in the place of the other systems. */
export function documentContext(docs: () => readonly Doc[], over: Partial<StepContext> = {}): StepContext {
  return stepContext({
    async *scan(_system: string, query: ScanQuery): AsyncIterable<Row> {
      for (const { id, ...values } of docs().toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
        if (query.after === undefined || id > query.after) yield { key: id, values: { id, ...values } };
      }
    },
    async lookup(_system: string, { by }: LookupQuery, keys: readonly string[]) {
      const held = docs().map((one) => String(one[by as keyof Doc]));
      return new Map<string, JsonObject>(keys.filter((key) => held.includes(key)).map((key) => [key, {}]));
    },
    ...over,
  });
}
