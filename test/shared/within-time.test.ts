import { jest } from '@jest/globals';
import { withinTime } from '../../src/shared/within-time.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const never = new Promise<string>(() => undefined);
const late = () => 'too late';

it('answers what was asked, and leaves no timer behind', async () => {
  expect(await withinTime(Promise.resolve('there'), 1_000, late)).toBe('there');
  expect(jest.getTimerCount()).toBe(0);
});

it('says that it is late when the time is over, and not before', async () => {
  let said: string | null = null;
  void withinTime(never, 1_000, late).then((answer) => {
    said = answer;
  });
  await jest.advanceTimersByTimeAsync(999);
  expect(said).toBeNull();
  await jest.advanceTimersByTimeAsync(1);
  expect(said).toBe('too late');
});

it('fails as what was asked fails, in time', async () => {
  await expect(withinTime(Promise.reject(new Error('gone')), 1_000, late)).rejects.toThrow('gone');
  expect(jest.getTimerCount()).toBe(0);
});

it('fails when being late is a failure', async () => {
  const asked = withinTime(never, 1_000, () => {
    throw new Error('no answer');
  });
  const failed = expect(asked).rejects.toThrow('no answer');
  await jest.advanceTimersByTimeAsync(1_000);
  await failed;
});

it('drops a failure that comes too late', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  const failing = Promise.withResolvers<string>();
  const asked = withinTime(failing.promise, 1_000, late);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await asked).toBe('too late');
  failing.reject(new Error('far too late'));
  await jest.advanceTimersByTimeAsync(1);
  jest.useRealTimers();
  await new Promise(setImmediate);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});
