import { Failure } from '../../shared/failure.ts';
import type { Json, JsonObject } from '../../shared/json.ts';
import { type Asked, type ErrorPlace, readStatus, refusal } from './failure.ts';
import { type Manifest, manifestSchema, pageSchema } from './manifest.ts';
import { type ObjectRef, pathOf, type ResourceName, resources } from './resources.ts';
import { type Answer, connectTransport, type TransportOptions } from './transport.ts';

export interface ClusterOptions extends TransportOptions {
  /** Namespaces that may be touched; `home` may always be. */
  readonly namespaces: readonly string[];
  readonly home: string;
}

export interface ListOptions {
  readonly labels?: string;
  readonly fields?: string;
}

export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

/** One API server. Every error is a `Failure`. Namespaces that the configuration does not name are refused. */
export interface Cluster {
  readonly place: ErrorPlace;
  readonly home: string;
  readonly namespaces: readonly string[];
  /** Null where there is none. */
  get(object: ObjectRef): Promise<Manifest | null>;
  /** All of a namespace, page by page. Empty where the server does not know the resource (a CRD that is not installed). */
  list(kind: ResourceName, namespace: string, options?: ListOptions): Promise<readonly Manifest[]>;
  /** Null where one of this name is there already. */
  create(kind: ResourceName, namespace: string, manifest: JsonObject): Promise<Manifest | null>;
  /** JSON patch on exactly this version; null where it was changed or removed since: read again. */
  patch(object: ObjectRef, resourceVersion: string, operations: readonly PatchOperation[]): Promise<Manifest | null>;
  /** What the object would be with these fields applied to it: lists are merged as the server merges them. Changes nothing; null where it is gone. */
  dryApply(object: ObjectRef, manifest: JsonObject): Promise<Manifest | null>;
  /** Puts the whole object (its `metadata.resourceVersion` included); null where it was changed or removed since. */
  replace(object: ObjectRef, manifest: JsonObject): Promise<Manifest | null>;
  /** Removes exactly this object, with what it owns; false where it is gone or another one has its name. */
  remove(object: ObjectRef, uid: string): Promise<boolean>;
  /** The same, but only at exactly this version of it. */
  removeVersion(
    object: ObjectRef,
    version: { readonly uid: string; readonly resourceVersion: string },
  ): Promise<boolean>;
  /** Anything else: logs, reviews, versions. Throws where the answer is no success, but null for those of `allow`. */
  request(
    asked: Asked,
    request: { method: string; path: string; body?: JsonObject; allow?: readonly number[] },
  ): Promise<string | null>;
  /** Throws `not-allowed` for a namespace that the configuration does not name. */
  checkNamespace(namespace: string): void;
  close(): void;
}

const pageSize = 500;
const dryRun = '?dryRun=All&fieldManager=tas-bot&force=true';

