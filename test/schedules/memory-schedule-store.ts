import type { Editor, Firing, Schedule, ScheduleStore } from '../../src/schedules/schedule.ts';

type Mutable = { -readonly [key in keyof Firing]: Firing[key] } & {
  claimedAt: number;
  reported: boolean;
  runBy: Editor | null;
};

/** What the database does, in memory; any number of replicas may share it. */
export function memoryScheduleStore(): ScheduleStore {
  const schedules = new Map<string, Schedule>();
  const byHand = new Map<string, Editor>();
  const firings = new Map<string, Map<string, Mutable>>();
  const of = (id: string) => firings.get(id) ?? firings.set(id, new Map()).get(id) ?? new Map<string, Mutable>();
  const last = (id: string) => [...of(id).values()].sort((a, b) => (a.dueAt < b.dueAt ? 1 : -1));
  const stale = (firing: Mutable, now: Date) =>
    firing.outcome === 'claimed' && firing.claimedAt < now.getTime() - 120_000;
  const all = () => [...schedules.values()];
  const pick = (fits: (firing: Mutable) => boolean) =>
    all().flatMap((schedule) =>
      [...of(schedule.id).values()].filter(fits).map((firing) => ({ schedule, dueAt: new Date(firing.dueAt), firing })),
    );
  return {
    list: async (environment) =>
      all()
        .filter((schedule) => environment === null || schedule.environment === environment)
        .map((schedule) => ({ ...schedule, last: last(schedule.id)[0] ?? null })),
    find: async (id) => schedules.get(id) ?? null,
    add: async (schedule) => void schedules.set(schedule.id, schedule),
    async pause(id, by, nextAt) {
      const known = schedules.get(id);
      const paused = by !== null;
      if (known) schedules.set(id, { ...known, paused, pausedBy: by, nextAt: nextAt?.toISOString() ?? null });
      return known !== undefined;
    },
    async runNow(id, by, now) {
      const known = schedules.get(id);
      if (!known || known.paused) return false;
      schedules.set(id, { ...known, nextAt: now.toISOString() });
      byHand.set(id, by);
      return true;
    },
    async configure(wanted) {
      const ids = new Set(wanted.map(({ id }) => id));
      for (const { id, configured } of all()) if (configured !== null && !ids.has(id)) schedules.delete(id);
      for (const schedule of wanted) {
        const { paused, pausedBy, nextAt, ...known } = schedules.get(schedule.id) ?? schedule;
        const same = known.cron === schedule.cron && known.zone === schedule.zone;
        const next = paused ? null : same ? nextAt : schedule.nextAt;
        schedules.set(schedule.id, { ...schedule, paused, pausedBy, nextAt: next });
      }
    },
    runBy: async (id, dueAt) => of(id).get(dueAt.toISOString())?.runBy ?? null,
    remove: async (id) => schedules.delete(id),
    due: async (now) =>
      all().filter(({ paused, nextAt }) => !paused && nextAt !== null && Date.parse(nextAt) <= now.getTime()),
    async claim(id, dueAt, nextAt, now) {
      const key = dueAt.toISOString();
      const known = of(id).get(key);
      const schedule = schedules.get(id);
      if (!schedule) return false;
      if (schedule.nextAt !== null && schedule.nextAt <= key) {
        schedules.set(id, { ...schedule, nextAt: nextAt?.toISOString() ?? null });
      }
      if (known && !stale(known, now)) return false;
      const runBy = known?.runBy ?? byHand.get(id) ?? null;
      byHand.delete(id);
      of(id).set(key, {
        dueAt: key,
        outcome: 'claimed',
        runId: null,
        claimedAt: now.getTime(),
        reported: false,
        runBy,
      });
      return true;
    },
    async settle(id, dueAt, outcome, runId) {
      Object.assign(of(id).get(dueAt.toISOString()) ?? {}, { outcome, runId });
    },
    unsettled: async (now) => pick((firing) => stale(firing, now)),
    lastRun: async (id) => last(id).find(({ runId }) => runId !== null)?.runId ?? null,
    unreported: async () =>
      pick(({ outcome, reported }) => outcome === 'asked' && !reported).map((one) => ({
        ...one,
        runId: one.firing.runId ?? '',
      })),
    async markReported(id, dueAt) {
      const known = of(id).get(dueAt.toISOString());
      if (!known || known.reported) return false;
      known.reported = true;
      return true;
    },
  };
}
