import type { App } from '@slack/bolt';
import { anyChoice, askModal, migrationChoice, runChoice, shortcuts } from '../../blocks/ask-window.ts';
import type { AskWindows } from './ask-windows.ts';
import type { Answerer } from './listen.ts';
import { askRequest, shortcutRequest, suggestRequest } from './requests.ts';

/** Works on something for a person after it was acknowledged; what it throws is told to them. */
type Guarded = (user: string, work: (answer: Answerer) => Promise<void>) => Promise<void>;

/** The window in which people ask, and the shortcuts: none of them has a response URL, so answers are direct messages. */
export function listenToWindows(app: App, windows: Omit<AskWindows, 'openFor'>, guarded: Guarded): void {
  app.view(askModal.callback, async ({ ack, body }) => {
    const request = askRequest.parse(body);
    const errors = await windows.complaints(request);
    if (errors !== null) return ack({ response_action: 'errors', errors });
    await ack();
    await guarded(body.user.id, (answer) => windows.submit(request, answer));
  });
  app.action(anyChoice, async ({ ack, body }) => {
    await ack();
    await guarded(body.user.id, () => windows.choose(askRequest.parse(body)));
  });
  // An empty list says that nothing fits: files or runs that cannot be read are told of when it is asked for.
  app.options(migrationChoice, async ({ ack, payload }) => {
    const found = await windows.suggest(payload.value).catch(() => []);
    await ack({ options: found.map((option) => ({ ...option })) });
  });
  app.options(runChoice, async ({ ack, body }) => {
    const found = await windows.suggestRuns(suggestRequest.parse(body)).catch(() => []);
    await ack({ options: found.map((option) => ({ ...option })) });
  });
  app.shortcut(shortcuts.ask, async ({ ack, body }) => {
    await ack();
    await guarded(body.user.id, () => windows.open(shortcutRequest.parse(body)));
  });
  app.shortcut(shortcuts.status, async ({ ack, body }) => {
    await ack();
    await guarded(body.user.id, () => windows.showStatus(shortcutRequest.parse(body)));
  });
  app.shortcut(shortcuts.showRun, async ({ ack, body }) => {
    await ack();
    await guarded(body.user.id, () => windows.showRun(shortcutRequest.parse(body)));
  });
}
