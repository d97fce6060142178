import { runbookMessage, runbookNote } from '../../blocks/runbook.ts';
import type { Environment } from '../../src/plans/environment.ts';
import type { Run } from '../../src/runs/run.ts';
import { createRunbooks } from '../../src/runs/runbook.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import { Secret } from '../../src/shared/secret.ts';
import { createDeeplakeSystem } from '../../src/systems/deeplake/deeplake-system.ts';
import { createKubernetesSystem } from '../../src/systems/kubernetes/kubernetes-system.ts';
import { createMinioSystem } from '../../src/systems/minio/minio-system.ts';
import { createNeo4jSystem } from '../../src/systems/neo4j/neo4j-system.ts';
import { createPostgresSystem } from '../../src/systems/postgres/postgres-system.ts';
import type { System } from '../../src/systems/system.ts';
import { messageText } from '../../src/terminal/message-text.ts';
import { samplePlan, sampleRun, sampleStep } from '../sample-run.ts';

const secret = new Secret('hunter2-never-shown');
const shared = { seal: createSeal(Buffer.alloc(32, 1)), logger: createLogger('silent') };
const services = [
  { namespace: 'aether', kind: 'Deployment' as const, name: 'aether-frontend' },
  { namespace: 'aether-be', kind: 'StatefulSet' as const, name: 'aether-backend' },
];

function systems(): readonly System[] {
  return [
    createNeo4jSystem({
      ...shared,
      name: 'graph',
      url: 'bolt://neo:hunter2-never-shown@db:7687',
      user: 'neo4j',
      password: secret,
    }),
    createPostgresSystem({
      ...shared,
      name: 'records',
      host: 'pg',
      port: 5432,
      database: 'tenants',
      user: 'tas',
      password: secret,
    }),
    createMinioSystem({
      ...shared,
      name: 'objects',
      url: 'https://minio:9000',
      accessKey: 'key',
      secretKey: secret,
      bucket: 'files',
    }),
    createKubernetesSystem({
      ...shared,
      name: 'cluster',
      context: 'prod',
      namespaces: ['aether', 'aether-be'],
      home: 'tas',
      maintenance: {
        namespace: 'aether',
        configMap: 'maintenance',
        ingress: { namespace: 'aether', name: 'web', annotations: { 'nginx/redirect': 'https://status' } },
      },
      flags: { namespace: 'aether', configMap: 'flags', key: 'flags.json' },
    }),
  ];
}

const plan = samplePlan({
  stages: [
    {
      id: 'before',
      title: 'Services',
      always: false,
      steps: [
        sampleStep({ id: 'before.on', system: 'cluster', use: 'kubernetes.set-maintenance', input: { on: true } }),
        sampleStep({
          id: 'before.stop',
          system: 'cluster',
          use: 'kubernetes.stop-services',
          input: { services, within: '5m' },
        }),
        sampleStep({
          id: 'before.flag',
          system: 'cluster',
          use: 'kubernetes.set-flag',
          input: { flag: 'spaces', state: 'on' },
        }),
      ],
    },
  ],
});
const person = { id: 'UVIC', name: 'vic', roles: ['viewer'] as const };

function desk() {
  const environment = { systems: new Map(systems().map((system) => [system.name, system])) } as unknown as Environment;
  return createRunbooks({
    environments: new Map([['sandbox', environment]]),
    bot: { host: 'bot-db', port: 5432, user: 'tas', database: 'tas_bot' },
    links: new Map([['sandbox', 'https://wiki.example.com/dba|<x>']]),
  });
}

function commandsOf(run: Run): readonly string[] {
  return desk()
    .of(run)
    .parts.flatMap(({ lines }) => lines.flatMap(({ command }) => command ?? []));
}

