import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { type App, openApp } from '../../src/app.ts';
import { configSchema } from '../../src/config/config.ts';
import type { WindowReply } from '../../src/maintenance/maintenance-desk.ts';
import { carryOut } from '../../src/runs/carry-out.ts';
import type { Run } from '../../src/runs/run.ts';
import { alice, bob } from '../fake-door.ts';
import { liveEndpoints } from '../live-stores.ts';
import { RememberedSteps } from '../runs/remembered-steps.ts';
import { type BotDatabase, createBotDatabase } from '../storage/fresh-bot-database.ts';
import { type ScratchNamespace, scratchNamespace } from '../systems/kubernetes/scratch-namespace.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
let scratch: ScratchNamespace;
let folder: string;
let app: App;

const variables = { MODE_DATABASE: '', MODE_KEY: randomBytes(32).toString('base64'), MODE_OTHER: 'x' };

beforeAll(async () => {
  bot = await createBotDatabase();
  scratch = await scratchNamespace();
  await scratch.make(`/api/v1/namespaces/${scratch.name}/configmaps`, { metadata: { name: 'banner' } });
  folder = await mkdtemp(join(tmpdir(), 'tas-mode-'));
  Object.assign(process.env, variables, { MODE_DATABASE: bot.url.reveal() });
  const cluster = {
    type: 'kubernetes',
    kubeconfig: liveEndpoints().kubernetes.kubeconfig,
    namespaces: [scratch.name],
    home: scratch.home,
    maintenance: { namespace: scratch.name, configMap: 'banner' },
  };
  app = await openApp(
    configSchema.parse({
      bot: { database: 'env:MODE_DATABASE', key: 'env:MODE_KEY', backups: folder, packs: [], logLevel: 'silent' },
      slack: { mode: 'http', botToken: 'env:MODE_OTHER', signingSecret: 'env:MODE_OTHER' },
      people: {},
      environments: { sandbox: { production: false, channel: 'tas-platform', systems: { cluster } } },
      maintenance: { sandbox: { channels: ['users'], mode: 'cluster' } },
    }),
  );
});
afterAll(async () => {
  await app.close();
  await scratch.close();
  await bot.drop();
  await rm(folder, { recursive: true, force: true });
  for (const name of Object.keys(variables)) delete process.env[name];
});

const banner = async () => (await scratch.read(`/api/v1/namespaces/${scratch.name}/configmaps/banner`)).data;
const told = async () =>
  (await bot.sql('select once from tas.notice order by id')).map(({ once }) => String(once).split(':')[2]);
const enqueued = async (id: string) =>
  (await bot.sql('select from dbos.workflow_status where workflow_uuid = $1', [id])).length > 0;
const inOne = (id: string) => carryOut(app.engine, id, 1, new RememberedSteps().execution());

/** The run of maintenance mode that waits for votes. */
async function planned(): Promise<Run> {
  const runs = (await app.door.runs({ environment: 'sandbox', limit: 10 }, alice)) as readonly Run[];
  const run = runs.find(({ status }) => status === 'planned');
  if (!run) throw new Error('no run waits for votes');
  return run;
}

it('a window turns the banner on and off through the door, with votes, and only then says that it is over', async () => {
  const { desks, door, maintenance } = app;
  const made = await desks.maintenance.schedule({
    environment: 'sandbox',
    from: null,
    length: '30m',
    zone: 'Europe/Berlin',
    migration: null,
    reason: 'the disk is full',
    person: alice,
  });
  const { window } = made as WindowReply;
  await maintenance.tick();
  await maintenance.tick();
  const on = await planned();
  expect(on).toMatchObject({ plan: { action: 'maintenance', subject: `on ${window.id}`, window: { id: window.id } } });
  expect(on.requester.id).toBe(alice.id);
  expect(await banner()).toBeUndefined();

  const own = { ...alice, roles: ['operator', 'approver'] as const };
  expect(await door.vote({ runId: on.id, digest: null, person: own, choice: 'approve', reason: null })).toMatchObject({
    kind: 'refused',
    code: 'not-allowed',
  });
  await door.vote({ runId: on.id, digest: null, person: bob, choice: 'approve', reason: null });
  expect(await enqueued(on.id)).toBe(false);
  await maintenance.tick();
  expect(await enqueued(on.id)).toBe(true);
  expect(await inOne(on.id)).toBe('done');
  expect(await banner()).toMatchObject({
    enabled: 'true',
    until: window.to,
    message: expect.stringMatching(/^🛠 Maintenance of sandbox has begun .*Europe\/Berlin.* the disk is full$/),
  });

  await desks.maintenance.end({ id: window.id, environment: null, reason: null, person: alice });
  await maintenance.tick();
  const off = await planned();
  expect(off.plan).toMatchObject({ subject: `off ${window.id}` });
  expect(off.plan.window).toBeUndefined();
  expect(await told()).toEqual(['started']);
  await door.vote({ runId: off.id, digest: null, person: bob, choice: 'approve', reason: null });
  expect(await inOne(off.id)).toBe('done');
  expect(await banner()).toMatchObject({ enabled: 'false', message: '' });
  await maintenance.tick();
  expect(await told()).toEqual(['started', 'ended']);
});
