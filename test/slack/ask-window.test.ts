import type { PersonInSlack } from '../../sandbox/slack/person.ts';
import { renderView } from '../../sandbox/slack/render.ts';
import type { OpenView } from '../../sandbox/slack/views.ts';
import type { Window } from '../../src/maintenance/window.ts';
import { Failure } from '../../src/shared/failure.ts';
import { samplePlan, sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;
let alice: PersonInSlack;

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
  alice = setup.slack.as('alice');
});
afterEach(() => setup.stop());

/** What the bot has written to them directly. */
const told = (person: PersonInSlack) => person.sees(person.id);
const top = (person: PersonInSlack): OpenView | undefined => person.views().at(-1);
const shown = (person: PersonInSlack): string => {
  const view = top(person);
  return view === undefined ? '' : renderView(view);
};

async function opened(person = alice): Promise<OpenView> {
  await person.command('/tas migrate');
  return setup.slack.waitFor('the window', () => top(person) ?? null);
}

async function chosen(environment = 'sandbox', person = alice): Promise<OpenView> {
  const view = await opened(person);
  await person.suggest(view, 'choose-migration', 'space');
  const { hash } = view;
  await person.select(view, 'choose-environment', environment);
  await until(() => top(person)?.hash !== hash);
  await person.select(top(person) as OpenView, 'choose-migration', 'space-isolation');
  return view;
}

const previewed = () =>
  setup.slack.waitFor('the preview', () => (shown(alice).includes('Plan:') ? shown(alice) : null));

it('opens by the command without a migration, and by the shortcut', async () => {
  expect(renderView(await opened())).toMatch(/Ask TAS[\s\S]*Environment[\s\S]*Migration[\s\S]*Why/);
  await setup.slack.as('erin').shortcut('tas-ask');
  await setup.slack.waitFor('the window', () => top(setup.slack.as('erin')) ?? null);
});

it('chooses no environment by itself, and says which are production', async () => {
  const view = await opened();
  const text = JSON.stringify(view.view);
  expect(text).toContain('production (production)');
  const environment = view.view.blocks.find((block) => block.block_id === 'environment');
  expect(environment?.element).not.toHaveProperty('initial_option');
  await expect(alice.submit(view, { 'type-reason': 'because' })).rejects.toThrow(/Environment/);
});

it('offers migrations while somebody types, whatever their names hold', async () => {
  setup.door.migrationList = [
    { id: 'space-isolation', title: '<!channel> *A tenant* for each user', description: '' },
    { id: 'embedding-model', title: 'x'.repeat(3000), description: '' },
    { id: 'y'.repeat(3000), title: 'too long to be chosen', description: '' },
    ...Array.from({ length: 200 }, (_, place) => ({ id: `more-${place}`, title: 'of space', description: '' })),
  ];
  const view = await opened();
  const [all] = (await alice.suggest(view, 'choose-migration', '')).groups;
  expect(all?.options).toHaveLength(100);
  const found = await alice.suggest(view, 'choose-migration', 'SPACE');
  expect(found.trouble).toBe(false);
  expect(found.groups[0]?.options[0]).toMatchObject({ value: 'space-isolation' });
  expect((await alice.suggest(view, 'choose-migration', 'no such thing')).groups[0]?.options ?? []).toEqual([]);
});

it('shows what it would do as soon as both are chosen, with nothing stored', async () => {
  await chosen();
  expect(await previewed()).toMatch(/SANDBOX · space-isolation[\s\S]*Asked for now it needs 1 vote/);
  expect(setup.door.plansAsked).toMatchObject([{ environment: 'sandbox', subject: 'space-isolation' }]);
  expect(setup.door.asked).toEqual([]);
});

it('says why it would be refused', async () => {
  setup.door.nextPreview = {
    kind: 'refused',
    code: 'unreachable',
    message: '`graph` does not answer.',
    advice: 'Look at it.',
    findings: [],
  };
  await chosen();
  await until(() => shown(alice).includes('does not answer'));
});

it('shows the last choice last, though an earlier one is answered later', async () => {
  let release: () => void = () => undefined;
  setup.door.slow = new Promise((resolve) => {
    release = resolve;
  });
  await chosen('sandbox');
  await until(() => setup.door.plansAsked.length === 1);
  setup.door.slow = Promise.resolve();
  setup.door.nextPreview = {
    plan: samplePlan({ environment: 'production' }),
    votesNeeded: 2,
    refused: false,
  };
  await alice.select(top(alice) as OpenView, 'choose-environment', 'production');
  await until(() => shown(alice).includes('PRODUCTION'));
  release();
  await alice.command('/tas help');
  await until(() => alice.ephemerals().length > 0);
  expect(shown(alice)).toContain('PRODUCTION');
  expect(shown(alice)).not.toContain('SANDBOX ·');
});