describe('the runbook of a run', () => {
  it('names what holds the environment in each store, and counts the journal', () => {
    const commands = commandsOf(sampleRun({ plan, status: 'running' })).join('\n');
    expect(commands).toContain("psql -X -h bot-db -p 5432 -U tas -d tas_bot -c 'SELECT run_id, state");
    expect(commands).toContain('tas_journal.fence');
    expect(commands).toContain('cypher-shell -a bolt://db:7687 -u neo4j');
    expect(commands).toContain('_TasFence');
    expect(commands).toContain('mc cat tas-objects/files-tas-journal/fence/sandbox');
    expect(commands).toContain('kubectl --context=prod -n tas get lease tas-sandbox-holder -o yaml --ignore-not-found');
  });

  it('brings services back in the reverse order of stopping, each with the replicas that are remembered on it', () => {
    const starts = commandsOf(sampleRun({ plan, status: 'running' })).filter((command) => command.includes(' scale '));
    expect(starts.map((command) => /scale (\S+)/.exec(command)?.[1])).toEqual([
      'statefulset/aether-backend',
      'deployment/aether-frontend',
    ]);
    expect(starts[0]).toContain('--replicas="$(kubectl --context=prod -n aether-be get statefulset/aether-backend');
  });

  it('turns maintenance mode off after the services, and never before the data is whole', () => {
    const titles = desk()
      .of(sampleRun({ plan, status: 'running' }))
      .parts.map(({ title }) => title);
    expect(titles.findIndex((title) => title.startsWith('Make the data whole'))).toBeLessThan(
      titles.findIndex((title) => title.startsWith('Only then')),
    );
    const commands = commandsOf(sampleRun({ plan, status: 'running' }));
    const off = commands.findIndex((command) => command.includes('"enabled":"false"'));
    expect(off).toBeGreaterThan(commands.findLastIndex((command) => command.includes(' scale ')));
  });

  it('names the restore point, or says how to find one where the run made none', () => {
    expect(commandsOf(sampleRun({ plan, backupId: 'backup-1' }))).toContain('npx tas restore backup-1 env:sandbox');
    const without = commandsOf(sampleRun({ plan }));
    expect(without).toContain('npx tas backup list env:sandbox');
    expect(without.join('\n')).not.toContain('npx tas restore');
  });

  it('offers an undo wherever something may have been changed, and a stop before it where the run still goes on', () => {
    const began = { plan, startedAt: '2026-11-20T10:00:00.000Z' };
    const undo = 'npx tas rollback run-01jd0a4ycz way:undo';
    for (const status of ['running', 'paused', 'parked', 'done', 'closed'] as const) {
      expect(commandsOf(sampleRun({ ...began, status }))).toContain(undo);
    }
    for (const status of ['rejected', 'expired', 'voided'] as const) {
      expect(commandsOf(sampleRun({ plan, status }))).not.toContain(undo);
    }
    expect(commandsOf(sampleRun({ ...began, status: 'closed', undoneBy: 'run-2' }))).not.toContain(undo);
    const running = commandsOf(sampleRun({ ...began, status: 'running' }));
    expect(running.indexOf('npx tas stop run-01jd0a4ycz')).toBeGreaterThan(-1);
    expect(running.indexOf('npx tas stop run-01jd0a4ycz')).toBeLessThan(running.indexOf(undo));
    expect(commandsOf(sampleRun({ ...began, status: 'parked' }))).not.toContain('npx tas stop run-01jd0a4ycz');
  });

  it('holds no password, not even one that stands in an address', () => {
    const run = sampleRun({ plan, status: 'parked', backupId: 'backup-1' });
    expect(JSON.stringify(desk().of(run))).not.toContain('hunter2');
  });

  it('names the files beside datasets, in a folder and in a bucket, without keys', () => {
    const ask = { environment: 'sandbox', runId: 'run-1', runIds: ['run-1'], steps: [] };
    const folder = createDeeplakeSystem({ ...shared, name: 'vectors', root: '/data/it is/', python: 'python3' });
    expect(folder.recovery?.(ask).map(({ command }) => command)).toEqual([
      "cat '/data/it is/.tas/fence/sandbox'",
      "find '/data/it is/.tas/batches/run-1' -type f",
    ]);
    const s3 = { endpointUrl: 'http://a:hunter2@minio:9000/', accessKey: 'key', secretKey: secret, region: 'eu' };
    const bucket = createDeeplakeSystem({ ...shared, name: 'vectors', root: 's3://vectors/x', python: 'python3', s3 });
    expect(bucket.recovery?.(ask)[0]?.command).toBe(
      'aws --endpoint-url http://minio:9000/ s3 cp s3://vectors/x/.tas/fence/sandbox -',
    );
  });

  it('says the most important in at most ten lines, with what never to do', () => {
    const { first } = desk().of(sampleRun({ plan, status: 'running' }));
    expect(first.length).toBeLessThanOrEqual(10);
    expect(first.some(({ what }) => what.includes('half migrated'))).toBe(true);
    expect(first.some(({ command }) => command?.startsWith('npx tas rollback'))).toBe(true);
  });

  it('is the same in a terminal, where a command stands as it is typed', () => {
    const runbook = desk().of(sampleRun({ plan, status: 'running', backupId: 'backup-1' }));
    const text = messageText(runbookMessage(runbook, null));
    for (const { command } of runbook.parts.flatMap(({ lines }) => lines)) {
      if (command !== null) expect(text).toContain(`\n${command}\n`);
    }
    expect(text).toContain('https://wiki.example.com/dba%7C%3Cx%3E');
    expect(messageText(runbookNote(runbook))).toContain(`npx tas runbook ${runbook.runId}`);
  });

  it('is read by any role, and by nobody without one', () => {
    const run = sampleRun({ plan });
    expect(desk().read(run, person)).toMatchObject({ runId: run.id });
    expect(desk().read(run, { ...person, roles: [] })).toMatchObject({ kind: 'refused', code: 'not-allowed' });
  });

  it('is there even where the environment is no longer configured', () => {
    const gone = createRunbooks({ environments: new Map(), bot: null, links: new Map() }).of(sampleRun({ plan }));
    expect(gone.parts.map(({ title }) => title)).toContain('Never');
  });
});
