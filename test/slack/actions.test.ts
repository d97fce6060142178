import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { anyAction } from '../../blocks/button.ts';
import type { Run } from '../../src/runs/run.ts';
import { buttonActions } from '../../src/slack/outbox.ts';
import { sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack } from './front-on-slack.ts';

const root = resolve(import.meta.dirname, '../..');
const textsOf = (folder: string): string =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, folder, file), 'utf8'))
    .join('\n');
const blocks = textsOf('blocks');
const slack = textsOf('src/slack');

/** The status in which a button stands somewhere. */
const statusOf: Readonly<Record<string, Run['status']>> = {
  retry: 'parked',
  keep: 'parked',
  pause: 'running',
  resume: 'paused',
  stop: 'running',
  slower: 'running',
  faster: 'running',
  undo: 'done',
  continue: 'done',
};

let setup: FrontOnSlack;

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
});
afterEach(() => setup.stop());

describe('every action', () => {
  it('that blocks can show is one that a click is looked up by, and the reverse', () => {
    const declared = /type ButtonAction =([^;]+);/.exec(blocks)?.[1] ?? '';
    const shown = [...declared.matchAll(/'([a-z]+)'/g)].map((match) => match[1] ?? '');
    expect(shown.length).toBeGreaterThan(10);
    expect(shown.filter((action) => !(buttonActions as readonly string[]).includes(action))).toEqual([]);
    // What is no button of its own: boxes and lines of words are shown by functions of theirs.
    const others = buttonActions.filter((action) => !shown.includes(action));
    for (const action of others) expect(slack).toMatch(new RegExp(`action: '${action}'`));
    for (const action of shown) expect(`tas-${action}`).toMatch(anyAction);
  });

  it.each(buttonActions)('%s is answered, and nothing goes wrong', async (action) => {
    const run = setup.door.add(sampleRun({ status: statusOf[action] ?? 'planned' }));
    const card = await setup.slack.waitFor('the card', () => setup.slack.messages('tas-platform')[0]);
    const words = {
      environment: 'runs env:sandbox',
      ask: 'help',
      boxes: JSON.stringify({ items: ['x'], ticked: [], approver: false, revision: 1, place: 'channel' }),
    };
    const meant = (words as Readonly<Record<string, string>>)[action] ?? null;
    await setup.outbox.saveButton(`token-${action}`, { action, runId: run.id, digest: run.digest, words: meant });
    const erin = setup.slack.as(action === 'approve' ? 'bob' : 'erin');
    const isOpen = (): boolean => erin.views().length > 0 || erin.home() !== null;
    const { status } = await erin.clickForged(
      card,
      `tas-${action === 'environment' ? 'environment-0' : action}`,
      `token-${action}`,
    );
    expect(status).toBe(200);
    await setup.slack.waitFor('an answer', () => isOpen() || erin.ephemerals()[0] !== undefined || null, 10_000);
    expect(JSON.stringify(erin.ephemerals())).not.toContain('went wrong');
    expect(setup.logged.filter((line) => line.includes('a request went wrong'))).toEqual([]);
  });

  it('of a window leads to a handler: what is submitted is listened to', () => {
    const submitted = [...blocks.matchAll(/callback: '([a-z-]+)'/g)].map((match) => match[1] ?? '');
    const windows = [...blocks.matchAll(/export const (\w+Modal|\w+Window) = \{ callback: '([a-z-]+)', block/g)];
    expect(submitted.length).toBeGreaterThan(0);
    for (const [, constant] of windows) expect(slack).toMatch(new RegExp(`app\\.view\\(${constant}\\.callback`));
    for (const [, callback] of slack.matchAll(/app\.view\((\w+)\.callback/g)) {
      expect(blocks).toMatch(new RegExp(`export const ${callback} = `));
    }
  });
});
