import { randomBytes } from 'node:crypto';
import type { Block } from './message.ts';
import { bot, team } from './people.ts';

/** What an app sends to be shown. */
export type ViewContent = Readonly<Record<string, unknown>> & { readonly blocks: readonly Block[] };

/** A modal or Home tab in front of somebody. */
export interface OpenView {
  readonly id: string;
  readonly user: string;
  /** The lowest modal of its stack. */
  readonly rootId: string;
  readonly previousId: string | null;
  readonly view: ViewContent;
  /** Changes with every update. */
  readonly hash: string;
}

type Stored = { -readonly [Name in keyof OpenView]: OpenView[Name] };

/** At most so many modals lie on one another. */
export const deepestStack = 3;

/** The modals that are open, in stacks by person, and the Home tabs. */
export interface Views {
  /** Lowest first; the last one is what the person sees. */
  stack(user: string): readonly OpenView[];
  home(user: string): OpenView | null;
  find(id: string): OpenView | undefined;
  byExternalId(externalId: string): OpenView | undefined;
  /** Puts a new modal on the person's stack; `fresh` clears the stack first. */
  open(user: string, view: ViewContent, fresh: boolean): OpenView;
  update(open: OpenView, view: ViewContent): void;
  publish(user: string, view: ViewContent): OpenView;
  /** Takes one modal away, or the person's whole stack. */
  close(open: OpenView): void;
  clear(user: string): void;
}

export function createViews(options: { withIds<T>(blocks: T): T; changed(): void }): Views {
  const stacks = new Map<string, Stored[]>();
  const homes = new Map<string, Stored>();
  const stack = (user: string): Stored[] => stacks.get(user) ?? [];
  const all = (): Stored[] => [...[...stacks.values()].flat(), ...homes.values()];
  const complete = (view: ViewContent): ViewContent => ({ ...view, blocks: options.withIds(view.blocks) });
  const create = (user: string, view: ViewContent, below: OpenView | undefined): Stored => {
    const id = `V0${randomBytes(5).toString('hex').toUpperCase()}`;
    return {
      id,
      user,
      rootId: below?.rootId ?? id,
      previousId: below?.id ?? null,
      view: complete(view),
      hash: newHash(),
    };
  };
  return {
    stack,
    home: (user) => homes.get(user) ?? null,
    find: (id) => all().find((open) => open.id === id),
    byExternalId: (externalId) => all().find(({ view }) => view.external_id === externalId),
    open(user, view, fresh) {
      const below = fresh ? [] : stack(user);
      const open = create(user, view, below.at(-1));
      stacks.set(user, [...below, open]);
      options.changed();
      return open;
    },
    update(open, view) {
      Object.assign(open as Stored, { view: complete(view), hash: newHash() });
      options.changed();
    },
    publish(user, view) {
      const existing = homes.get(user);
      if (existing) Object.assign(existing, { view: complete(view), hash: newHash() });
      const home = existing ?? create(user, view, undefined);
      homes.set(user, home);
      options.changed();
      return home;
    },
    close(open) {
      stacks.set(
        open.user,
        stack(open.user).filter((other) => other !== open),
      );
      options.changed();
    },
    clear(user) {
      stacks.delete(user);
      options.changed();
    },
  };
}

function newHash(): string {
  return `${Math.floor(Date.now() / 1000)}.${randomBytes(4).toString('hex')}`;
}

/** A view as the Web API and interaction payloads show it. `values` is what the person has filled in. */
export function viewAsSlack(open: OpenView, values: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    private_metadata: '',
    callback_id: '',
    external_id: '',
    submit: null,
    close: null,
    clear_on_close: false,
    notify_on_close: false,
    ...open.view,
    id: open.id,
    team_id: team.id,
    state: { values },
    hash: open.hash,
    previous_view_id: open.previousId,
    root_view_id: open.rootId,
    app_id: bot.appId,
    app_installed_team_id: team.id,
    bot_id: bot.botId,
  };
}
