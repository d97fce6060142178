import { AxeBuilder } from '@axe-core/playwright';
import { jest } from '@jest/globals';
import { chooseFreePort } from '../../sandbox/servers/ports.ts';
import type { Door, Person } from '../../src/runs/door.ts';
import { openDoor } from '../../src/runs/open-door.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { Secret } from '../../src/shared/secret.ts';
import { openStepUp } from '../../src/step-up/open-step-up.ts';
import type { StepUpServer } from '../../src/step-up/serve-step-up.ts';
import { createConfirmationStore } from '../../src/storage/confirmation-store.ts';
import { browserIfThere } from '../journeys/browser-if-there.ts';
import { liveEndpoints } from '../live-stores.ts';
import { MemoryNotices } from '../memory-notices.ts';
import { createSmallWorld, fillTenants, type SmallWorld, users } from '../runs/small-world.ts';
import { type BotDatabase, createBotDatabase, newRun } from '../storage/fresh-bot-database.ts';
import { type ScratchRealm, scratchRealm } from '../systems/keycloak/scratch-realm.ts';
import { type Browser, openBrowser, type Shown } from './browser.ts';

jest.setTimeout(120_000);

const bob: Person = { id: 'UBOB', name: 'bob', roles: ['approver'], approverSince: null };
const claim = 'slack_user_id';
const password = 'correct horse battery staple';
let bot: BotDatabase;
let world: SmallWorld;
let realm: ScratchRealm;
let server: StepUpServer;
let door: Door;
const notices = new MemoryNotices();

/** As docs/configuration.md tells: an attribute that only administrators edit, a client, and a mapper into its ID token. */
async function setUpRealm(publicUrl: string): Promise<void> {
  const profile = (await realm.ask('GET', '/users/profile')) as { attributes: object[] };
  const mine = { name: claim, permissions: { view: ['admin'], edit: ['admin'] }, multivalued: false };
  await realm.ask('PUT', '/users/profile', { ...profile, attributes: [...profile.attributes, mine] });
  await realm.ask('POST', '/clients', {
    clientId: 'tas-bot',
    secret: 'of-the-bot',
    publicClient: false,
    standardFlowEnabled: true,
    directAccessGrantsEnabled: false,
    redirectUris: [`${publicUrl}/step-up/callback`],
    attributes: { 'pkce.code.challenge.method': 'S256' },
    protocolMappers: [
      {
        name: claim,
        protocol: 'openid-connect',
        protocolMapper: 'oidc-usermodel-attribute-mapper',
        config: { 'user.attribute': claim, 'claim.name': claim, 'jsonType.label': 'String', 'id.token.claim': 'true' },
      },
    ],
  });
  for (const [username, id] of [
    ['bob', 'UBOB'],
    ['mallory', 'UMALLORY'],
  ] as const) {
    await realm.ask('POST', '/users', {
      username,
      enabled: true,
      email: `${username}@example.com`,
      emailVerified: true,
      firstName: username,
      lastName: 'Example',
      attributes: { [claim]: [id] },
      credentials: [{ type: 'password', value: password, temporary: false }],
    });
  }
}

const chromium = await browserIfThere();

beforeAll(async () => {
  bot = await createBotDatabase();
  realm = await scratchRealm();
  const port = await chooseFreePort([]);
  const publicUrl = `http://127.0.0.1:${port}`;
  await setUpRealm(publicUrl);
  world = await createSmallWorld({
    records: bot.records,
    name: 'step-up',
    users: users(5),
    steps: [fillTenants],
  });
  world.now = new Date();
  const stepUp = openStepUp({
    settings: {
      issuer: `${liveEndpoints().keycloak.url}/realms/${realm.realm}`,
      clientId: 'tas-bot',
      publicUrl,
      port,
      claim,
      for: 'changes',
      maxAgeSeconds: 300,
    },
    clientSecret: new Secret('of-the-bot'),
    store: createConfirmationStore(bot.database),
    notices,
    clock: systemClock,
    logger: createLogger('silent'),
  });
  door = openDoor({
    ...world.deps,
    clock: systemClock,
    makePlan: world.makePlan,
    listBackups: async () => [],
    readBackup: async () => {
      throw new Error('there is none');
    },
    stepUp: stepUp.gate,
  });
  server = stepUp.pages({ door, person: async (voter) => ({ ...voter, roles: ['approver'], approverSince: null }) });
  await server.start();
});
afterAll(async () => {
  await chromium?.close();
  await server.stop();
  await realm.remove();
  await world.close();
  await bot.drop();
});

