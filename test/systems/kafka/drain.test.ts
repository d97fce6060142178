import { addLook, judgeWait, type Look, sayStuck, sayWait, type Wait } from '../../../src/systems/kafka/drain.ts';

const limits = { withinMs: 60_000, stillForMs: 5_000, stuckForMs: 20_000 };

function look(messages: number, written = 1_000, withoutConsumers: string[] = []): Look {
  const lags = messages === 0 ? [] : [{ group: 'g', topic: 't', partition: 2, messages }];
  return { lags, written, ends: `${written}`, withoutConsumers };
}

/** One look a second. */
function watch(looks: readonly Look[]): { wait: Wait; last: Look } {
  let wait: Wait | null = null;
  for (const one of looks) wait = addLook(wait, one, 1_000);
  return { wait: wait as Wait, last: looks.at(-1) as Look };
}
const verdict = (looks: readonly Look[]) => {
  const { wait, last } = watch(looks);
  return judgeWait(wait, last, limits);
};
const times = (count: number, one: Look): Look[] => Array<Look>(count).fill(one);

describe('waiting until everything is read', () => {
  it('is over when nothing was left and nobody wrote for long enough', () => {
    expect(verdict(times(5, look(0)))).toBe('wait');
    expect(verdict(times(6, look(0)))).toBe('drained');
  });

  it('begins anew with each message that a producer writes, read at once or not', () => {
    expect(verdict([...times(5, look(0)), look(0, 1_001), ...times(4, look(0, 1_001))])).toBe('wait');
    expect(verdict([...times(5, look(0)), look(1), ...times(5, look(0))])).toBe('wait');
  });

  it('goes on as long as the lag falls', () => {
    expect(verdict(Array.from({ length: 50 }, (_, i) => look(1_000 - i)))).toBe('wait');
  });

  it('is given up when the lag does not fall, or falls and rises again', () => {
    expect(verdict(times(20, look(7)))).toBe('wait');
    expect(verdict(times(21, look(7)))).toBe('stuck');
    expect(verdict([look(5), ...Array.from({ length: 22 }, (_, i) => look(5 + (i % 3)))])).toBe('stuck');
  });

  it('is given up at the limit even where the lag falls', () => {
    expect(verdict(Array.from({ length: 62 }, (_, i) => look(1_000 - i)))).toBe('late');
  });

  it('counts the time in which it looked, and none in which the run stood still', () => {
    const { wait } = watch(times(4, look(0)));
    expect(addLook(wait, look(0), 0)).toMatchObject({ waitedMs: 3_000, stillMs: 3_000 });
  });

  it('says how much is left and for how long at this rate', () => {
    const { wait, last } = watch([look(100), look(80), look(60)]);
    expect(sayWait(wait, last)).toBe('60 messages are left to read, about 3 s left: g t/2: 60');
  });

  it('says no time where nothing is read faster than it is written', () => {
    const { wait, last } = watch([look(100, 1_000), look(110, 1_010), look(120, 1_020)]);
    expect(sayWait(wait, last)).toBe('120 messages are left to read: g t/2: 120');
  });

  it('says group, topic, partition, rates and that nobody reads', () => {
    const { wait, last } = watch([look(100, 1_000, ['g']), look(104, 1_004, ['g'])]);
    expect(sayStuck(wait, last)).toBe(
      'g t/2: 104; 0 messages a second are read and 4 messages a second are written; no consumer runs in g',
    );
  });
});
