import { z } from 'zod';
import type { BackupView, EndedHold } from '../runs/door.ts';
import { sayBytes } from '../shared/bytes-text.ts';
import type { Clock } from '../shared/clock.ts';
import { sayDuration } from '../shared/duration.ts';
import { Failure } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';
import { defineStepKind, readingPreview, type StepKind, type System } from '../systems/system.ts';
import { judgeCertificates } from './certificates.ts';
import { readClocks } from './clocks.ts';
import type { SelfLook } from './self-look.ts';

interface Deps {
  readonly systems: ReadonlyMap<string, System>;
  /** What the bot's own database knows of the environment, and how the database itself is. */
  readonly look: () => Promise<SelfLook>;
  /** What Slack says against the bot's token; null = it takes it. */
  readonly slack: () => Promise<string | null>;
  /** Bytes, where backups lie; `lastSet` null = there is none. */
  readonly room: () => Promise<{ readonly free: number; readonly lastSet: number | null }>;
  readonly newestBackup: () => Promise<Pick<BackupView, 'id' | 'createdAt'> | null>;
  /** Milliseconds; null = not asked for. */
  readonly backupWithin: number | null;
  readonly endedHolds: () => Promise<readonly EndedHold[]>;
  /** When certificates of systems end, by system. */
  readonly certificates: () => Promise<ReadonlyMap<string, Date>>;
  readonly clock: Clock;
}

/** Milliseconds: how far clocks may be apart, and from when on that is wrong. */
const [skewed, wrong] = [5_000, 60_000];
const slowDatabase = 1_000;
/** Bytes that the bot's own database needs to live on. */
const littleDisk = 1_000_000_000;

type Look = (deps: Deps) => Promise<readonly Finding[]>;

/** Looks at the bot itself. One part that cannot be looked at is a finding of its own, and hides no other. */
export function createSelfCheckKind(deps: Deps): StepKind {
  return defineStepKind({
    name: 'bot.self-check',
    effect: 'reads',
    input: z.strictObject({}),
    describe: () => 'look at the bot itself',
    preview: async () => readingPreview,
    performBatch: async () => ({ cursor: null, done: 0 }),
    verify: () => selfCheck(deps),
  });
}

async function selfCheck(deps: Deps): Promise<readonly Finding[]> {
  const found = await Promise.all(Object.entries(looks).map(([name, look]) => guarded(name, () => look(deps))));
  return found.flat();
}

const looks: Readonly<Record<string, Look>> = {
  'bot-memory': async ({ look }) => judgeMemory(await look()),
  'slack-token': async ({ slack }) => {
    const against = await slack();
    return [
      against === null
        ? passed('slack-token', 'Slack takes the bot’s token')
        : failed(
            'slack-token',
            `Slack does not take the bot’s token: ${against}`,
            'Give it a new one in the configuration.',
          ),
    ];
  },
  'backups-room': async ({ room }) => judgeRoom(await room()),
  'newest-backup': async ({ newestBackup, backupWithin, clock }) => {
    return backupWithin === null ? [] : judgeBackup(await newestBackup(), backupWithin, clock.now());
  },
  'ended-holds': async ({ endedHolds }) => judgeHolds(await endedHolds()),
  certificates: async ({ certificates, clock }) => judgeCertificates(await certificates(), clock.now()),
  clocks: async ({ systems, clock }) => judgeClocks(await readClocks(systems, clock)),
};

/** What is thrown may hold anything: only failures are shown. */
async function guarded(name: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    const why = error instanceof Failure ? error.message : 'it did not answer';
    return [failed(name, `${name} could not be looked at: ${why}`, 'See the bot’s log.')];
  }
}