it('shows the last choice, though an earlier one has to wait before it is looked up at all', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = 0;
  const unused = async (): Promise<never> => {
    throw new Error('not in this test');
  };
  const list = async () => {
    asked += 1;
    if (asked === 2) await held;
    return [];
  };
  setup.desks = { maintenance: { schedule: unused, start: unused, end: unused, cancel: unused, list } };
  await setup.front.stop();
  await setup.restart();
  await chosen('sandbox');
  await until(() => asked === 2);
  await alice.select(top(alice) as OpenView, 'choose-environment', 'production');
  await until(() => shown(alice).includes('PRODUCTION'));
  release();
  await alice.command('/tas help');
  await until(() => alice.ephemerals().length > 0);
  expect(setup.door.plansAsked.map(({ environment }) => environment)).toEqual(['production']);
  expect(shown(alice)).toContain('PRODUCTION');
});

it('asks as the command does, and tells the person who asked', async () => {
  const view = await chosen();
  await previewed();
  const outcome = await alice.submit(top(alice) ?? view, { 'type-reason': ' a "quoted" reason ' });
  expect(outcome).toMatchObject({ errors: null, trouble: false, now: null });
  await until(() => setup.door.asked.length === 1);
  expect(setup.door.asked).toMatchObject([
    {
      action: 'migrate',
      environment: 'sandbox',
      subject: 'space-isolation',
      reason: 'a "quoted" reason',
      person: { id: 'U0ALICE00', roles: ['operator'] },
      canary: null,
      window: null,
    },
  ]);
  await until(() => told(alice).some(({ text }) => /space-isolation/.test(text)));
});

it('asks once for a window that is submitted twice', async () => {
  const view = await chosen();
  await previewed();
  const open = top(alice) ?? view;
  const outcomes = await Promise.all([alice.submit(open, {}), alice.submit(open, {})]);
  expect(outcomes.map(({ status }) => status)).toEqual([200, 200]);
  await until(() => told(alice).length > 0);
  await alice.command('/tas help');
  await until(() => alice.ephemerals().length > 0);
  expect(setup.door.asked).toHaveLength(1);
});

it('says at the field what is wrong, and keeps the window', async () => {
  const view = await chosen();
  await previewed();
  const outcome = await alice.submit(top(alice) ?? view, { 'type-canary': "' OR 1=1" });
  expect(outcome.errors).toEqual({ canary: 'One id: at most 80 letters, digits, dashes and underscores.' });
  expect(outcome.now).not.toBeNull();
  expect(setup.door.asked).toEqual([]);
});

it('goes through the gates of the command: a viewer is told who may ask', async () => {
  const carol = setup.slack.as('carol');
  const view = await chosen('sandbox', carol);
  await carol.submit(top(carol) ?? view, {});
  await until(() => told(carol).some(({ text }) => /may not ask/.test(text)));
  expect(setup.door.asked).toEqual([]);
});

it('offers the windows of the environment in which the migration can start', async () => {
  const windowOf = (over: Partial<Window>): Window => ({
    id: 'win-00000001',
    environment: 'sandbox',
    from: '2026-11-24T02:00:00.000Z',
    to: '2026-11-24T04:00:00.000Z',
    zone: 'UTC',
    reason: 'a new data model',
    migration: null,
    state: 'scheduled',
    createdBy: { id: 'U0ALICE00', name: 'alice' },
    createdAt: '2026-11-23T00:00:00.000Z',
    startedAt: null,
    endedAt: null,
    remark: null,
    ...over,
  });
  const windows = [
    windowOf({}),
    windowOf({ id: 'win-00000002', migration: 'another' }),
    windowOf({ id: 'win-00000003', state: 'ended' }),
  ];
  const unused = async () => {
    throw new Failure({ code: 'wrong-use', message: 'not in this test', advice: '' });
  };
  const maintenance = { schedule: unused, start: unused, end: unused, cancel: unused, list: async () => windows };
  setup.desks = { maintenance };
  await setup.front.stop();
  await setup.restart();
  const view = await chosen();
  await previewed();
  expect(JSON.stringify(top(alice)?.view)).toContain('2026-11-24 02:00 UTC – 2026-11-24 04:00 UTC (win-00000001)');
  expect(JSON.stringify(top(alice)?.view)).not.toMatch(/win-0000000[23]/);
  await alice.select(top(alice) ?? view, 'choose-window', 'win-00000001');
  await until(() => setup.door.plansAsked.at(-1)?.window === 'win-00000001');
  await alice.submit(top(alice) ?? view, {});
  await until(() => setup.door.asked[0]?.window === 'win-00000001');
});

it('asks for a validation with an environment alone', async () => {
  const view = await opened();
  await alice.select(view, 'choose-action', 'validate');
  await until(() => !shown(alice).includes('Migration'));
  await alice.submit(top(alice) as OpenView, { 'choose-environment': 'sandbox' });
  await until(() => setup.door.asked[0]?.action === 'validate');
});

it('shows the run of a message by its shortcut, and says so where there is none', async () => {
  setup.door.add(sampleRun({}));
  const card = await setup.slack.waitFor('the card', () => setup.slack.messages('tas-platform')[0]);
  await alice.shortcut('tas-show-run', card);
  await until(() => /Steps/.test(shown(alice)));
  const bob = setup.slack.as('bob');
  const { message: said } = await bob.say('run-0000000001 looks odd');
  await bob.shortcut('tas-show-run', said);
  await until(() => JSON.stringify(told(bob)).includes('about no run'));
});
