import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type BotSession, startBotSession } from '../bot-session.ts';
import { showConsole } from '../console/show-console.ts';
import { seed } from '../seed/seed.ts';
import { createProgress } from '../servers/progress.ts';
import { bringUp, takeDown } from '../servers/sandbox.ts';
import { defaultFolder } from '../servers/state.ts';
import { openStores } from './stores.ts';
import { playStory } from './story.ts';
import { startTranscript } from './transcript.ts';

const readme = resolve(import.meta.dirname, '../../README.md');
const [opening, closing] = ['<!-- the demo writes this part -->', '<!-- until here -->'];

/** Brings everything up, plays the story, checks its claims; exit status 1 when one does not hold. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { keep: { type: 'boolean', default: false }, record: { type: 'boolean', default: false } },
  });
  // Beside the developer's own sandbox, never in it: the demo empties the stores it plays on.
  const folder = join(dirname(defaultFolder()), '.sandbox-demo');
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const started = Date.now();
  say('Bringing real Neo4j, PostgreSQL and MinIO servers up on this machine …');
  const progress = createProgress(process.stdout);
  const endpoints = await bringUp({ folder, progress });
  progress.stop();
  const filled = await seed(endpoints, { kind: 'demo' });
  say(`The stores hold the demo's data: ${JSON.stringify(filled)}`);
  const session = await startBotSession(folder, endpoints);
  const stores = openStores(endpoints);
  const transcript = startTranscript(session.slack, 'tas-platform', say);
  say(`The bot is up (${Math.round((Date.now() - started) / 1000)} s). What follows happens in #tas-platform.`);
  let broken = 1;
  try {
    broken = await playStory({ slack: session.slack, stores, transcript });
    say('');
    say(broken === 0 ? 'Every claim held.' : `${broken} claims did not hold.`);
    if (values.record && broken === 0) await record(transcript.lines());
  } finally {
    transcript.stop();
    await stores.close();
    if (values.keep) await keepRunning(session, folder, say);
    await session.stop();
    if (!values.keep) await takeDown(folder);
  }
  say(`Took ${Math.round((Date.now() - started) / 1000)} s.`);
  return broken === 0 ? 0 : 1;
}

async function keepRunning(session: BotSession, folder: string, say: (line: string) => void): Promise<void> {
  say('');
  say('Everything is still running, and so are the stores:');
  say(`  TAS_SANDBOX_DIR=${relative(process.cwd(), folder)} npm run sandbox -- status --json`);
  say('They go, once the bot has ended, with: TAS_SANDBOX_DIR=… npm run sandbox -- down');
  await showConsole(session, { port: 0, say });
}

/** Puts the transcript between its marks in the README. */
async function record(lines: readonly string[]): Promise<void> {
  const text = await readFile(readme, 'utf8');
  const [from, to] = [text.indexOf(opening), text.indexOf(closing)];
  if (from < 0 || to < from) throw new Error('README.md has no marks for the transcript');
  await writeFile(
    readme,
    `${text.slice(0, from)}${opening}\n\n\`\`\`text${lines.join('\n').trimEnd()}\n\`\`\`\n\n${text.slice(to)}`,
  );
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`the demo stopped: ${(error as Error).stack ?? String(error)}\n`);
    process.exit(1);
  },
);
