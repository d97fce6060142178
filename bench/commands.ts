import { setTimeout as pause } from 'node:timers/promises';
import type { PersonName } from '../sandbox/slack/people.ts';
import type { Acknowledgement, SimulatedSlack } from '../sandbox/slack/slack.ts';

const who: readonly PersonName[] = ['alice', 'bob', 'carol', 'dana', 'erin'];
const lines = ['/tas runs env:sandbox', '/tas help', '/tas status env:sandbox'] as const;
/** Milliseconds between two commands: the answers then stay below a hundred a minute. */
const spacing = 700;

/** Several people give commands in turn until `enough`; answers how each was acknowledged. */
export async function giveCommands(
  slack: SimulatedSlack,
  enough: (given: number) => boolean,
): Promise<readonly Acknowledgement[]> {
  const from = slack.acknowledgements.length;
  const given: Promise<unknown>[] = [];
  while (!enough(given.length)) {
    const person = who[given.length % who.length] as PersonName;
    const line = lines[given.length % lines.length] as string;
    given.push(slack.as(person).command(line));
    await pause(spacing);
  }
  await Promise.all(given);
  return slack.acknowledgements
    .slice(from)
    .filter(({ type, what }) => type === 'slash_commands' && lines.some((line) => what === line));
}