async function planned(): Promise<StoredRun> {
  const plan = await world.makePlan(world.environment, { action: 'migrate', subject: 'fill' }, 'backup-1');
  const run = newRun({ plan });
  await bot.records.create(run);
  return world.run(run.id);
}

async function approve(run: StoredRun): Promise<string> {
  const outcome = await door.vote({ runId: run.id, digest: run.digest, person: bob, choice: 'approve', reason: null });
  if (outcome.kind !== 'to-confirm') throw new Error(JSON.stringify(outcome));
  return outcome.link;
}

/** What a person does: opens the link, presses the button, fills the provider's form in, and is sent back. */
async function confirmAs(browser: Browser, link: string, username: string, given = password): Promise<Shown> {
  expect((await browser.open(link)).html).toContain('Log in and confirm');
  const { next } = await browser.press(link);
  if (next === null) throw new Error('the page leads nowhere');
  const form = await browser.open(next);
  expect(form.status).toBe(200);
  const action = /<form[^>]* action="([^"]+)"/.exec(form.html)?.[1]?.replaceAll('&amp;', '&');
  if (action === undefined) throw new Error(form.html.slice(0, 2_000));
  const body = new URLSearchParams({ username, password: given, credentialId: '' });
  const sent = await browser.open(action, { method: 'POST', body });
  const back = sent.headers.get('location');
  return back === null ? sent : browser.open(back);
}

describe('an approval confirmed at a real Keycloak', () => {
  it('counts when its voter logs in there, and each time anew', async () => {
    const browser = openBrowser();
    for (const run of [await planned(), await planned()]) {
      const shown = await confirmAs(browser, await approve(run), 'bob');
      expect(shown.html).toContain('Your approval counts');
      const stored = await world.run(run.id);
      expect(stored).toMatchObject({ status: 'queued', votes: [{ voter: { id: 'UBOB', name: 'bob' } }] });
    }
  });

  it('does not count when somebody else logs in there, and the voter is told', async () => {
    const run = await planned();
    const shown = await confirmAs(openBrowser(), await approve(run), 'mallory');
    expect(shown.status).toBe(403);
    expect(shown.html).toContain('Somebody else logged in');
    expect(await world.run(run.id)).toMatchObject({ status: 'planned', votes: [] });
    expect(notices.all).toMatchObject([{ to: { user: 'UBOB' } }]);
  });

  it('does not count with a wrong password: the form stays where it is', async () => {
    const run = await planned();
    const shown = await confirmAs(openBrowser(), await approve(run), 'bob', 'wrong');
    expect(shown.html).toContain('kc-form-login');
    expect(await world.run(run.id)).toMatchObject({ status: 'planned', votes: [] });
  });
});

(chromium === null ? describe.skip : describe)('the same in Chromium', () => {
  it('goes from the link over the login to the vote, with its cookie and without a breach of the page’s policy', async () => {
    const run = await planned();
    const context = await (chromium as NonNullable<typeof chromium>).newContext();
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      // What the provider's own page says is its own matter.
      if (!message.location().url.includes('/realms/')) complaints.push(message.text());
    });
    page.on('pageerror', (error) => void complaints.push(error.message));
    await page.goto(await approve(run));
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa']).analyze();
      expect(violations.map(({ id }) => `${colorScheme} ${id}`)).toEqual([]);
    }
    expect(await page.getByRole('heading').innerText()).toBe('Confirm your approval');
    await page.getByRole('button', { name: 'Log in and confirm' }).click();
    await page.locator('#username').fill('bob');
    await page.locator('#password').fill(password);
    await page.locator('#kc-login').click();
    await page.getByRole('heading', { name: 'Your approval counts' }).waitFor();
    expect(await world.run(run.id)).toMatchObject({ status: 'queued', votes: [{ voter: { id: 'UBOB' } }] });
    await page.reload();
    expect(await page.getByRole('heading').innerText()).toBe('This login leads nowhere');
    expect(complaints.filter((text) => !text.includes('400 (Bad Request)'))).toEqual([]);
    await context.close();
  });
});
