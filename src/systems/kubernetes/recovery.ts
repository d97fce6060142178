import { z } from 'zod';
import { shellCommand } from '../../shared/shell-word.ts';
import type { RecoveryLine, RecoveryRun } from '../recovery.ts';
import { leaseName } from './fence.ts';
import { runLabel } from './journal.ts';
import { ingressBefore, onBy } from './maintenance.ts';
import type { KindSetting, MaintenancePlace } from './part.ts';
import { marks } from './standing.ts';
import { type ServiceRef, sayService, serviceRef } from './workload.ts';

/** Where the cluster is, as its configuration says. */
export interface RecoveryPlace {
  readonly maintenance?: MaintenancePlace | undefined;
  readonly flags?: KindSetting['flags'] | undefined;
  readonly name: string;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespaces: readonly string[];
  readonly home: string;
}

type Kubectl = (namespace: string, ...words: readonly string[]) => string;

const stopInput = z.object({ services: z.array(serviceRef) });
const flagInput = z.object({ flag: z.string() });

/** What a run has set up in the cluster and how it is taken back, for `kubectl`. */
export function recovery(place: RecoveryPlace, run: RecoveryRun): readonly RecoveryLine[] {
  const kubectl: Kubectl = (namespace, ...words) =>
    shellCommand('kubectl', ...accessOf(place), '-n', namespace, ...words);
  const uses = (name: string) => run.steps.filter(({ use }) => use === `kubernetes.${name}`);
  const stops = uses('stop-services').flatMap(({ input }) => stopInput.safeParse(input).data?.services ?? []);
  const lines = [
    ...holdLines(place, run, kubectl),
    ...(stops.length === 0 ? [] : serviceLines(unique(stops), kubectl)),
    ...flagLines(
      place,
      uses('set-flag').flatMap(({ input }) => flagInput.safeParse(input).data?.flag ?? []),
      kubectl,
    ),
    ...(place.maintenance && uses('set-maintenance').length > 0 ? maintenanceLines(place.maintenance, kubectl) : []),
  ];
  return lines.map((line) => ({ ...line, what: `\`${place.name}\`: ${line.what}` }));
}

function accessOf({ kubeconfig, context }: RecoveryPlace): readonly string[] {
  return [
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ...(context === undefined ? [] : [`--context=${context}`]),
  ];
}

function holdLines({ home }: RecoveryPlace, run: RecoveryRun, kubectl: Kubectl): RecoveryLine[] {
  const lease = leaseName(run.environment);
  return [
    look(
      'holds',
      'who holds the environment, since when, what stands stopped; `renewTime` older than a minute = the bot is gone',
      kubectl(home, 'get', 'lease', `${lease}-holder`, '-o', 'yaml', '--ignore-not-found'),
    ),
    look(
      'holds',
      'the fence, the greatest token that may write',
      kubectl(
        home,
        'get',
        'lease',
        lease,
        '-o',
        'jsonpath={.metadata.annotations.tas-bot/token}',
        '--ignore-not-found',
      ),
    ),
    ...run.runIds.map((runId) =>
      look(
        'journal',
        `steps of ${runId} that changed something (a ConfigMap each; each \`intent\` without a \`done\` is half done)`,
        kubectl(home, 'get', 'configmaps', '-l', `tas-bot/run=${runLabel(runId)}`, '-o', stepColumns),
      ),
    ),
  ];
}

const stepColumns = 'custom-columns=NAME:.metadata.name,STEP:.metadata.annotations.tas-bot/step';

