import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Json } from '../../shared/json.ts';
import type { Finding } from '../finding.ts';
import type { Standing } from '../system.ts';
import type { FieldsChange } from './change.ts';
import type { Cluster } from './client.ts';
import { annotationPath, differing, type Fields, pointerTo, readField } from './fields.ts';
import type { Manifest } from './manifest.ts';
import type { KindSetting, MaintenancePlace } from './part.ts';
import type { ObjectRef } from './resources.ts';

/** On the ConfigMap: the run that turned maintenance mode on. */
export const onBy = 'tas-bot/maintenance-by';
/** On the ingress: what the annotations were before, as JSON; null in it = absent. */
export const ingressBefore = 'tas-bot/maintenance-before';

export interface MaintenanceWish {
  readonly on: boolean;
  readonly message: string;
  /** ISO 8601. */
  readonly until?: string | undefined;
}

interface Planned {
  readonly changes: readonly FieldsChange[];
  readonly findings: readonly Finding[];
}

/** What turning it on or off changes now; a missing ConfigMap or ingress is a failed finding. */
export async function planMaintenance(setting: KindSetting, wish: MaintenanceWish, runId: string): Promise<Planned> {
  const { cluster, maintenance } = setting;
  if (!maintenance) {
    return wrong('The configuration says nothing of maintenance mode', 'Give the cluster `maintenance`.');
  }
  const configMap = mapOf(maintenance);
  const found = await cluster.get(configMap);
  if (found === null) return wrong(`There is no ConfigMap ${configMap.namespace}/${configMap.name}`, 'Create it.');
  const first = changeOf(configMap, found, mapFields(wish, runId));
  const second = await ingressChange(cluster, maintenance, wish);
  if (second === 'missing') {
    const { namespace, name } = maintenance.ingress ?? { namespace: '', name: '' };
    return wrong(`There is no Ingress ${namespace}/${name}`, 'Create it, or correct `maintenance.ingress`.');
  }
  // On: the users are told before the ingress turns them away. Off: the other way round.
  const changes = [first, second].filter((change) => change !== null);
  return { changes: wish.on ? changes : changes.reverse(), findings: [] };
}

function mapFields({ on, message, until }: MaintenanceWish, runId: string): Fields {
  return {
    [pointerTo('data', 'enabled')]: String(on),
    [pointerTo('data', 'message')]: on ? message : '',
    [pointerTo('data', 'until')]: on ? (until ?? null) : null,
    [annotationPath(onBy)]: on ? runId : null,
  };
}

const beforeSchema = z.record(z.string(), z.string().nullable());

async function ingressChange(
  cluster: Cluster,
  { ingress }: MaintenancePlace,
  { on }: MaintenanceWish,
): Promise<FieldsChange | null | 'missing'> {
  if (!ingress) return null;
  const object = { kind: 'Ingress', namespace: ingress.namespace, name: ingress.name } as const;
  const found = await cluster.get(object);
  if (found === null) return 'missing';
  const names = Object.keys(ingress.annotations);
  const kept = readBefore(readField(found, annotationPath(ingressBefore)));
  if (on) {
    const before = Object.fromEntries(names.map((name) => [name, found.metadata.annotations?.[name] ?? null]));
    const wanted = Object.entries(ingress.annotations).map(([name, value]) => [annotationPath(name), value]);
    const memory = kept ?? before;
    return changeOf(object, found, {
      ...Object.fromEntries(wanted),
      [annotationPath(ingressBefore)]: JSON.stringify(memory),
    });
  }
  // Only what the bot put there goes: an annotation that somebody gave another value since is his.
  const ours = names.filter((name) => found.metadata.annotations?.[name] === ingress.annotations[name]);
  const back = ours.map((name) => [annotationPath(name), kept?.[name] ?? null] as const);
  return changeOf(object, found, { ...Object.fromEntries(back), [annotationPath(ingressBefore)]: null });
}

function readBefore(text: Json): { readonly [name: string]: string | null } | null {
  try {
    return text === null ? null : beforeSchema.parse(JSON.parse(String(text)));
  } catch {
    return null;
  }
}

function changeOf(object: ObjectRef, found: Manifest, wanted: Fields): FieldsChange | null {
  const paths = differing(found, wanted);
  if (paths.every((path) => path === annotationPath(onBy))) return null;
  const pick = (value: (path: string) => Json): Fields => Object.fromEntries(paths.map((path) => [path, value(path)]));
  return {
    did: 'fields',
    object,
    uid: found.metadata.uid,
    before: pick((path) => readField(found, path)),
    after: pick((path) => wanted[path] ?? null),
  };
}

function mapOf({ namespace, configMap }: MaintenancePlace) {
  return { kind: 'ConfigMap', namespace, name: configMap } as const;
}

function wrong(title: string, advice: string): Planned {
  const finding: Finding = { check: 'maintenance-there', title, status: 'failed', count: 1, samples: [], advice };
  return { changes: [], findings: [finding] };
}

/** The finding as what a step fails with. */
export function refusedMaintenance(cluster: Cluster, { title, advice = '' }: Finding): Failure {
  const message = `${cluster.place.system}: ${title}.`;
  return new Failure({ code: 'precondition-failed', message, advice: `Nothing was changed. ${advice}`.trim() });
}

/** Whether these runs turned maintenance mode on, and it is on. */
export async function readMaintenance(
  cluster: Cluster,
  maintenance: MaintenancePlace | undefined,
  runIds: readonly string[],
): Promise<readonly Standing[]> {
  if (!maintenance) return [];
  const found = await cluster.get(mapOf(maintenance));
  if (found === null || readField(found, pointerTo('data', 'enabled')) !== 'true') return [];
  if (!runIds.includes(found.metadata.annotations?.[onBy] ?? '')) return [];
  const what = `maintenance mode is on (ConfigMap ${maintenance.namespace}/${maintenance.configMap})`;
  return [{ what, closes: false }];
}
