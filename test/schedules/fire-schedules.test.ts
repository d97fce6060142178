import type { NewNotice } from '../../src/notices/notice.ts';
import type { RunRequest, Submission } from '../../src/runs/door.ts';
import type { Run } from '../../src/runs/run.ts';
import type { RunStatus } from '../../src/runs/run-status.ts';
import { fireSchedules } from '../../src/schedules/fire-schedules.ts';
import type { Schedule, ScheduleStore } from '../../src/schedules/schedule.ts';
import { Failure } from '../../src/shared/failure.ts';
import { sampleRun } from '../sample-run.ts';
import { memoryScheduleStore } from './memory-schedule-store.ts';

const nightly: Schedule = {
  id: 'sch-00000001',
  environment: 'staging',
  action: 'validate',
  cron: '0 3 * * *',
  zone: 'UTC',
  quiet: false,
  paused: false,
  pausedBy: null,
  editor: { id: 'UALICE', name: 'alice' },
  editors: ['UALICE'],
  configured: null,
  nextAt: '2026-11-22T03:00:00.000Z',
};

let store: ScheduleStore;
let now: Date;
let asked: RunRequest[];
let told: string[];
let missed: string[];
let reported: string[];
let status: RunStatus;
/** What a replica asked for before it died. */
let left: string | null;
let answer: ((request: RunRequest) => Promise<Submission>) | null;

beforeEach(() => {
  store = memoryScheduleStore();
  now = new Date('2026-11-22T03:00:05Z');
  left = null;
  [asked, told, missed, reported, status, answer] = [[], [], [], [], 'done', null];
});

/** One replica looks. */
function look(): Promise<void> {
  return fireSchedules({
    store,
    door: {
      async submit(request) {
        asked.push(request);
        if (answer) return answer(request);
        return { kind: 'accepted', run: sampleRun({ id: `run-${asked.length}` }), votesNeeded: 0 };
      },
      run: async (id) => sampleRun({ id, status }),
    },
    asked: async () => (left === null ? null : { id: left }),
    notices: {
      add: async (notices: readonly NewNotice[]) =>
        void told.push(...notices.map(({ content }) => (content?.kind === 'line' ? content.text : ''))),
    },
    channelOf: () => 'tas-platform',
    missed: async (_schedule, why) => void missed.push(why),
    report: async (_schedule, run: Run) => void reported.push(run.id),
    clock: { now: () => now },
  });
}