/** Started in the reverse order of stopping: what others call comes first, what users see last. */
function serviceLines(stopped: readonly ServiceRef[], kubectl: Kubectl): RecoveryLine[] {
  const namespaces = [...new Set(stopped.map(({ namespace }) => namespace))];
  const columns = `custom-columns=KIND:.kind,NAME:.metadata.name,REPLICAS:.spec.replicas,HAD:.metadata.annotations.${marks.replicas},STOPPED-BY:.metadata.annotations.${marks.stoppedBy}`;
  const suspended = `custom-columns=KIND:.kind,NAME:.metadata.name,SUSPENDED-BY:.metadata.annotations.${marks.suspendedBy},BEFORE:.metadata.annotations.${marks.suspended}`;
  return [
    ...namespaces.flatMap((namespace): RecoveryLine[] => [
      {
        ...look(
          'services',
          `which services are stopped in ${namespace}, and how many replicas each had (\`HAD\`)`,
          kubectl(namespace, 'get', 'deployments,statefulsets', '-o', columns),
        ),
        first: true,
      },
      look(
        'services',
        `what was suspended with them in ${namespace}; put the fields of \`BEFORE\` back once the services run`,
        kubectl(namespace, 'get', 'horizontalpodautoscalers,cronjobs', '-o', suspended),
      ),
    ]),
    ...[...stopped].reverse().map((service) => startLine(service, kubectl)),
  ];
}

function startLine(service: ServiceRef, kubectl: Kubectl): RecoveryLine {
  const { kind, namespace, name } = service;
  const target = `${kind.toLowerCase()}/${name}`;
  const remembered = kubectl(namespace, 'get', target, '-o', `jsonpath={.metadata.annotations.${marks.replicas}}`);
  const scale = `${kubectl(namespace, 'scale', target)} --replicas="$(${remembered})"`;
  const forget = [marks.replicas, marks.stoppedBy, marks.starting].map((mark) => `${mark}-`);
  const command = `${scale} && ${kubectl(namespace, 'annotate', target, ...forget)}`;
  const what = `bring ${sayService(service)} back with the replicas that are remembered on it; without them it stays as it is`;
  return { topic: 'services', what, command, changes: true };
}

function flagLines({ flags }: RecoveryPlace, names: readonly string[], kubectl: Kubectl): RecoveryLine[] {
  if (!flags || names.length === 0) return [];
  const path = flags.key.replaceAll('\\', '\\\\').replaceAll('.', '\\.');
  const file = kubectl(flags.namespace, 'get', 'configmap', flags.configMap, '-o', `jsonpath={.data.${path}}`);
  const list = [...new Set(names)].map((name) => `\`${name}\``).join(', ');
  return [
    look('flags', `how the feature flags stand that the run sets: ${list}`, file),
    {
      topic: 'flags',
      what: `put them back in the editor: \`state\`, \`defaultVariant\` and \`targeting\` as they were`,
      command: kubectl(flags.namespace, 'edit', 'configmap', flags.configMap),
      changes: true,
    },
  ];
}

function maintenanceLines({ namespace, configMap, ingress }: MaintenancePlace, kubectl: Kubectl): RecoveryLine[] {
  const off = { data: { enabled: 'false', message: '', until: null }, metadata: { annotations: { [onBy]: null } } };
  const turnOff: RecoveryLine = {
    topic: 'maintenance',
    what: 'maintenance mode off, when the services answer',
    command: kubectl(namespace, 'patch', 'configmap', configMap, '--type=merge', '-p', JSON.stringify(off)),
    changes: true,
    first: true,
  };
  if (!ingress) return [turnOff];
  const target = `ingress/${ingress.name}`;
  const names = [...Object.keys(ingress.annotations), ingressBefore].map((name) => `${name}-`);
  const before = `jsonpath={.metadata.annotations.${ingressBefore}}`;
  return [
    look(
      'maintenance',
      'what the ingress had before; null = nothing. Put other values back with `kubectl annotate` afterwards',
      kubectl(ingress.namespace, 'get', target, '-o', before),
    ),
    {
      topic: 'maintenance',
      what: 'let users in again',
      command: kubectl(ingress.namespace, 'annotate', target, ...names),
      changes: true,
    },
    turnOff,
  ];
}

function look(topic: RecoveryLine['topic'], what: string, command: string): RecoveryLine {
  return { topic, what, command, changes: false };
}

function unique(services: readonly ServiceRef[]): readonly ServiceRef[] {
  return [...new Map(services.map((service) => [sayService(service), service])).values()];
}
