import { Failure } from '../../src/shared/failure.ts';
import { waitFor } from '../../src/systems/wait-for.ts';

const { signal } = new AbortController();
const tooLong = (waitsFor: string, waited: string) =>
  new Failure({ code: 'step-failed', message: `${waited}: ${waitsFor}`, advice: 'Look at it.' });

describe('a batch that waits', () => {
  it('ends the step as soon as what it waits for is there', async () => {
    let looks = 0;
    const look = async () => (++looks < 3 ? 'two pods' : null);
    expect(await waitFor({ cursor: null }, { withinMs: 60_000, signal, look, tooLong })).toEqual({
      cursor: null,
      done: 0,
    });
    expect(looks).toBe(3);
  });

  it('comes back after a few seconds with what it waits for, so that the run can be paused', async () => {
    const look = async () => 'two pods';
    const result = await waitFor({ cursor: { waitedMs: 55_000 } }, { withinMs: 120_000, signal, look, tooLong });
    expect(result).toMatchObject({ done: 0, note: expect.stringMatching(/^two pods; gives up in (1 min|59 s)$/) });
    expect((result.cursor as { waitedMs: number }).waitedMs).toBeGreaterThanOrEqual(60_000);
  }, 15_000);

  it('looks once more when its time is over already, and fails with what is missing', async () => {
    const wait = { withinMs: 60_000, signal, tooLong };
    const late = { cursor: { waitedMs: 60_000 } };
    expect(await waitFor(late, { ...wait, look: async () => null })).toEqual({ cursor: null, done: 0 });
    await expect(waitFor(late, { ...wait, look: async () => 'two pods' })).rejects.toMatchObject({
      message: '1 min: two pods',
    });
  });

  it('is broken off with the run', async () => {
    const broken = new AbortController();
    const look = async () => {
      broken.abort();
      return 'two pods';
    };
    const wait = { withinMs: 60_000, signal: broken.signal, look, tooLong };
    await expect(waitFor({ cursor: null }, wait)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