function judgeMemory(look: SelfLook): Finding[] {
  const { milliseconds, bytes, freeBytes } = look.database;
  const answers = `The bot’s database answers in ${sayDuration(milliseconds)} and holds ${sayBytes(bytes)}`;
  return [
    milliseconds > slowDatabase
      ? { ...warning('bot-database', answers, 'It is slow: see what else its server does.'), count: milliseconds }
      : passed('bot-database', answers),
    ...judgeDisk(freeBytes),
    each(
      'leases',
      'is held by a run that no worker carries out',
      look.leases,
      '`/tas runs` shows it: retry, undo or close it.',
    ),
    each(
      'runs-lost',
      'is carried out by nobody',
      look.lost,
      'It goes on when its worker is up; else `/tas retry` takes it up.',
    ),
    each('runs-queued', 'waits long for a worker', look.queued, 'See whether workers are up.', 'warning'),
    each(
      'notices-untold',
      'could not be told in Slack',
      look.untold,
      'See whether Slack answers and the channel is there.',
    ),
    each(
      'notices-refused',
      'was refused by Slack since yesterday',
      look.refused,
      'See whether the bot is in the channel.',
      'warning',
    ),
    each('pages-undelivered', 'was not delivered to whoever is on call', look.pages, 'See whether PagerDuty answers.'),
  ];
}

function judgeDisk(free: number | null): Finding[] {
  if (free === null) return [];
  const title = `${sayBytes(free)} are free for the bot’s database`;
  if (free >= littleDisk) return [passed('bot-database-disk', title)];
  return [failed('bot-database-disk', title, 'Make room: without it no run can go on.')];
}

function judgeRoom({ free, lastSet }: { free: number; lastSet: number | null }): Finding[] {
  const title = `${sayBytes(free)} are free for backups${lastSet === null ? '' : `; the last set took ${sayBytes(lastSet)}`}`;
  if (lastSet === null || free >= 2 * lastSet) return [passed('backups-room', title)];
  return [
    failed('backups-room', title, 'Make room: less than twice of it stops the next backup, and every run behind it.'),
  ];
}

function judgeBackup(newest: Pick<BackupView, 'id' | 'createdAt'> | null, within: number, now: Date): Finding[] {
  const age = newest === null ? null : now.getTime() - Date.parse(newest.createdAt);
  if (age !== null && age <= within)
    return [passed('newest-backup', `The newest backup set is ${sayDuration(age)} old`)];
  const what = age === null ? 'There is no backup set' : `The newest backup set is ${sayDuration(age)} old`;
  return [failed('newest-backup', `${what}; it may be ${sayDuration(within)}`, '`/tas backup` makes one.')];
}

function judgeHolds(ended: readonly EndedHold[]): Finding[] {
  const names = ended.map(({ runId, since }) => `${runId}, since ${since.slice(0, 10)}`);
  return [
    each(
      'ended-holds',
      'keeps something aside though its hold is over',
      names,
      '`/tas release` gives it up.',
      'warning',
    ),
  ];
}

function judgeClocks(clocks: ReadonlyMap<string, number>): Finding[] {
  const off = [...clocks].filter(([, skew]) => Math.abs(skew) > skewed);
  if (off.length === 0)
    return clocks.size === 0 ? [] : [passed('clocks', `The clocks of ${clocks.size} stores agree with the bot’s`)];
  const status = off.some(([, skew]) => Math.abs(skew) > wrong) ? 'failed' : 'warning';
  const samples = off.map(
    ([system, skew]) => `${system} is ${sayDuration(Math.abs(skew))} ${skew > 0 ? 'ahead' : 'behind'}`,
  );
  const title = `${off.length} of ${clocks.size} stores have another time than the bot`;
  return [
    { check: 'clocks', title, status, count: off.length, samples, advice: 'Mend the time service of these machines.' },
  ];
}

/** A finding over things of which there should be none. */
function each(
  check: string,
  what: string,
  names: readonly string[],
  advice: string,
  status: 'failed' | 'warning' = 'failed',
): Finding {
  if (names.length === 0) return passed(check, `Nothing ${what}`);
  // The same title at every count, so that reports know it again.
  return { check, title: `Something ${what}`, status, count: names.length, samples: names.slice(0, 5), advice };
}

function passed(check: string, title: string): Finding {
  return { check, title, status: 'passed', count: 0, samples: [] };
}

function failed(check: string, title: string, advice: string): Finding {
  return { check, title, status: 'failed', count: 1, samples: [], advice };
}

function warning(check: string, title: string, advice: string): Finding {
  return { check, title, status: 'warning', count: 1, samples: [], advice };
}
