import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startBotSession } from '../../sandbox/bot-session.ts';
import type { Endpoints } from '../../sandbox/servers/endpoints.ts';
import { chooseFreePort } from '../../sandbox/servers/ports.ts';
import { type Latencies, measureLatencies } from '../../sandbox/slack/latencies.ts';
import { bot, groups } from '../../sandbox/slack/people.ts';
import { renderMessage } from '../../sandbox/slack/render.ts';
import { type Message, type SimulatedSlack, startSlack } from '../../sandbox/slack/slack.ts';
import { lineTable } from '../tables.ts';

const persons = 50;
const acts = 20;
const aim = 300;
const channel = 'tas-platform';
const patience = 10 * 60_000;
const commands = ['/tas help', '/tas runs env:sandbox', '/tas status env:sandbox'];
const preload = `--import ${new URL('loop-delay.ts', import.meta.url).href}`;

interface Rush {
  readonly latencies: Latencies;
  /** How long the process's event loop stood still, as text. */
  readonly loop: string;
  readonly refused: number;
}

/** Fifty people click and give commands at once, each goes on as soon as it was acknowledged. */
async function rush(slack: SimulatedSlack, card: Message, loopPath: string): Promise<Rush> {
  const from = slack.acknowledgements.length;
  const crowd = slack.crowd(persons);
  for (const { id } of [groups.viewers, groups.operators])
    slack.setMembers(id, ['U0ALICE00', ...crowd.map((one) => one.id)]);
  await Promise.all(
    crowd.map(async (person, index) => {
      for (let place = 0; place < acts; place += 1) {
        const clicks = (place + index) % 4 === 0;
        if (clicks) await person.click(card, 'Details');
        else await person.command(commands[(place + index) % commands.length] ?? '');
      }
    }),
  );
  await pause(600);
  const loop = JSON.parse(await readFile(loopPath, 'utf8')) as { p50: number; p99: number; most: number };
  return {
    latencies: measureLatencies(slack.acknowledgements.slice(from)),
    loop: `event loop late by ${loop.p50} ms (p50), ${loop.p99} ms (p99), ${loop.most} ms (most)`,
    refused: slack.calls.filter(({ answer }) => answer.error === 'ratelimited').length,
  };
}

/** Both rushes go on while the same migration does: first that to the peer, then ours. */
async function duringRun(folder: string, endpoints: Endpoints): Promise<{ ours: Rush; bare: Rush; goesOn: boolean }> {
  const loopPath = join(folder, 'loop-bot.json');
  process.env.TAS_BENCH_LOOP = loopPath;
  const before = process.env.NODE_OPTIONS ?? '';
  process.env.NODE_OPTIONS = `${before} ${preload}`;
  const session = await startBotSession(join(folder, 'clicks'), endpoints);
  process.env.NODE_OPTIONS = before;
  const { slack } = session;
  try {
    await slack.as('alice').command('/tas migrate space-isolation env:sandbox');
    const find = (says: RegExp) =>
      slack.messages(channel).find((post) => says.test(renderMessage(post)) || says.test(post.text));
    const card = await slack.waitFor('the approval card', () => find(/Approval wanted/), patience);
    await slack.as('bob').click(card, 'Approve');
    const goesOn = () => /running/.test(card.text);
    await slack.waitFor('the run to go on', () => goesOn() || null, patience);
    const bare = await ofBareBolt(folder, card);
    return { bare, ours: await rush(slack, card, loopPath), goesOn: goesOn() };
  } finally {
    await session.stop();
  }
}

async function ofBareBolt(folder: string, card: Message): Promise<Rush> {
  const loopPath = join(folder, 'loop-bare.json');
  const slack = await startSlack();
  const port = await chooseFreePort([]);
  const peer = fork(
    new URL('bare-bolt.ts', import.meta.url),
    [String(port), slack.signingSecret, slack.botToken, slack.apiUrl],
    {
      env: { ...process.env, TAS_BENCH_LOOP: loopPath },
      execArgv: ['--no-warnings', ...preload.split(' ')],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  try {
    await once(peer, 'message');
    slack.connectApp(`http://127.0.0.1:${port}/slack/events`);
    const { text, blocks } = card;
    const place = slack.workspace.channel(channel)?.id ?? '';
    return await rush(slack, slack.workspace.post({ channel: place, user: bot.userId, text, blocks }), loopPath);
  } finally {
    peer.kill();
    await slack.stop();
  }
}

/** A thousand clicks and commands of fifty people while a migration runs, beside an app that only acknowledges. */
export async function measureClicks(
  folder: string,
  endpoints: Endpoints,
  say: (line: string) => void,
): Promise<string> {
  const { ours, bare, goesOn } = await duringRun(folder, endpoints);
  say(`the bot: ${ours.loop}`);
  if (!goesOn) say('the run had ended before the rush did: take more users');
  const words = ({ latencies: { p50, p99, max, count, failed }, loop }: Rush): string =>
    `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, most ${max.toFixed(0)} ms, ${count} in all, ${failed} too late; ${loop}`;
  const met = goesOn && ours.latencies.failed === 0 && ours.latencies.p99 <= aim;
  return lineTable([
    [
      `${persons * acts} clicks and commands of ${persons} people during a run, acknowledged`,
      words(ours),
      `p99 ≤ ${aim} ms`,
      met,
    ],
    ['the same beside the same run, an app on Bolt that only acknowledges', words(bare), '', null],
    ['p99 of the bot as a ratio of that of bare Bolt', (ours.latencies.p99 / bare.latencies.p99).toFixed(2), '', null],
    ["calls that Slack's rates refused", String(ours.refused), '0', ours.refused === 0],
  ]);
}
