import { createSelfCheckKind } from '../../src/schedules/self-check.ts';
import type { SelfLook } from '../../src/schedules/self-look.ts';
import { Failure } from '../../src/shared/failure.ts';
import type { Finding } from '../../src/systems/finding.ts';
import type { System } from '../../src/systems/system.ts';
import { stepContext } from '../systems/step-contexts.ts';

type Deps = Parameters<typeof createSelfCheckKind>[0];

const now = new Date('2026-11-23T03:00:00Z');
const well: SelfLook = {
  database: { milliseconds: 3, bytes: 12_000_000, freeBytes: 50_000_000_000 },
  leases: [],
  lost: [],
  queued: [],
  untold: [],
  refused: [],
  pages: [],
};
const clockAt = (ahead: number): System =>
  ({ clock: async () => new Date(now.getTime() + ahead) }) as Partial<System> as System;

let deps: Deps;
beforeEach(() => {
  deps = {
    systems: new Map([['graph', clockAt(200)]]),
    look: async () => well,
    slack: async () => null,
    room: async () => ({ free: 10_000_000, lastSet: 1_000_000 }),
    newestBackup: async () => ({ id: 'bak-1', createdAt: '2026-11-22T20:00:00Z' }),
    backupWithin: 26 * 3_600_000,
    endedHolds: async () => [],
    certificates: async () => new Map([['graph', new Date('2027-06-01T00:00:00Z')]]),
    clock: { now: () => now },
  };
});

async function check(over: Partial<Deps> = {}): Promise<readonly Finding[]> {
  return (await createSelfCheckKind({ ...deps, ...over }).verify?.({}, stepContext())) ?? [];
}
const open = async (over: Partial<Deps> = {}) =>
  (await check(over)).filter(({ status }) => status !== 'passed').map(({ check: id, status }) => [id, status]);

it('finds nothing to say against a bot that is well', async () => {
  const findings = await check();
  expect(findings.length).toBeGreaterThanOrEqual(11);
  expect(findings.filter(({ status }) => status !== 'passed')).toEqual([]);
});

it.each<[string, Partial<SelfLook>, [string, string]]>([
  ['a lease that nobody renews', { leases: ['run-1'] }, ['leases', 'failed']],
  ['a run that nobody carries out', { lost: ['run-1'] }, ['runs-lost', 'failed']],
  ['a run that no worker takes', { queued: ['run-1'] }, ['runs-queued', 'warning']],
  ['a notice that Slack did not get', { untold: ['report:run-1'] }, ['notices-untold', 'failed']],
  ['a notice that Slack refused', { refused: ['report:run-1'] }, ['notices-refused', 'warning']],
  ['a page that nobody got', { pages: ['run:run-1'] }, ['pages-undelivered', 'failed']],
  ['a slow database', { database: { ...well.database, milliseconds: 4_000 } }, ['bot-database', 'warning']],
  ['a full disk', { database: { ...well.database, freeBytes: 5_000_000 } }, ['bot-database-disk', 'failed']],
])('finds %s', async (_, wrong, finding) => {
  expect(await open({ look: async () => ({ ...well, ...wrong }) })).toEqual([finding]);
});

it('finds a token that Slack does not take, and little room for backups', async () => {
  expect(await open({ slack: async () => 'token_revoked' })).toEqual([['slack-token', 'failed']]);
  expect(await open({ room: async () => ({ free: 1_999_999, lastSet: 1_000_000 }) })).toEqual([
    ['backups-room', 'failed'],
  ]);
  expect(await open({ room: async () => ({ free: 1, lastSet: null }) })).toEqual([]);
});

it('finds a newest backup that is too old, or missing, where that is asked for', async () => {
  const old = { id: 'bak-1', createdAt: '2026-11-20T20:00:00Z' };
  expect(await open({ newestBackup: async () => old })).toEqual([['newest-backup', 'failed']]);
  expect(await open({ newestBackup: async () => null })).toEqual([['newest-backup', 'failed']]);
  expect(await open({ newestBackup: async () => null, backupWithin: null })).toEqual([]);
});

it('finds clocks that are apart, and how far; a store that is down is for others to find', async () => {
  const down = {
    clock: () => Promise.reject(new Failure({ code: 'unreachable', message: 'down', advice: 'Start it.' })),
  } as Partial<System> as System;
  const systems = new Map([
    ['graph', clockAt(-9_000)],
    ['relational', clockAt(1_000)],
    ['objects', down],
    ['cluster', {} as System],
  ]);
  const found = (await check({ systems })).find(({ check: id }) => id === 'clocks');
  expect(found).toMatchObject({ status: 'warning', count: 1, samples: ['graph is 9 s behind'] });
  expect(await open({ systems: new Map([['graph', clockAt(90_000)]]) })).toEqual([['clocks', 'failed']]);
});

it('keeps the same title at every count, so that reports know a finding again', async () => {
  const titles = async (leases: string[]) =>
    (await check({ look: async () => ({ ...well, leases }) })).find(({ check: id }) => id === 'leases')?.title;
  expect(await titles(['run-1'])).toBe(await titles(['run-1', 'run-2', 'run-3']));
});

it('says which part could not be looked at, in no words of what was thrown, and looks at the others', async () => {
  const findings = await check({
    look: () => Promise.reject(new Error('connection to server at "db" failed: password=hunter2')),
    slack: async () => 'invalid_auth',
  });
  expect(findings.filter(({ status }) => status === 'failed').map(({ check: id }) => id)).toEqual([
    'bot-memory',
    'slack-token',
  ]);
  expect(JSON.stringify(findings)).not.toContain('hunter2');
  expect(findings.map(({ check: id }) => id)).toContain('backups-room');
});

it('warns two weeks before a certificate ends, and finds one that has ended', async () => {
  const ends = (graph: string) => async () =>
    new Map([
      ['graph', new Date(graph)],
      ['identity', new Date('2027-06-01T00:00:00Z')],
    ]);
  const of = async (graph: string) =>
    (await check({ certificates: ends(graph) })).find(({ check: id }) => id === 'certificates');
  expect(await of('2026-12-07T03:00:01Z')).toMatchObject({ status: 'passed' });
  expect(await of('2026-12-07T02:59:59Z')).toMatchObject({ status: 'warning', samples: ['graph: ends on 2026-12-07'] });
  expect(await of('2026-11-23T03:00:00Z')).toMatchObject({ status: 'failed', samples: ['graph: ended on 2026-11-23'] });
  expect(await open({ certificates: async () => new Map() })).toEqual([]);
});

it('tells of runs whose hold is over', async () => {
  const endedHolds = async () => [{ runId: 'run-1', title: 'Split', since: '2026-11-01T00:00:00Z' }];
  const found = (await check({ endedHolds })).find(({ check: id }) => id === 'ended-holds');
  expect(found).toMatchObject({ status: 'warning', samples: ['run-1, since 2026-11-01'] });
});
