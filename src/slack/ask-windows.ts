import {
  type AskAction,
  type AskPreview,
  askActions,
  askWindow,
  migrationOptions,
  openedAskWindow,
} from '../../blocks/ask-window.ts';
import type { SelectOption } from '../../blocks/message.ts';
import { staleMessage } from '../../blocks/notices.ts';
import type { Desks } from '../../commands/desks.ts';
import { type ParsedWords, wordsOf } from '../../commands/parse-words.ts';
import type { Window } from '../maintenance/window.ts';
import type { Door, Person } from '../runs/door.ts';
import type { Clock } from '../shared/clock.ts';
import type { Ask } from './asks.ts';
import type { Identity } from './identity.ts';
import type { Answerer } from './listen.ts';
import { openDetails } from './open-details.ts';
import type { Outbox } from './outbox.ts';
import type { AskRequest, ShortcutRequest } from './requests.ts';
import { type SlackCalls, SlackRefused } from './slack-calls.ts';

interface Deps {
  readonly door: Door;
  readonly desks: Pick<Desks, 'maintenance'>;
  readonly identity: Identity;
  readonly outbox: Pick<Outbox, 'postedAbout' | 'submitWindow'>;
  readonly calls: Pick<SlackCalls, 'openWindow' | 'updateWindow'>;
  readonly ask: Ask;
  readonly clock: Clock;
}

/** The window in which people ask with choices, and the shortcuts. It knows no gate: what it asks goes the way of a command. */
export interface AskWindows {
  /** Opens the window for a command that leaves the choice open (`/tas migrate`); false where it does not. */
  openFor(words: ParsedWords, triggerId: string): Promise<boolean>;
  open(request: ShortcutRequest): Promise<void>;
  showRun(request: ShortcutRequest, answer: Answerer): Promise<void>;
  /** The list below the migration while somebody types. */
  suggest(typed: string): Promise<readonly SelectOption[]>;
  /** Something was chosen: what it would do is looked up and shown. */
  choose(request: AskRequest): Promise<void>;
  /** What is wrong, by field; null = nothing that can be seen without asking a store. */
  complaints(request: AskRequest): Readonly<Record<string, string>> | null;
  submit(request: AskRequest, answer: Answerer): Promise<void>;
}

const mostWindows = 1_000;
const canaryName = /^[A-Za-z0-9_-]{1,80}$/;

export function createAskWindows(deps: Deps): AskWindows {
  const { door, calls, outbox, ask } = deps;
  /** When the last choice in a window was made: an older one that takes longer shows nothing any more. */
  const newest = new Map<string, number>();
  const first = (triggerId: string) => calls.openWindow(triggerId, openedAskWindow(door.environments));
  return {
    async openFor({ word, names, environment, reason, extras }, triggerId) {
      const open = names.length === 0 && environment === null && reason === null && Object.keys(extras).length === 0;
      if (word !== 'migrate' || !open || triggerId === '') return false;
      await first(triggerId);
      return true;
    },
    open: ({ triggerId }) => first(triggerId),
    async showRun(request, answer) {
      const { message } = request;
      const about = message === null ? null : await outbox.postedAbout(message.channel, message.ts);
      const run = about === null ? null : await door.run(about);
      if (run !== null) return openDetails(deps, run, request, answer);
      return answer.tell([staleMessage('That message is about no run of this bot.')]);
    },
    suggest: async (typed) => migrationOptions(await door.migrations(), typed),
    choose(request) {
      const { viewId, sentAt } = request;
      if (sentAt >= (newest.get(viewId) ?? 0)) {
        newest.delete(viewId);
        newest.set(viewId, sentAt);
      }
      const [oldest] = newest.keys();
      if (newest.size > mostWindows && oldest !== undefined) newest.delete(oldest);
      return choose(deps, request, () => (newest.get(viewId) ?? sentAt) === sentAt);
    },
    complaints: ({ fields }) => complaintsOf(deps, fields),
    async submit({ user, viewId, fields }, answer) {
      if (!(await outbox.submitWindow(viewId))) return;
      const { environment, migration, window, canary, reason } = fields;
      const action = actionOf(fields);
      const migrates = action === 'migrate';
      const extras = {
        ...(migrates && canary !== null ? { canary: [canary] } : {}),
        ...(migrates && window !== null ? { window: [window] } : {}),
      };
      const names = migrates && migration !== null ? [migration] : [];
      await ask(user, wordsOf({ word: action, names, environment, reason, extras }), answer);
    },
  };
}

const nothing: AskPreview = { kind: 'nothing' };

function actionOf({ action }: AskRequest['fields']): AskAction {
  return askActions.find((known) => known === action) ?? 'migrate';
}

function complaintsOf({ door }: Deps, fields: AskRequest['fields']): Readonly<Record<string, string>> | null {
  const { environment, migration, canary, reason } = fields;
  const migrates = actionOf(fields) === 'migrate';
  const known = door.environments.some(({ name }) => name === environment);
  const complaints = {
    ...(known ? {} : { environment: 'Choose an environment.' }),
    ...(migrates && migration === null ? { migration: 'Choose a migration.' } : {}),
    ...(migrates && canary !== null && !canaryName.test(canary)
      ? { canary: 'One id: at most 80 letters, digits, dashes and underscores.' }
      : {}),
    ...(reason !== null && reason.length > 500 ? { reason: 'At most 500 characters.' } : {}),
  };
  return Object.keys(complaints).length === 0 ? null : complaints;
}

async function choose(deps: Deps, { user, viewId, fields }: AskRequest, isNewest: () => boolean): Promise<void> {
  const { door, identity } = deps;
  const { environment, migration, canary } = fields;
  const person = await identity.person(user, 'command');
  const action = actionOf(fields);
  const windows = action === 'migrate' ? await windowsFor(deps, fields, person) : [];
  const show = async (preview: AskPreview, hash?: string) =>
    isNewest() ? update(deps, viewId, { action, windows, preview }, hash) : null;
  if (action !== 'migrate' || environment === null || migration === null) {
    await show(nothing);
    return;
  }
  // Whoever chooses last is shown last: only the answer to this choice may follow this window.
  const hash = await show({ kind: 'looking', environment, migration });
  if (hash === null) return;
  const window = windows.some(({ id }) => id === fields.window) ? fields.window : null;
  const preview = await door.plan({ environment, subject: migration, canary, window, person });
  await show('kind' in preview ? preview : { kind: 'plan', preview }, hash);
}

/** Those that are to come or active, and not kept for another migration. */
async function windowsFor(
  { desks }: Deps,
  { environment, migration }: AskRequest['fields'],
  person: Person,
): Promise<readonly Window[]> {
  if (environment === null) return [];
  const found = await desks.maintenance.list(environment, person);
  if ('kind' in found) return [];
  return found.filter(
    (window) =>
      (window.state === 'scheduled' || window.state === 'active') &&
      (window.migration === null || window.migration === migration),
  );
}

/** Null when it was closed or has changed meanwhile. */
async function update(
  { door, calls }: Deps,
  viewId: string,
  view: { readonly action: AskAction; readonly windows: readonly Window[]; readonly preview: AskPreview },
  hash?: string,
): Promise<string | null> {
  try {
    return await calls.updateWindow(viewId, askWindow({ ...view, environments: door.environments }), hash);
  } catch (error) {
    if (error instanceof SlackRefused && ['not_found', 'hash_conflict'].includes(error.word)) return null;
    throw error;
  }
}
