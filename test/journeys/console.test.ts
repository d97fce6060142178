import { jest } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { type Console, serveConsole } from '../../sandbox/console/serve-console.ts';
import { browserIfThere } from './browser-if-there.ts';
import { type Journey, openJourney } from './open-journey.ts';
import { openWorkspace, type Workspace } from './open-workspace.ts';

// One story: a part of it cannot be told again by itself.
jest.retryTimes(0);

const patience = { timeout: 180_000 };

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

  it('asks in the window that the shortcut opens: live preview, red lines at fields, focus inside and back', async () => {
    const { page, dialog } = slack;
    const composer = page.getByRole('combobox', { name: /^Message #/ });
    await composer.fill('/tas m');
    await page.getByRole('option', { name: /migrate/ }).waitFor();
    expect(await slack.violations()).toEqual([]);
    await composer.fill('');
    const shortcuts = page.getByRole('button', { name: 'Shortcuts' });
    await slack.press(shortcuts);
    await slack.press(page.getByRole('button', { name: 'Ask TAS' }));
    await dialog.getByRole('combobox', { name: 'Migration' }).waitFor();
    expect(await slack.leaks()).toEqual([]);

    const ask = dialog.getByRole('button', { name: 'Ask', exact: true });
    const environment = dialog.getByRole('combobox', { name: 'Environment' });
    const migration = dialog.getByRole('combobox', { name: 'Migration' });
    await ask.click();
    await dialog.getByText('Please complete this required field.').first().waitFor();
    expect(await environment.getAttribute('aria-invalid')).toBe('true');
    await environment.selectOption('sandbox');
    await migration.pressSequentially('space');
    await dialog.getByRole('option', { name: /space-isolation/ }).click();
    await dialog.getByText(/Asked for now it needs 1 vote/).waitFor(patience);
    expect(await dialog.innerText()).toMatch(/SANDBOX · space-isolation[\s\S]*adds \d/);
    expect(await migration.inputValue()).toBe('space-isolation');
    const canary = dialog.getByRole('textbox', { name: 'Canary' });
    await canary.fill("' OR 1=1");
    await ask.click();
    await dialog.getByText(/^One id: at most 80/).waitFor();
    expect(await canary.getAttribute('aria-invalid')).toBe('true');
    expect(await slack.violations()).toEqual([]);
    await canary.fill('');
    await dialog.getByRole('textbox', { name: 'Why' }).fill('a tenant for everybody');
    await ask.click();
    await dialog.waitFor({ state: 'detached' });
    expect(await slack.hasFocus(shortcuts)).toBe(true);
    const card = slack.card(/space-isolation/, 'Approve');
    await card.waitFor(patience);
    expect(await card.innerText()).toMatch(/SANDBOX · space-isolation[\s\S]*a tenant for everybody/);
    expect(await slack.violations()).toEqual([]);
  }, 400_000);

  it('shows in the Home tab what waits for a vote, and a second person gives it by the keyboard alone', async () => {
    const { page, dialog } = slack;
    await slack.become('Bob Brandt');
    await slack.go(/Home/);
    const home = page.getByRole('region', { name: 'Home' });
    await home.getByText(/systems up/).waitFor();
    expect(await home.innerText()).toMatch(/Waits for your vote[\s\S]*space-isolation[\s\S]*SANDBOX/);
    expect(await slack.violations()).toEqual([]);
    const details = home.getByRole('button', { name: 'Details' }).first();
    await slack.press(details);
    await dialog.waitFor();
    await dialog.getByText('Looking …').waitFor({ state: 'detached' });
    expect(await slack.leaks()).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await slack.hasFocus(details)).toBe(true);
    const refresh = home.getByRole('button', { name: 'Refresh' });
    const simulated = journey.session.slack;
    const published = (): number => simulated.calls.filter(({ method }) => method === 'views.publish').length;
    const before = published();
    await slack.press(refresh);
    await simulated.waitFor('the Home tab to be made anew', () => published() >= before + 2);
    const vote = home.getByRole('button', { name: 'Look and vote' });
    await slack.press(vote);
    expect(await slack.hasFocus(vote)).toBe(true);
    await slack.go(/^✉ tas/);

    const ballot = slack.card(/space-isolation/, 'Approve');
    await ballot.waitFor(patience);
    const approve = ballot.getByRole('button', { name: 'Approve', exact: true });
    await slack.press(approve);
    await dialog.waitFor();
    expect(await dialog.innerText()).toMatch(/Approve for SANDBOX\?[\s\S]*destroys/);
    expect(await slack.violations()).toEqual([]);
    expect(await slack.leaks()).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await slack.hasFocus(approve)).toBe(true);
    expect(journey.session.slack.acknowledgements.filter(({ what }) => what === 'Approve')).toEqual([]);
    await page.keyboard.press('Enter');
    await slack.press(dialog.getByRole('button', { name: 'Approve' }));
    await slack.go(/^# tas-platform/);
    await slack.card(/Done: SANDBOX · space-isolation/).waitFor(patience);
    const [users] = await journey.stores.cypher(
      'MATCH (u:User) RETURN count(*) = count(DISTINCT u.personal_tenant_id) AS unique',
    );
    expect(users?.unique).toBe(true);
  }, 400_000);

  it('shows the run of a message from the menu at it, in a modal that Escape closes', async () => {
    const { page, dialog } = slack;
    const more = slack.card(/Done: SANDBOX · space-isolation/).getByRole('button', { name: 'More actions' });
    await slack.press(more);
    await slack.press(page.getByRole('button', { name: 'Show the run' }));
    await dialog
      .getByText(/graph|relational/)
      .first()
      .waitFor();
    expect(await slack.violations()).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await slack.hasFocus(more)).toBe(true);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    expect(await more.getAttribute('aria-expanded')).toBe('false');
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
    await slack.press(page.getByRole('button', { name: 'Alice Adler' }));
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
    await slack.press(card.getByRole('button', { name: 'Reject…' }));
    await dialog.waitFor();
    const submit = dialog.getByRole('button', { name: 'Reject' });
    await slack.press(submit);
    await dialog.getByText('Please complete this required field.').waitFor();
    expect(await slack.violations()).toEqual([]);
    await slack.tabTo(dialog.getByRole('textbox'));
    await page.keyboard.type('not on a Monday');
    await slack.press(submit);
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

  it('offers to ask in the Home tab, and shows it, a thread and a channel on the width of a phone', async () => {
    const { page, dialog } = slack;
    await slack.become('Alice Adler');
    await slack.go(/Home/);
    const home = page.getByRole('region', { name: 'Home' });
    const ask = home.getByRole('button', { name: 'Ask for a migration…' });
    await home.getByText(/systems up/).waitFor();
    await ask.click();
    await dialog.getByRole('combobox', { name: 'Migration' }).waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await slack.hasFocus(ask)).toBe(true);
    await home.getByRole('button', { name: 'Help' }).click();
    await slack.go(/^✉ tas/);
    await slack.card(/You are: operator/).waitFor();
    await slack.go(/^# tas-platform/);
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
