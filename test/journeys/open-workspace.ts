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
  /** Goes to a channel, or to the app's Home or messages, by what stands in the sidebar. */
  go(name: RegExp): Promise<void>;
  /** Presses Tab until this element has the focus; fails when it is not reached. */
  tabTo(element: Locator): Promise<void>;
  /** The same, and then Enter. */
  press(element: Locator): Promise<void>;
  hasFocus(element: Locator): Promise<boolean>;
  /** Goes once round with the Tab key, and once back: what outside of the open window got the focus, as HTML. */
  leaks(): Promise<string[]>;
  /** Accessibility as axe sees it, in light and dark: one line for each violation. */
  violations(): Promise<string[]>;
}

/** Runs in the page. The page as a whole has the focus while the browser's own bar would have it. */
const outsideOfWindow = `(() => {
  const { activeElement, body } = document;
  if (activeElement === null || activeElement === body) return null;
  return activeElement.closest('dialog[open]') === null ? activeElement.outerHTML.slice(0, 200) : null;
})()`;

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
    async go(name) {
      await page.getByRole('navigation', { name: 'Workspace' }).getByRole('button', { name }).click();
    },
    async tabTo(element) {
      for (let presses = 0; presses < 200; presses += 1) {
        if (await workspace.hasFocus(element)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`${element} is not reached with the Tab key`);
    },
    async press(element) {
      await workspace.tabTo(element);
      await page.keyboard.press('Enter');
    },
    hasFocus: (element) => element.evaluate((node) => node === node.ownerDocument.activeElement),
    async leaks() {
      const found: string[] = [];
      const inside = await workspace.dialog.locator('a, button, input, select, textarea, [tabindex]').count();
      for (const key of ['Tab', 'Shift+Tab']) {
        for (let presses = 0; presses <= inside; presses += 1) {
          await page.keyboard.press(key);
          const outside = await page.evaluate<string | null>(outsideOfWindow);
          if (outside !== null) found.push(`${key}: ${outside}`);
        }
      }
      return found;
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
