import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Locator, Page } from 'playwright-core';

/** The console in a real browser, as one person uses it: by what stands on the page, never by how it is made. */
export interface Workspace {
  readonly page: Page;
  /** What the browser complained about so far. */
  readonly troubles: readonly string[];
  become(name: string): Promise<void>;
  /** Types into the composer and sends it. */
  say(line: string): Promise<void>;
  /** The last message in which these words and this button stand. */
  card(words: RegExp, button?: string): Locator;
  readonly dialog: Locator;
  /** Presses Tab until this element has the focus; fails when it is not reached. */
  tabTo(element: Locator): Promise<void>;
  /** Accessibility as axe sees it, in light and dark: one line for each violation. */
  violations(): Promise<string[]>;
}

export async function openWorkspace(browser: Browser, url: string): Promise<Workspace> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  await page.goto(url);
  const composer = page.getByRole('combobox', { name: /^Message #/ });
  await composer.waitFor();
  const workspace: Workspace = {
    page,
    troubles,
    dialog: page.getByRole('dialog'),
    async become(name) {
      await page.getByRole('button', { name, exact: true }).click();
      await page.getByRole('button', { name, exact: true, pressed: true }).waitFor();
    },
    async say(line) {
      await composer.fill(line);
      await composer.press('Enter');
    },
    card(words, button) {
      const cards = page.getByRole('article').filter({ hasText: words });
      const wanted =
        button === undefined ? cards : cards.filter({ has: page.getByRole('button', { name: button, exact: true }) });
      return wanted.last();
    },
    async tabTo(element) {
      for (let presses = 0; presses < 200; presses += 1) {
        if (await element.evaluate((node) => node === node.ownerDocument.activeElement)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`${element} is not reached with the Tab key`);
    },
    async violations() {
      const found: string[] = [];
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa']).analyze();
        for (const { id, nodes } of violations)
          found.push(`${colorScheme} ${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
      }
      await page.emulateMedia({ colorScheme: null });
      return found;
    },
  };
  return workspace;
}
