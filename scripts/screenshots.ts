import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { type BotSession, startBotSession } from '../sandbox/bot-session.ts';
import { openBrowser } from '../sandbox/console/browser.ts';
import { serveConsole } from '../sandbox/console/serve-console.ts';
import { openStores, type Stores } from '../sandbox/demo/stores.ts';
import { seed } from '../sandbox/seed/seed.ts';
import { createProgress } from '../sandbox/servers/progress.ts';
import { bringUp, takeDown } from '../sandbox/servers/sandbox.ts';
import { defaultFolder } from '../sandbox/servers/state.ts';
import { indexedPng } from './indexed-png.ts';

const root = resolve(import.meta.dirname, '..');
const pictures = join(root, 'docs/images');
const patience = { timeout: 180_000 };
const wide = { width: 1000, height: 1050 };
/** README's pictures stay small enough for a slow line. */
const mostBytes = 200_000;

/** Plays parts of the demo on real stores and takes the README's pictures of them, in light and dark. */
async function main(): Promise<void> {
  const folder = `${defaultFolder()}-screenshots`;
  const progress = createProgress(process.stdout);
  const endpoints = await bringUp({ folder, temporary: true, progress });
  progress.stop();
  await seed(endpoints, { kind: 'demo' });
  const [session, browser] = await Promise.all([startBotSession(folder, endpoints), openBrowser()]);
  const stores = openStores(endpoints);
  const served = await serveConsole(session.slack);
  try {
    await mkdir(pictures, { recursive: true });
    const context = await browser.newContext({ viewport: wide, timezoneId: 'UTC' });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(served.url);
    await play({ page, session, stores });
  } finally {
    await browser.close();
    await served.close();
    await stores.close();
    await session.stop();
    await takeDown(folder);
  }
}

interface Scene {
  readonly page: Page;
  readonly session: BotSession;
  readonly stores: Stores;
}

async function play(scene: Scene): Promise<void> {
  const { page, session } = scene;
  const schedule = await addSchedule(session);
  await report(scene, schedule, /checks failed/);
  const first = await askInWindow(page);
  await become(page, 'Bob Brandt');
  await takeWhole(page, first);
  await takeHome(page);
  await approve(page, first);
  const running = card(page, /▶ Data/);
  await running.waitFor(patience);
  await running.filter({ hasText: /[2-8]\d %/ }).waitFor(patience);
  await take(page, 'progress', running);
  const done = card(page, /✓ Done/);
  await done.waitFor(patience);
  await take(page, 'done', done);
  const fixed = await report(scene, schedule, /\d fixed/);
  await fixed.getByRole('img').evaluate((chart) => (chart as unknown as { decode(): Promise<void> }).decode());
  await take(page, 'report', fixed);
  await takeBack(scene, done);
  await fail(scene);
}

/** A validation at set times: its report says what is new and what is fixed since the one before. */
async function addSchedule(session: BotSession): Promise<string> {
  const asked = await session.slack.as('alice').command('/tas schedule add validate env:sandbox cron:"0 3 * * *"');
  const id = /sch-[0-9a-f]+/.exec(JSON.stringify((await asked.answer()).blocks))?.[0];
  if (id === undefined) throw new Error('no schedule was added');
  return id;
}

async function report({ page, session }: Scene, schedule: string, says: RegExp): Promise<Locator> {
  await session.slack.as('alice').command(`/tas schedule run ${schedule}`);
  const told = card(page, says);
  await told.waitFor(patience);
  return told;
}

/** As somebody asks who knows no command: by the shortcut, with choices, seeing what it would do. */
async function askInWindow(page: Page): Promise<Locator> {
  await become(page, 'Alice Adler');
  await page.getByRole('button', { name: 'Shortcuts' }).click();
  await page.getByRole('button', { name: 'Ask TAS' }).click();
  const window = page.getByRole('dialog');
  await window.getByRole('combobox', { name: 'Environment' }).selectOption('sandbox');
  await window.getByRole('combobox', { name: 'Migration' }).pressSequentially('space');
  await window.getByRole('option', { name: /space-isolation/ }).click();
  await window.getByRole('textbox', { name: 'Why' }).fill('a tenant for everybody');
  const preview = window.getByText(/Asked for now it needs/);
  await preview.waitFor(patience);
  await window.getByRole('region', { name: 'Content' }).evaluate((node) => node.scrollTo(0, 0));
  await take(page, 'ask', window);
  await window.getByRole('button', { name: 'Ask', exact: true }).click();
  const wanted = card(page, /a tenant for everybody/, 'Approve');
  await wanted.waitFor(patience);
  return wanted;
}

