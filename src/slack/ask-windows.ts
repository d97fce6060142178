import {
  type AskAction,
  askActions,
  askModal,
  askWindow,
  migrationOptions,
  openedAskWindow,
} from '../../blocks/ask-window.ts';
import type { SelectOption } from '../../blocks/message.ts';
import { refusedWindow } from '../../blocks/message-window.ts';
import { runOptions } from '../../blocks/rollback-fields.ts';
import { refusalFor } from '../../commands/answer.ts';
import type { Desks } from '../../commands/desks.ts';
import { type ParsedWords, wordsOf } from '../../commands/parse-words.ts';
import { isUndoable } from '../plans/plan.ts';
import type { Door, Person } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import type { Clock } from '../shared/clock.ts';
import { actionOf, complaintsOf } from './ask-complaints.ts';
import { showPreview } from './ask-previews.ts';
import type { Ask } from './asks.ts';
import type { Identity, SlackUser } from './identity.ts';
import type { Answerer } from './listen.ts';
import { openDetails } from './open-details.ts';
import { openThen, putInto } from './open-then.ts';
import type { Outbox } from './outbox.ts';
import type { AskRequest, ShortcutRequest, SuggestRequest } from './requests.ts';
import type { SlackCalls } from './slack-calls.ts';
import { openStatus } from './status-window.ts';

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
  openFor(words: ParsedWords, user: SlackUser, triggerId: string): Promise<boolean>;
  open(request: Pick<ShortcutRequest, 'user' | 'triggerId'>): Promise<void>;
  showStatus(request: ShortcutRequest): Promise<void>;
  showRun(request: ShortcutRequest): Promise<void>;
  /** The list below the migration while somebody types. */
  suggest(typed: string): Promise<readonly SelectOption[]>;
  /** The same below the run: of the environment that is chosen. */
  suggestRuns(request: SuggestRequest): Promise<readonly SelectOption[]>;
  /** Something was chosen: what it would do is looked up and shown. */
  choose(request: AskRequest): Promise<void>;
  /** What is wrong, by field; null = nothing that can be seen without asking a store. */
  complaints(request: AskRequest): Promise<Readonly<Record<string, string>> | null>;
  submit(request: AskRequest, answer: Answerer): Promise<void>;
}

const mostWindows = 1_000;
const mostRuns = 200;

export function createAskWindows(deps: Deps): AskWindows {
  const { door, calls, outbox, identity, ask } = deps;
  /** When the last choice in a window was made: an older one that takes longer shows nothing any more. */
  const newest = new Map<string, number>();
  return {
    async openFor({ word, names, environment, reason, extras }, user, triggerId) {
      const open = names.length === 0 && environment === null && reason === null && Object.keys(extras).length === 0;
      if ((word !== 'migrate' && word !== 'rollback') || !open || triggerId === '') return false;
      await openWindow(deps, user, triggerId, word);
      return true;
    },
    open: ({ user, triggerId }) => openWindow(deps, user, triggerId, null),
    showStatus: (request) => openStatus(deps, request),
    showRun: (request) =>
      openDetails(
        deps,
        'The run',
        async () => {
          const { message } = request;
          const about = message === null ? null : await outbox.postedAbout(message.channel, message.ts);
          return about === null ? null : door.run(about);
        },
        request,
      ),
    suggest: async (typed) => migrationOptions(await door.migrations(), typed),
    async suggestRuns({ user, typed, environment }) {
      const person = await identity.person(user, 'command');
      if (environment === '' || refusalFor('rollback', person) !== null) return [];
      const runs = await door.runs({ environment, limit: mostRuns }, person);
      return 'kind' in runs ? [] : runOptions(runs.filter(hasChanged), typed);
    },
    async choose(request) {
      const { user, viewId, sentAt } = request;
      if (sentAt >= (newest.get(viewId) ?? 0)) {
        newest.delete(viewId);
        newest.set(viewId, sentAt);
      }
      const [oldest] = newest.keys();
      if (newest.size > mostWindows && oldest !== undefined) newest.delete(oldest);
      const isNewest = () => (newest.get(viewId) ?? sentAt) === sentAt;
      const person = await identity.person(user, 'command');
      const actions = actionsFor(person);
      const action = actions.find((known) => known === actionOf(request.fields)) ?? actions[0];
      if (action === undefined) return refuse(deps, viewId, 'validate', person);
      await showPreview(deps, request, person, { action, actions }, async (view, hash) =>
        isNewest() ? putInto(calls, viewId, askWindow({ ...view, environments: door.environments }), hash) : null,
      );
    },
    complaints: (request) => complaintsOf(door, request),
    async submit({ user, viewId, fields, takes }, answer) {
      const action = actionOf(fields);
      if (action === null || !(await outbox.submitWindow(viewId))) return;
      await ask(user, wordsFor(action, fields, takes), answer);
    },
  };
}

function actionsFor(person: Person): readonly AskAction[] {
  return askActions.filter((action) => refusalFor(action, person) === null);
}

/** With what was wanted chosen; null = whatever the person may ask for. */
function openWindow(
  { door, identity, calls }: Deps,
  user: SlackUser,
  triggerId: string,
  wanted: AskAction | null,
): Promise<void> {
  return openThen(calls, triggerId, askModal.title, async () => {
    const person = await identity.person(user, 'command');
    const refusal = refusalFor(wanted ?? 'validate', person);
    if (refusal !== null) return refusedWindow(askModal.title, refusal);
    const actions = actionsFor(person);
    return openedAskWindow(door.environments, actions, wanted ?? actions[0] ?? 'validate');
  });
}

/** The role was lost while the window was open. */
async function refuse({ calls }: Deps, viewId: string, action: AskAction, person: Person): Promise<void> {
  const refusal = refusalFor(action, person);
  if (refusal !== null) await putInto(calls, viewId, refusedWindow(askModal.title, refusal));
}

/** Whether there may be something to undo, or something that its undo kept; the plan of the undo knows. */
function hasChanged({ plan, status, startedAt }: Run): boolean {
  return isUndoable(plan) && startedAt !== null && ['done', 'closed', 'parked', 'paused'].includes(status);
}

/** What would be typed for the same. */
function wordsFor(action: AskAction, fields: AskRequest['fields'], takes: readonly string[]): ParsedWords {
  const { environment, reason } = fields;
  const words = { word: action, names: [], environment, reason, extras: {} };
  switch (action) {
    case 'migrate': {
      const { migration, canary, window } = fields;
      const extras = {
        ...(canary !== null ? { canary: [canary] } : {}),
        ...(window !== null ? { window: [window] } : {}),
      };
      return wordsOf({ ...words, names: migration === null ? [] : [migration], extras });
    }
    case 'rollback': {
      const { run, way } = fields;
      const extras = takes.length > 0 ? { take: takes } : way === null ? {} : { way: [way] };
      return wordsOf({ ...words, names: run === null ? [] : [run], extras });
    }
    case 'validate':
    case 'backup':
      return wordsOf(words);
  }
}