describe('a schedule that is due', () => {
  it('asks once in the name of who edited it, whatever the number of replicas, and not before its next time', async () => {
    await store.add(nightly, now);
    await Promise.all([look(), look(), look()]);
    expect(asked).toMatchObject([
      { action: 'validate', environment: 'staging', reason: 'schedule sch-00000001', person: { id: 'UALICE' } },
    ]);
    await look();
    expect(asked).toHaveLength(1);
    now = new Date('2026-11-23T03:00:01Z');
    await look();
    expect(asked).toHaveLength(2);
    expect(told).toEqual([]);
  });

  it('names all who had a say in it, and who asked for it now: none of them may approve what it asks for', async () => {
    await store.add({ ...nightly, editors: ['UCAROL', 'UALICE'] }, now);
    await store.runNow(nightly.id, { id: 'UBOB', name: 'bob' }, now);
    await look();
    expect(asked).toMatchObject([{ person: { id: 'UBOB', name: 'bob' }, alsoAskedBy: ['UALICE', 'UCAROL'] }]);
    now = new Date('2026-11-23T03:00:01Z');
    await look();
    expect(asked[1]).toMatchObject({ person: { id: 'UALICE' }, alsoAskedBy: ['UCAROL'] });
  });

  it('calls nobody where there is nothing to do, and says so unless it is quiet', async () => {
    answer = async () => ({ kind: 'nothing-to-do', title: 'Remove old backup sets', findings: [] });
    await store.add({ ...nightly, action: 'retention' }, now);
    await store.add({ ...nightly, id: 'sch-00000002', action: 'retention', quiet: true }, now);
    await look();
    await look();
    expect(asked).toHaveLength(2);
    expect(told).toEqual([expect.stringMatching(/retention of staging \(sch-00000001\): there is nothing to do/)]);
    expect((await store.list(null)).map(({ last }) => last?.outcome)).toEqual(['skipped', 'skipped']);
    expect(missed).toEqual([]);
  });

  it('calls somebody where a drill is not done: what is not tried is not proven', async () => {
    answer = async () => ({
      kind: 'refused',
      code: 'unknown-backup',
      message: 'No set.',
      advice: 'Make one.',
      findings: [],
    });
    await store.add({ ...nightly, action: 'drill' }, now);
    await look();
    expect(missed).toEqual(['No set. Make one.']);
    // It keeps out of the way of a run: that is said, and wakes nobody.
    now = new Date('2026-11-23T03:00:01Z');
    answer = async () => ({
      kind: 'refused',
      code: 'environment-busy',
      message: 'staging is held.',
      advice: 'Wait.',
      findings: [],
    });
    await look();
    expect(missed).toHaveLength(1);
    expect(told.at(-1)).toContain('staging is held. Wait.');
  });

  it('is not asked for before its time, and not while it is paused', async () => {
    await store.add({ ...nightly, paused: true }, now);
    await look();
    now = new Date('2026-11-22T02:59:59Z');
    await store.pause(nightly.id, null, new Date('2026-11-22T03:00:00Z'));
    await look();
    expect(asked).toEqual([]);
  });

  it('is caught up once after the bot was away, and that is said', async () => {
    await store.add(nightly, now);
    now = new Date('2026-11-25T10:00:00Z');
    await look();
    await look();
    expect(asked).toHaveLength(1);
    expect(told).toEqual([expect.stringMatching(/3 times before were missed/)]);
    expect((await store.find(nightly.id))?.nextAt).toBe('2026-11-26T03:00:00.000Z');
  });

  it('is left out while the run of the time before goes on, and that is said; a backup that is left out is missed', async () => {
    await store.add({ ...nightly, action: 'backup' }, now);
    status = 'running';
    await look();
    now = new Date('2026-11-23T03:00:01Z');
    await look();
    expect(asked).toHaveLength(1);
    expect(told).toEqual([expect.stringMatching(/was not asked for: run-1 of the time before is still running/)]);
    expect(missed).toEqual([expect.stringMatching(/run-1 of the time before/)]);
  });

  it('says why it was refused', async () => {
    await store.add({ ...nightly, action: 'backup' }, now);
    answer = async () => ({
      kind: 'refused',
      code: 'environment-busy',
      message: 'staging is held.',
      advice: 'Wait.',
      findings: [],
    });
    await look();
    expect(told).toEqual([expect.stringContaining('was not asked for: staging is held. Wait.')]);
    expect(missed).toHaveLength(1);
  });

  it('is asked for by another replica when the one that took it died, after two minutes', async () => {
    await store.add(nightly, now);
    answer = () => Promise.reject(new Error('killed'));
    await expect(look()).rejects.toThrow('killed');
    answer = null;
    await look();
    expect(asked).toHaveLength(1);
    now = new Date('2026-11-22T03:03:00Z');
    await look();
    await look();
    expect(asked).toHaveLength(2);
  });

  it('is not asked for twice when the replica died after it had asked', async () => {
    await store.add(nightly, now);
    answer = () => Promise.reject(new Error('killed'));
    await expect(look()).rejects.toThrow('killed');
    left = 'run-1';
    now = new Date('2026-11-22T03:03:00Z');
    await look();
    expect(asked).toHaveLength(1);
    expect(reported).toEqual(['run-1']);
  });

  it('is said to be refused when a store is down, and calls somebody where it is a backup', async () => {
    await store.add({ ...nightly, action: 'backup' }, now);
    answer = () => Promise.reject(new Failure({ code: 'unreachable', message: 'neo4j is down.', advice: 'Start it.' }));
    await look();
    expect(told).toEqual([expect.stringContaining('was not asked for: neo4j is down. Start it.')]);
    expect(missed).toEqual(['neo4j is down. Start it.']);
  });

  it('does not keep the others waiting when something breaks', async () => {
    await store.add(nightly, now);
    await store.add({ ...nightly, id: 'sch-00000002', environment: 'other' }, now);
    answer = async ({ environment }) => {
      if (environment === 'staging') throw new Error('broken');
      return { kind: 'accepted', run: sampleRun({ id: 'run-2' }), votesNeeded: 0 };
    };
    await expect(look()).rejects.toThrow('broken');
    expect(asked.map(({ environment }) => environment)).toEqual(['staging', 'other']);
    expect(reported).toEqual(['run-2']);
  });

  it('is reported when its run has ended, once', async () => {
    await store.add(nightly, now);
    status = 'running';
    await look();
    await look();
    expect(reported).toEqual([]);
    status = 'done';
    await look();
    await look();
    expect(reported).toEqual(['run-1']);
  });
});