/** Opens no connection yet. */
export function connectCluster(options: ClusterOptions): Cluster {
  const { namespaces, home } = options;
  const transport = connectTransport(options);
  const { place } = transport;
  const send: Send = async (asked, request) => {
    if (asked.namespace !== null) checkNamespace(options, asked.namespace);
    const answer = await transport.send(request);
    if (answer.code >= 200 && answer.code < 300) return answer;
    if (request.allow?.(answer)) return null;
    throw refusal(answer.code, answer.body, asked, place);
  };
  const change = async (
    verb: string,
    object: ObjectRef,
    { query = '', ...request }: Pick<Request, 'method' | 'body' | 'type'> & { readonly query?: string },
  ): Promise<Manifest | null> => {
    const { kind, namespace, name } = object;
    const asked = { verb, resource: sayResource(kind), namespace, name };
    const answer = await send(asked, {
      ...request,
      path: `${pathOf(resources[kind], namespace, name)}${query}`,
      allow: changedSince,
    });
    return answer && read(answer);
  };
  return {
    place,
    home,
    namespaces,
    checkNamespace: (namespace) => checkNamespace(options, namespace),
    async get({ kind, namespace, name }) {
      const asked = { verb: 'get', resource: sayResource(kind), namespace, name };
      const path = pathOf(resources[kind], namespace, name);
      const answer = await send(asked, { method: 'GET', path, allow: ({ code }) => code === 404 });
      return answer && read(answer);
    },
    list: (kind, namespace, wanted = {}) => listAll(send, kind, namespace, wanted),
    async create(kind, namespace, manifest) {
      const { group, version, kind: named } = resources[kind];
      const body = { apiVersion: group === '' ? version : `${group}/${version}`, kind: named, ...manifest };
      const asked = { verb: 'create', resource: sayResource(kind), namespace };
      const path = pathOf(resources[kind], namespace);
      const answer = await send(asked, { method: 'POST', path, body, allow: isThereAlready });
      return answer && read(answer);
    },
    patch(object, resourceVersion, operations) {
      // Put into the object, the version makes the server compare it with the one that it holds.
      const pinned = { op: 'replace' as const, path: '/metadata/resourceVersion', value: resourceVersion };
      const body = [pinned, ...operations].map((operation) => ({ ...operation }));
      return change('patch', object, { method: 'PATCH', body, type: 'application/json-patch+json' });
    },
    dryApply: (object, manifest) =>
      change('patch', object, { method: 'PATCH', body: manifest, type: 'application/apply-patch+yaml', query: dryRun }),
    replace: (object, manifest) => change('update', object, { method: 'PUT', body: manifest }),
    remove: (object, uid) => remove(send, object, { uid }),
    removeVersion: (object, { uid, resourceVersion }) => remove(send, object, { uid, resourceVersion }),
    async request(asked, { allow = [], ...request }) {
      const answer = await send(asked, { ...request, allow: ({ code }) => allow.includes(code) });
      return answer?.body ?? null;
    },
    close: () => transport.close(),
  };
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: Json;
  readonly type?: string;
  /** Refusals that are an answer (null). */
  readonly allow?: (answer: Answer) => boolean;
}

type Send = (asked: Asked, request: Request) => Promise<Answer | null>;

const changedSince = ({ code }: Answer): boolean => code === 404 || code === 409;
const isThereAlready = ({ code, body }: Answer): boolean => code === 409 && readStatus(body).reason === 'AlreadyExists';

function checkNamespace({ name, namespaces, home }: ClusterOptions, namespace: string): void {
  if (namespace === home || namespaces.includes(namespace)) return;
  throw new Failure({
    code: 'not-allowed',
    message: `${name}: the bot may not touch the namespace ${namespace}.`,
    advice: `Its configuration names ${namespaces.join(', ')}. Add it there if it should.`,
  });
}

/** The answer is the object, or for some kinds only that it went well. */
async function remove(send: Send, { kind, namespace, name }: ObjectRef, preconditions: JsonObject): Promise<boolean> {
  const asked = { verb: 'delete', resource: sayResource(kind), namespace, name };
  const path = pathOf(resources[kind], namespace, name);
  const body = { preconditions, propagationPolicy: 'Background' };
  return (await send(asked, { method: 'DELETE', path, body, allow: changedSince })) !== null;
}

async function listAll(
  send: Send,
  kind: ResourceName,
  namespace: string,
  { labels, fields }: ListOptions,
): Promise<readonly Manifest[]> {
  const asked = { verb: 'list', resource: sayResource(kind), namespace };
  const found: Manifest[] = [];
  for (let next = ''; ; ) {
    const query = new URLSearchParams({ limit: String(pageSize) });
    if (labels) query.set('labelSelector', labels);
    if (fields) query.set('fieldSelector', fields);
    if (next) query.set('continue', next);
    const path = `${pathOf(resources[kind], namespace)}?${query}`;
    const answer = await send(asked, { method: 'GET', path, allow: ({ code }) => code === 404 || code === 410 });
    if (!answer && !next) return found;
    const page = answer ? pageSchema.parse(JSON.parse(answer.body)) : null;
    // Null: the server has forgotten where this listing was. It begins again.
    if (page === null) found.length = 0;
    else found.push(...page.items);
    next = page?.metadata.continue ?? '';
    if (page !== null && !next) return found;
  }
}

/** As RBAC and kubectl name it: `deployments.apps`. */
export function sayResource(kind: ResourceName): string {
  const { group, plural } = resources[kind];
  return group === '' ? plural : `${plural}.${group}`;
}

function read(answer: Answer): Manifest {
  return manifestSchema.parse(JSON.parse(answer.body));
}
