import { jest } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { type Console, serveConsole } from '../../sandbox/console/serve-console.ts';
import { browserIfThere } from './browser-if-there.ts';
import { type Journey, openJourney } from './open-journey.ts';
import { openWorkspace, type Workspace } from './open-workspace.ts';

// One story: a part of it cannot be told again by itself.
jest.retryTimes(0);

const patience = { timeout: 180_000 };
const migration = '/tas migrate space-isolation env:sandbox reason:"a tenant for everybody"';

const browser = await browserIfThere();

(browser === null ? describe.skip : describe)('the story, clicked through in Chromium', () => {
  let journey: Journey;
  let served: Console;
  let slack: Workspace;

  beforeAll(async () => {
    journey = await openJourney('demo');
    served = await serveConsole(journey.session.slack);
    slack = await openWorkspace(browser as Browser, served.url);
    await slack.page.evaluate("window.sameDocument = 'still'");
  }, 300_000);

  afterAll(async () => {
    await browser?.close();
    await served?.close();
    await journey?.close();
  }, 60_000);

  it('asks for a migration, shows the card live, and a second person approves after a dialog', async () => {
    await slack.page.getByRole('combobox', { name: /^Message #/ }).fill('/tas m');
    await slack.page.getByRole('option', { name: /migrate/ }).waitFor();
    expect(await slack.violations()).toEqual([]);
    await slack.say(migration);
    const card = slack.card(/space-isolation/, 'Approve');
    await card.waitFor(patience);
    expect(await card.innerText()).toMatch(/SANDBOX · space-isolation[\s\S]*a tenant for everybody/);
    expect(await slack.violations()).toEqual([]);

    await slack.become('Bob Brandt');
    const approve = card.getByRole('button', { name: 'Approve', exact: true });
    await approve.click();
    expect(await slack.dialog.innerText()).toMatch(/Approve for SANDBOX\?[\s\S]*destroys/);
    expect(await slack.violations()).toEqual([]);
    await slack.page.keyboard.press('Escape');
    await slack.dialog.waitFor({ state: 'detached' });
    expect(await approve.evaluate((node) => node === node.ownerDocument.activeElement)).toBe(true);
    expect(journey.session.slack.acknowledgements.filter(({ what }) => what === 'Approve')).toEqual([]);

    await approve.click();
    await slack.dialog.getByRole('button', { name: 'Approve' }).click();
    await slack.card(/Done: SANDBOX · space-isolation/).waitFor(patience);
    const [users] = await journey.stores.cypher(
      'MATCH (u:User) RETURN count(*) = count(DISTINCT u.personal_tenant_id) AS unique',
    );
    expect(users?.unique).toBe(true);
    expect(await slack.violations()).toEqual([]);
  }, 400_000);

  it('shows details in a modal that Escape closes, with the focus back where it was', async () => {
    const card = slack.card(/space-isolation/, 'Details');
    const details = card.getByRole('button', { name: 'Details' });
    await details.click();
    await slack.dialog.waitFor();
    expect(await slack.dialog.innerText()).toMatch(/graph|relational/);
    expect(await slack.violations()).toEqual([]);
    await slack.page.keyboard.press('Escape');
    await slack.dialog.waitFor({ state: 'detached' });
    expect(await details.evaluate((node) => node === node.ownerDocument.activeElement)).toBe(true);
  }, 200_000);

  it('takes the migration back with the ways back, a button and another approval', async () => {
    const runId = /run-[0-9a-z]{10}/.exec(await slack.card(/Done: SANDBOX · space-isolation/).innerText())?.[0];
    await slack.become('Erin Ekström');
    await slack.say(`/tas rollback ${runId} env:sandbox`);
    const advice = slack.card(/Only visible to you[\s\S]*undo/i, 'Undo');
    await advice.waitFor(patience);
    expect(await slack.violations()).toEqual([]);
    await advice.getByRole('button', { name: 'Undo', exact: true }).click();
    if (await slack.dialog.isVisible()) await slack.dialog.getByRole('button').last().click();
    await slack.card(/undo|rollback/i, 'Approve').waitFor(patience);
    await slack.become('Dana Dvořák');
    expect(await advice.isVisible()).toBe(false);
    await slack
      .card(/undo|rollback/i, 'Approve')
      .getByRole('button', { name: 'Approve', exact: true })
      .click();
    await slack.dialog.getByRole('button', { name: 'Approve' }).click();
    await slack.card(/Undone/).waitFor(patience);
    const [users] = await journey.stores.cypher(
      'MATCH (u:User) RETURN count(*) = count(DISTINCT u.personal_tenant_id) AS unique',
    );
    expect(users?.unique).toBe(false);
  }, 400_000);

  it('rejects with a reason by the keyboard alone: a modal, its red line, and the answer on the card', async () => {
    const { page, dialog } = slack;
    await slack.tabTo(page.getByRole('button', { name: 'Alice Adler' }));
    await page.keyboard.press('Enter');
    await slack.tabTo(page.getByRole('combobox', { name: /^Message #/ }));
    await page.keyboard.type('/tas migr');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.keyboard.type('space-isolation env:sandbox reason:"once more"');
    await page.keyboard.press('Enter');
    const card = slack.card(/once more/, 'Reject…');
    await card.waitFor(patience);
    await slack.tabTo(page.getByRole('button', { name: 'Bob Brandt' }));
    await page.keyboard.press('Space');
    await slack.tabTo(card.getByRole('button', { name: 'Reject…' }));
    await page.keyboard.press('Enter');
    await dialog.waitFor();
    const submit = dialog.getByRole('button', { name: 'Reject' });
    await slack.tabTo(submit);
    await page.keyboard.press('Enter');
    await dialog.getByText('Please complete this required field.').waitFor();
    expect(await slack.violations()).toEqual([]);
    await slack.tabTo(dialog.getByRole('textbox'));
    await page.keyboard.type('not on a Monday');
    await slack.tabTo(submit);
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await slack.card(/rejected by @bob[\s\S]*not on a Monday/).waitFor(patience);
    expect(await page.evaluate("document.activeElement.closest('article') !== null")).toBe(true);
  }, 400_000);

  it('marks what was not read, with a number where it was for the reader', async () => {
    const general = slack.page.getByRole('button', { name: /^# general/ });
    expect(await general.innerText()).toBe('# general');
    await journey.session.slack.as('erin').say('<@U0BOB0000> and all', { channel: 'general' });
    await slack.page.getByRole('button', { name: /^# general.*1 unread/ }).waitFor();
    expect(await general.innerText()).toMatch(/1$/);
    await general.click();
    await slack.card(/@bob and all/).waitFor();
    await slack.page.getByRole('button', { name: '# tas-platform' }).click();
    expect(await general.innerText()).toBe('# general');
  }, 200_000);

  it('shows the app’s Home, a thread, and everything on the width of a phone', async () => {
    const { page } = slack;
    await page.getByRole('button', { name: /Home/ }).click();
    await page.getByRole('region', { name: 'Home' }).waitFor();
    expect(await slack.violations()).toEqual([]);
    await page.getByRole('button', { name: '# tas-platform' }).click();
    await page
      .getByRole('button', { name: /^\d+ repl(y|ies)/ })
      .first()
      .click();
    await page.getByRole('complementary', { name: 'Thread' }).waitFor();
    expect(await slack.violations()).toEqual([]);
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await slack.violations()).toEqual([]);
    await page.getByRole('button', { name: 'Close thread' }).click();
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    expect(await slack.violations()).toEqual([]);
  }, 200_000);

  it('was never loaded anew, and the browser had nothing to complain about', async () => {
    expect(await slack.page.evaluate('window.sameDocument')).toBe('still');
    expect(slack.troubles).toEqual([]);
  });

  it('connects again by itself, and shows what was said in between', async () => {
    const { port } = new URL(served.url);
    await served.close();
    await slack.page.getByText('The connection is cut').waitFor();
    await journey.session.slack.as('erin').say('said in between');
    served = await serveConsole(journey.session.slack, Number(port));
    await slack.card(/said in between/).waitFor();
    await slack.page.getByText('The connection is cut').waitFor({ state: 'detached' });
    expect(await slack.page.evaluate('window.sameDocument')).toBe('still');
  }, 200_000);
});
