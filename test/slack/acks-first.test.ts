import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { createAcksFirst } from '../../src/slack/acks-first.ts';

const never = (): Promise<void> => new Promise(() => undefined);

it('begins nothing while requests go on coming in, and then keeps the order', async () => {
  const acksFirst = createAcksFirst();
  const begun: number[] = [];
  const asked: Promise<void>[] = [];
  for (let place = 0; place < 20; place += 1) {
    asked.push(acksFirst('command', async () => void begun.push(place)));
    // Each is sent as soon as the one before was acknowledged: many turns of the event loop later.
    await pause(3);
    for (let turns = 0; turns < 10; turns += 1) await turn();
  }
  expect(begun).toEqual([]);
  await Promise.all(asked);
  expect(begun).toEqual(Array.from({ length: 20 }, (_, place) => place));
});

it('begins clicks before commands, since a window can be opened for a few seconds only', async () => {
  const acksFirst = createAcksFirst();
  const begun: string[] = [];
  const note = (word: string) => async () => void begun.push(word);
  await Promise.all([
    acksFirst('command', note('first command')),
    acksFirst('command', note('second command')),
    acksFirst('click', note('click')),
  ]);
  expect(begun).toEqual(['click', 'first command', 'second command']);
});

it('begins work in the end in a rush that goes on and on', async () => {
  const acksFirst = createAcksFirst();
  let begun = false;
  void acksFirst('command', async () => {
    begun = true;
  });
  const another = async (): Promise<void> => {
    void acksFirst('command', async () => undefined);
    await turn();
  };
  for (let turns = 0; turns < 20; turns += 1) await another();
  expect(begun).toBe(false);
  const { now } = performance;
  const later = jest.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 3_000);
  while (!begun) await another();
  later.mockRestore();
});

it('works on one thing at a time in a rush, and on more when it is over', async () => {
  const acksFirst = createAcksFirst();
  let begun = 0;
  const { now } = performance;
  let ahead = 0;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + ahead);
  const end = Promise.withResolvers<void>();
  const ask = (): void =>
    void acksFirst('click', () => {
      begun += 1;
      return end.promise;
    });
  for (let place = 0; place < 5; place += 1) ask();
  ahead = 1_500;
  while (begun === 0) {
    ask();
    await turn();
  }
  for (let turns = 0; turns < 20; turns += 1) {
    ask();
    await turn();
  }
  expect(begun).toBe(1);
  while (begun < 3) await turn();
  clock.mockRestore();
  end.resolve();
});

it('begins a few at once, and others beside those that wait for something else', async () => {
  const acksFirst = createAcksFirst();
  let begun = 0;
  for (let place = 0; place < 10; place += 1) {
    void acksFirst('command', () => {
      begun += 1;
      return never();
    });
  }
  while (begun === 0) await turn();
  for (let turns = 0; turns < 50; turns += 1) await turn();
  const atOnce = begun;
  expect(atOnce).toBeLessThan(10);
  while (begun < 10) await pause(10);
});