async function takeHome(page: Page): Promise<void> {
  const workspace = page.getByRole('navigation', { name: 'Workspace' });
  await workspace.getByRole('button', { name: /Home/ }).click();
  const home = page.getByRole('region', { name: 'Home' });
  await home.getByText(/systems up/).waitFor(patience);
  const box = await home.locator('.blocks').boundingBox();
  await page.setViewportSize({ ...wide, height: Math.max(560, Math.ceil(box?.height ?? 0) + 100) });
  await take(page, 'home', page);
  await page.setViewportSize(wide);
  await workspace.getByRole('button', { name: '# tas-platform' }).click();
}

async function takeBack({ page, session }: Scene, done: Locator): Promise<void> {
  const runId = /run-[0-9a-z]{10}/.exec(await done.innerText())?.[0];
  await session.slack.as('erin').command(`/tas rollback ${runId} env:sandbox way:undo`);
  const wanted = card(page, /rollback|undo/i, 'Approve');
  await wanted.waitFor(patience);
  await approve(page, wanted);
  await card(page, /Undone/).waitFor(patience);
}

/** A table that takes no writes any more, in the middle of the run: what an operator then sees. */
async function fail(scene: Scene): Promise<void> {
  const { page, stores } = scene;
  const wanted = await ask(scene, 'once more');
  await approve(page, wanted);
  await card(page, /▶ Data/).waitFor(patience);
  await stores.sql('alter table audimodal_files add constraint no_writes check (false) not valid');
  const failed = card(page, /✗ (Failed|Stopped)|Stopped:|Failed:/);
  await failed.waitFor(patience);
  await take(page, 'failure', failed);
}

async function ask({ page, session }: Scene, reason: string): Promise<Locator> {
  await session.slack.as('alice').command(`/tas migrate space-isolation env:sandbox reason:"${reason}"`);
  const wanted = card(page, new RegExp(reason), 'Approve');
  await wanted.waitFor(patience);
  return wanted;
}

async function become(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

async function approve(page: Page, wanted: Locator): Promise<void> {
  await become(page, 'Bob Brandt');
  await wanted.getByRole('button', { name: 'Approve', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
}

function card(page: Page, words: RegExp, button?: string): Locator {
  const cards = page.getByRole('article').filter({ hasText: words });
  if (button === undefined) return cards.last();
  return cards.filter({ has: page.getByRole('button', { name: button, exact: true }) }).last();
}

/** The card in its window, as high as it needs to be; and the part of it that a phone shows first. */
async function takeWhole(page: Page, wanted: Locator): Promise<void> {
  // The run's story begins in the thread a moment after the card, and makes it higher.
  await wanted.getByRole('button', { name: /^\d+ repl(y|ies)/ }).waitFor();
  const [box, messages] = [await wanted.boundingBox(), await page.getByRole('log', { name: /Messages/ }).boundingBox()];
  // Of the message before it nothing is seen: the list ends with so much room.
  const height = Math.ceil((box?.height ?? 0) + wide.height - (messages?.height ?? 0)) + 12;
  await page.setViewportSize({ ...wide, height: Math.min(2_000, height) });
  await take(page, 'approval', page);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('log', { name: /Messages/ }).focus();
  await wanted.evaluate((node) => node.scrollIntoView({ block: 'start' }));
  await take(page, 'phone', page);
  await page.setViewportSize(wide);
}

/** One picture in light and one in dark; dark first, so that both show the same moment of a message that changes. */
async function take(page: Page, name: string, what: Page | Locator): Promise<void> {
  await page.mouse.move(0, 0);
  // Away from the edges of the list, of which a line would be seen.
  if ('boundingBox' in what) await what.evaluate((node) => node.scrollIntoView({ block: 'center' }));
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    const path = join(pictures, `${name}-${colorScheme}.png`);
    await writeFile(path, await indexedPng(page.context(), await what.screenshot({ animations: 'disabled' })));
    const { size } = await stat(path);
    if (size > mostBytes) throw new Error(`${path} has ${size} bytes: more than ${mostBytes}`);
    process.stdout.write(`${path}: ${Math.round(size / 1000)} kB\n`);
  }
}

await main();
