import type { PersonInSlack } from '../../sandbox/slack/person.ts';
import { renderView } from '../../sandbox/slack/render.ts';
import type { OnCallView } from '../../src/oncall/on-call-desk.ts';
import { Failure } from '../../src/shared/failure.ts';
import { sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
});
afterEach(() => setup.stop());

const shown = (person: PersonInSlack): string => {
  const home = person.home();
  return home === null ? '' : renderView(home);
};
const published = (): number => setup.slack.calls.filter(({ method }) => method === 'views.publish').length;

async function opened(name: 'alice' | 'bob' | 'carol' | 'mallory', says: RegExp): Promise<string> {
  const person = setup.slack.as(name);
  expect((await person.openHome()).status).toBe(200);
  await until(() => says.test(shown(person)));
  return shown(person);
}

it('shows an approver what waits for their vote, with its buttons, and leads to the card', async () => {
  const run = setup.door.add(sampleRun({ requester: { id: 'U0ALICE00', name: 'alice' } }));
  await setup.slack.waitFor('the card', () => setup.slack.messages('tas-platform')[0]);
  const text = await opened('bob', /down: records/);
  expect(text).toMatch(/Waits for your vote[\s\S]*run-01jd0a4ycz[\s\S]*open/);
  const bob = setup.slack.as('bob');
  const home = bob.home();
  if (home === null) throw new Error('no home');
  await bob.click(home, 'Look and vote');
  await until(() => JSON.stringify(bob.sees(bob.id)).includes('Approve'));
  await bob.click(home, 'Details');
  await until(() => bob.views().length === 1);
  expect(run.votes).toEqual([]);
});

it('shows the newest runs that an undo would take back, and to operators the button for it', async () => {
  const done = { status: 'done', startedAt: '2026-11-20T09:58:00.000Z', endedAt: '2026-11-20T10:58:00.000Z' } as const;
  setup.door.add(sampleRun({ ...done, id: 'run-0000000001' }));
  setup.door.add(sampleRun({ ...done, id: 'run-0000000002', undoneBy: 'run-0000000001' }));
  expect(await opened('carol', /down: records/)).toMatch(/Newest that are done[\s\S]*run-0000000001/);
  expect(shown(setup.slack.as('carol'))).not.toMatch(/run-0000000002|Undo/);
  expect(await opened('alice', /down: records/)).toContain('Undo…');
  const alice = setup.slack.as('alice');
  const home = alice.home();
  if (home === null) throw new Error('no home');
  await alice.click(home, 'Undo…');
  await until(() => JSON.stringify(alice.sees(alice.id)).includes('Ways back'));
  expect(setup.door.asked).toEqual([]);
});

it('shows who asked for a run that it is open, and not as waiting for them', async () => {
  setup.door.add(sampleRun({ requester: { id: 'U0BOB0000', name: 'bob' } }));
  const text = await opened('bob', /down: records/);
  expect(text).not.toContain('Waits for your vote');
  expect(text).toMatch(/Open runs[\s\S]*run-01jd0a4ycz/);
});

it('leaves out what somebody voted on already', async () => {
  const vote = { voter: { id: 'U0BOB0000', name: 'bob' }, choice: 'approve', reason: null } as const;
  const run = sampleRun({ requester: { id: 'U0ALICE00', name: 'alice' }, votesNeeded: 2 });
  setup.door.add({ ...run, votes: [{ ...vote, digest: run.digest, at: run.requestedAt }] });
  expect(await opened('bob', /down: records/)).not.toContain('Waits for your vote');
});

it('says how each environment is: versions, proof of backups, the last validation', async () => {
  setup.door.backupList = [
    {
      id: 'bak-1',
      environment: 'sandbox',
      createdAt: '2026-11-20T09:58:00.000Z',
      bytes: 5_000_000,
      systems: ['graph'],
      proven: null,
    },
  ];
  setup.door.add(
    sampleRun({
      id: 'run-00validate',
      status: 'done',
      plan: { ...sampleRun({}).plan, action: 'validate' },
      findings: [{ check: 'a', title: 'A', status: 'failed', count: 3, samples: [] }],
    }),
  );
  const text = await opened('carol', /down: records/);
  expect(text).toMatch(/SANDBOX[\s\S]*bak-1[\s\S]*no set was ever proven[\s\S]*0 passed, 1 failed/);
  expect(text).not.toContain('Ask for a migration');
});

it('tells who is on call, and says so where that is not known', async () => {
  expect(await opened('carol', /down: records/)).toContain('/tas oncall');
  const view = async (): Promise<OnCallView> => ({
    environment: null,
    duties: null,
    note: null,
    contacts: [{ name: 'Dana <!channel>', role: 'database admin' }],
    pages: [],
  });
  setup.desks = { oncall: { view, settle: async () => null } };
  await setup.front.stop();
  await setup.restart();
  expect(await opened('carol', /Dana/)).toMatch(/Dana .*\(database admin\)/);
});

it('shows what the bot knows at once, and a store that does not answer in words', async () => {
  setup.door.status = async () => {
    throw new Failure({ code: 'unreachable', message: 'graph does not answer.', advice: '' });
  };
  const text = await opened('alice', /graph does not answer/);
  expect(text).toContain('Ask for a migration');
  const first = setup.slack.calls.find(({ method }) => method === 'views.publish');
  expect(JSON.stringify(first)).toContain('looking at the stores');
});

it('shows nothing of what is there to somebody without a role', async () => {
  setup.door.add(sampleRun({}));
  const text = await opened('mallory', /no role here/);
  expect(text).not.toMatch(/run-01jd0a4ycz|SANDBOX/);
});

it('is made a few times for somebody who opens it twenty times at once, and looks at the stores once', async () => {
  let looks = 0;
  const status = setup.door.status.bind(setup.door);
  setup.door.status = async (...asked) => {
    looks += 1;
    return status(...asked);
  };
  const carol = setup.slack.as('carol');
  await Promise.all(Array.from({ length: 20 }, () => carol.openHome()));
  await until(() => /down: records/.test(shown(carol)) && published() >= 4);
  await carol.openHome();
  await until(() => published() >= 6);
  // Forty would be two for each time.
  expect(published()).toBeLessThan(30);
  expect(looks).toBe(setup.door.environments.length);
});

it('opens the window for asking from its button', async () => {
  await opened('alice', /down: records/);
  const alice = setup.slack.as('alice');
  const home = alice.home();
  if (home === null) throw new Error('no home');
  await alice.click(home, 'Ask for a migration…');
  await until(() => alice.views().length === 1 && renderView(alice.views()[0] as never).includes('Migration'));
});
