import { placeWithin, replaysOf, sayReplay, type Target } from '../../../src/systems/kafka/replay.ts';

const target = (partition: number, offset: bigint): Target => ({ group: 'g', topic: 't', partition, offset });

describe('what writing positions replays, skips or loses', () => {
  const ends = (_topic: string, partition: number) =>
    [
      { low: 0n, high: 100n },
      { low: 40n, high: 100n },
    ][partition] ?? null;
  const replay = (targets: readonly Target[], now: readonly (bigint | null)[]) =>
    replaysOf(targets, (_group, _topic, partition) => now[partition] ?? null, ends);

  it('is nothing where a group stands already', () => {
    const [same] = replay([target(0, 70n)], [70n]);
    expect(same).toMatchObject({ again: 0, skipped: 0, lost: 0, moved: 0 });
    expect(same && sayReplay(same, 'c')).toEqual([]);
  });

  it('is read again from the saved position to the one of now', () => {
    expect(replay([target(0, 30n)], [70n])).toMatchObject([{ again: 40, skipped: 0, lost: 0 }]);
  });

  it('is skipped where the saved position lies ahead', () => {
    expect(replay([target(0, 90n)], [70n])).toMatchObject([{ again: 0, skipped: 20, lost: 0 }]);
  });

  it('is lost below the first message that is still there, and only the rest is read again', () => {
    expect(replay([target(1, 10n)], [null, 70n])).toMatchObject([{ again: 30, skipped: 0, lost: 30 }]);
  });

  it('moves to the end where the topic ends earlier or the partition is gone', () => {
    expect(replay([target(0, 500n), target(7, 3n)], [100n])).toMatchObject([{ again: 0, skipped: 0, moved: 2 }]);
  });

  it('replays nothing for a group that stands nowhere', () => {
    expect(replay([target(0, 30n)], [null])).toMatchObject([{ again: 0, skipped: 0, lost: 0 }]);
  });

  it('is told by group and topic, in one sentence with every number', () => {
    const [sum, ...rest] = replay([target(0, 30n), target(1, 10n)], [70n, 50n]);
    expect(rest).toEqual([]);
    const [finding] = sum ? sayReplay(sum, 'kafka-replay') : [];
    expect(finding).toMatchObject({ check: 'kafka-replay', status: 'warning', count: 80 });
    expect(finding?.title).toBe(
      'g on t: 50 messages are read again; 30 messages are there no more and cannot be read again',
    );
  });

  it.each([
    [5n, 40n],
    [40n, 40n],
    [77n, 77n],
    [100n, 100n],
    [101n, 100n],
  ])('puts %d to %d in a partition from 40 to 100', (offset, place) => {
    expect(placeWithin(offset, { low: 40n, high: 100n })).toBe(place);
  });

  it('puts everything to the beginning of a partition that is not there', () => {
    expect(placeWithin(9n, null)).toBe(0n);
  });
});
