import { shareNext } from '../../src/slack/share-next.ts';

describe('shared work', () => {
  it('answers each with what was begun after they asked, and is never done twice at once', async () => {
    const ends: (() => void)[] = [];
    let begun = 0;
    const ask = shareNext(async () => {
      begun += 1;
      const mine = begun;
      await new Promise<void>((resolve) => ends.push(resolve));
      return mine;
    });
    const first = ask('a');
    const others = Promise.all([ask('a'), ask('a'), ask('a')]);
    expect(begun).toBe(1);
    ends[0]?.();
    expect(await first).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    const late = ask('a');
    expect(begun).toBe(2);
    ends[1]?.();
    expect(await others).toEqual([2, 2, 2]);
    await new Promise((resolve) => setImmediate(resolve));
    ends[2]?.();
    expect(await late).toBe(3);
  });

  it('that fails is tried anew by the next who asks', async () => {
    let tries = 0;
    const ask = shareNext(async () => {
      tries += 1;
      if (tries === 1) throw new Error('away');
      return tries;
    });
    const [failed, next] = await Promise.allSettled([ask('a'), ask('a')]);
    expect(failed).toMatchObject({ status: 'rejected' });
    expect(next).toEqual({ status: 'fulfilled', value: 2 });
    expect(await ask('a')).toBe(3);
  });
});
