import { groups } from '../../sandbox/slack/people.ts';
import type { PersonInSlack } from '../../sandbox/slack/person.ts';
import { renderView } from '../../sandbox/slack/render.ts';
import type { OpenView } from '../../sandbox/slack/views.ts';
import type { Window } from '../../src/maintenance/window.ts';
import type { Run } from '../../src/runs/run.ts';
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

async function opened(person = alice, line = '/tas migrate'): Promise<OpenView> {
  await person.command(line);
  return filled(person);
}

/** The window, as soon as it is more than an hourglass. */
function filled(person: PersonInSlack): Promise<OpenView> {
  return setup.slack.waitFor('the window', () => {
    const view = top(person);
    return view === undefined || shown(person).includes('Looking …') ? null : view;
  });
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
  expect(renderView(await filled(setup.slack.as('erin')))).toContain('Migration');
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

it('tells a viewer who may ask before anything is filled in, and offers what a viewer may ask', async () => {
  const carol = setup.slack.as('carol');
  expect(renderView(await opened(carol))).toMatch(/carol may not ask for .*migrate[\s\S]*operator/);
  expect(top(carol)?.view.submit).toBeUndefined();
  await carol.shortcut('tas-ask');
  const view = await setup.slack.waitFor('the window', () => (top(carol)?.view.submit ? top(carol) : null) ?? null);
  const [what] = view.view.blocks;
  expect(JSON.stringify(what)).toContain('Validate the data');
  expect(JSON.stringify(what)).not.toMatch(/Migrate|Roll a run|backup set/);
});

it('shows somebody without a role a refusal, in every window that can be opened', async () => {
  setup.door.add(sampleRun({}));
  const card = await setup.slack.waitFor('the card', () => setup.slack.messages('tas-platform')[0]);
  const mallory = setup.slack.as('mallory');
  for (const open of [
    () => mallory.command('/tas migrate'),
    () => mallory.command('/tas rollback'),
    () => mallory.shortcut('tas-ask'),
    () => mallory.shortcut('tas-status'),
    () => mallory.shortcut('tas-show-run', card),
  ]) {
    const before = top(mallory)?.id;
    await open();
    await until(() => top(mallory)?.id !== before && shown(mallory).includes('may not use this bot'));
    expect(shown(mallory)).not.toMatch(/sandbox|SANDBOX|Steps|5\.26/);
  }
  expect(setup.door.plansAsked).toEqual([]);
});

it('goes through the gates of the command: who lost the role while choosing asks for nothing', async () => {
  const view = await chosen();
  await previewed();
  setup.slack.setMembers(groups.operators.id, []);
  // What was remembered of the group is gone.
  await setup.front.stop();
  await setup.restart();
  await alice.submit(top(alice) ?? view, {});
  await until(() => told(alice).some(({ text }) => /may not/.test(text)));
  expect(setup.door.asked).toEqual([]);
});

it('refuses a migration that is not there at its field, while the window is open', async () => {
  const view = await chosen();
  await previewed();
  setup.door.migrationList = [{ id: 'embedding-model', title: 'Another', description: '' }];
  const outcome = await alice.submit(top(alice) ?? view, {});
  expect(outcome.errors).toEqual({ migration: 'There is no such migration.' });
  expect(outcome.now).not.toBeNull();
  expect(setup.door.asked).toEqual([]);
});

it('takes a submission in time though migrations cannot be read, and lets the command say so', async () => {
  const view = await chosen();
  await previewed();
  setup.door.migrations = () => new Promise(() => undefined);
  expect((await alice.submit(top(alice) ?? view, {})).trouble).toBe(false);
});

describe('a rollback', () => {
  const done = (over: Partial<Run>): Run =>
    setup.door.add(
      sampleRun({
        status: 'done',
        startedAt: '2026-11-20T09:58:00.000Z',
        endedAt: '2026-11-20T10:58:00.000Z',
        ...over,
      }),
    );

  async function choosing(run: string): Promise<OpenView> {
    const view = await opened(alice, '/tas rollback');
    await alice.select(view, 'choose-environment', 'sandbox');
    await until(() => top(alice)?.view.private_metadata === 'sandbox');
    await alice.suggest(view, 'choose-run', '');
    await alice.select(top(alice) ?? view, 'choose-run', run);
    return view;
  }

  it('offers what may be undone in the chosen environment, newest first', async () => {
    done({ id: 'run-0000000001' });
    done({ id: 'run-0000000002', undoneBy: 'run-0000000004' });
    done({ id: 'run-0000000003', environment: 'production' });
    done({ id: 'run-0000000005', plan: samplePlan({ action: 'validate' }) });
    done({ id: 'run-0000000006', status: 'planned', startedAt: null });
    const view = await opened(alice, '/tas rollback');
    expect((await alice.suggest(view, 'choose-run', '')).groups[0]?.options ?? []).toEqual([]);
    await alice.select(view, 'choose-environment', 'sandbox');
    await until(() => top(alice)?.view.private_metadata === 'sandbox');
    const { groups } = await alice.suggest(view, 'choose-run', '');
    expect(groups[0]?.options.map(({ value }) => value)).toEqual(['run-0000000002', 'run-0000000001']);
    expect(JSON.stringify(groups[0]?.options[0])).toContain('undone by run-0000000004');
  });

  it('shows the ways back, asks as the command does, and once for two submissions', async () => {
    const { id } = done({ id: 'run-0000000001' });
    const view = await choosing(id);
    await until(() => /Ways back from:[\s\S]*Recommended/.test(shown(alice)));
    const open = top(alice) ?? view;
    const values = { 'choose-way': 'undo', 'type-reason': 'wrong tenants' };
    await Promise.all([alice.submit(open, values), alice.submit(open, values)]);
    await until(() => told(alice).length > 0);
    await alice.command('/tas help');
    await until(() => alice.ephemerals().length > 0);
    expect(setup.door.asked).toMatchObject([
      { action: 'rollback', environment: 'sandbox', subject: id, reason: 'wrong tenants' },
    ]);
  });

  it('takes conflicts of a run that was undone', async () => {
    done({ id: 'run-0000000001', undoneBy: 'run-0000000002' });
    setup.door.conflictReport = {
      total: 1,
      conflicts: [
        {
          system: 'graph',
          stepId: 'undo.fill',
          collection: 'User',
          key: 'u-17',
          field: 'tenant_id',
          reason: 'changed-since',
          base: null,
          ours: 'a',
          theirs: 'b',
        },
      ],
    };
    const view = await choosing('run-0000000001');
    await until(() => shown(alice).includes('undid it and kept'));
    const early = await alice.submit(top(alice) ?? view, { 'choose-take': [] }).catch((error: Error) => error.message);
    expect(early).toMatch(/Take all the same/);
    await alice.submit(top(alice) ?? view, { 'choose-take': ['graph:User.tenant_id:u-17'] });
    await until(() => setup.door.asked.length === 1);
    expect(setup.door.asked).toMatchObject([
      {
        action: 'rollback',
        subject: 'run-0000000001',
        takes: [{ system: 'graph', collection: 'User', field: 'tenant_id', key: 'u-17' }],
      },
    ]);
  });

  it('of a run of another environment is refused at its field', async () => {
    const { id } = done({ id: 'run-0000000001' });
    const view = await choosing(id);
    await until(() => shown(alice).includes('Ways back'));
    await alice.select(top(alice) ?? view, 'choose-environment', 'production');
    await until(() => shown(alice).includes('There is no run'));
    const outcome = await alice.submit(top(alice) ?? view, { 'choose-way': 'undo' });
    expect(outcome.errors).toEqual({ run: 'There is no such run in this environment.' });
    expect(setup.door.asked).toEqual([]);
  });
});

it('shows where things stand in every environment, those whose stores do not answer as well', async () => {
  const status = setup.door.status.bind(setup.door);
  setup.door.status = async (environment) => {
    if (environment === 'sandbox') return status(environment);
    throw new Failure({ code: 'unreachable', message: 'graph does not answer.', advice: 'Look at it.' });
  };
  await setup.slack.as('carol').shortcut('tas-status');
  await until(() =>
    /SANDBOX: 1 of 2 systems down[\s\S]*PRODUCTION.*graph does not answer/.test(shown(setup.slack.as('carol'))),
  );
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
  await until(() => shown(bob).includes('about no run'));
});
