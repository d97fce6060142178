import { type HomeContents, type HomeEnvironment, type HomeRun, homeView, strangersHome } from '../../blocks/home.ts';
import { refusalFor } from '../../commands/answer.ts';
import type { Desks } from '../../commands/desks.ts';
import { isVoteWanted } from '../../commands/wanted-vote.ts';
import { isUndoable } from '../plans/plan.ts';
import type { Door, EnvironmentStatus, Person } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import { isOver } from '../runs/run-status.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import { withinTime } from '../shared/within-time.ts';
import type { ButtonTokens } from './button-tokens.ts';
import type { Identity, SlackUser } from './identity.ts';
import type { RunLinks } from './run-links.ts';
import { shareNext } from './share-next.ts';
import { type SlackCalls, SlackRefused } from './slack-calls.ts';

interface Deps {
  readonly door: Pick<Door, 'environments' | 'runs' | 'status' | 'backups'>;
  readonly desks: Pick<Desks, 'schedules' | 'oncall'>;
  readonly identity: Identity;
  readonly links: RunLinks;
  readonly calls: Pick<SlackCalls, 'publishHome'>;
  readonly tokens: ButtonTokens;
  readonly clock: Clock;
}

/** The app's own tab: a dashboard, made when somebody opens it. */
export interface Home {
  /** Opened twenty times at once it is made twice. */
  show(user: SlackUser): Promise<void>;
}

const shownRuns = 12;
const shownDone = 3;
const looked = 50;
/** Milliseconds for which one look at an environment's stores serves everybody. */
const statusServes = 10_000;
const statusPatience = 20_000;

export function createHome(deps: Deps): Home {
  const { door, identity, links, tokens, clock } = deps;
  const statusOf = shareStatus(deps);

  async function homeRun(run: Run, person: Person): Promise<HomeRun> {
    const [vote = null] = isVoteWanted(run, person) ? await tokens.ofWords([`approve ${run.id}`]) : [];
    const { details, undo } = await tokens.ofRun(run);
    const shown = {
      ...(details === undefined ? {} : { details }),
      ...(undo === undefined || run.status !== 'done' || refusalFor('rollback', person) !== null ? {} : { undo }),
    };
    return { run, link: await links.to(run.id, run.requestedAt), tokens: shown, vote };
  }

  /** What the bot's own database knows: nobody waits for a store. */
  async function gather(person: Person): Promise<HomeContents> {
    const found = await door.runs({ limit: looked }, person);
    const runs = 'kind' in found ? [] : found;
    const open = runs.filter(({ status }) => !isOver(status)).slice(0, shownRuns);
    const shown = await Promise.all(open.map((run) => homeRun(run, person)));
    const done = await Promise.all(
      runs
        .filter(canBeUndone)
        .slice(0, shownDone)
        .map((run) => homeRun(run, person)),
    );
    const [help = ''] = await tokens.ofWords(['help']);
    const plain = { runId: null, digest: null, words: null };
    return {
      person,
      waiting: shown.filter(({ vote }) => vote !== null),
      open: shown.filter(({ vote }) => vote === null),
      done,
      environments: await Promise.all(door.environments.map((environment) => describe(deps, environment, person))),
      onCall: null,
      ask: await tokens.ofMeaning({ action: 'window', ...plain }),
      refresh: await tokens.ofMeaning({ action: 'home', ...plain }),
      help,
      at: clock.now(),
    };
  }

  const show = shareNext(async (id: string) => {
    const person = await identity.person({ id, name: id }, 'command');
    if (person.roles.length === 0) return publish(deps, id, strangersHome());
    const first = await gather(person);
    await publish(deps, id, homeView(first));
    const [onCall, ...environments] = await Promise.all([
      sayOnCall(deps, person),
      ...first.environments.map(async (environment) => ({
        ...environment,
        status: await statusOf(environment.name, person),
      })),
    ]);
    await publish(deps, id, homeView({ ...first, onCall, environments }));
  });
  return { show: ({ id }) => show(id) };
}

/** Whether an undo may have something to take back; its plan knows. */
function canBeUndone({ status, plan, undoneBy }: Run): boolean {
  return status === 'done' && undoneBy === null && isUndoable(plan);
}

async function describe(
  { door, desks }: Deps,
  { name, production }: Door['environments'][number],
  person: Person,
): Promise<HomeEnvironment> {
  const [backups, runs, schedules] = await Promise.all([
    door.backups(name, person),
    door.runs({ environment: name, limit: looked }, person),
    desks.schedules.list(name, person),
  ]);
  const validations =
    'kind' in runs ? [] : runs.filter(({ plan, status }) => plan.action === 'validate' && status === 'done');
  const coming = 'kind' in schedules ? [] : schedules.filter(({ next }) => next.length > 0);
  return {
    name,
    production,
    status: null,
    backups: 'kind' in backups ? [] : backups,
    lastValidation: validations[0] ?? null,
    schedules: coming.toSorted((one, other) => (one.nextAt ?? '').localeCompare(other.nextAt ?? '')).slice(0, 3),
  };
}

/** A look at all stores of an environment, shared by whoever opens their Home meanwhile; why not, in words. */
function shareStatus({ door, clock }: Deps): (name: string, person: Person) => Promise<EnvironmentStatus | string> {
  const known = new Map<string, { readonly at: number; readonly status: Promise<EnvironmentStatus | string> }>();
  const look = async (name: string, person: Person): Promise<EnvironmentStatus | string> => {
    try {
      const status = await withinTime(
        door.status(name, person),
        statusPatience,
        () => 'the stores have not answered yet',
      );
      return typeof status === 'object' && 'kind' in status ? status.message : status;
    } catch (error) {
      if (error instanceof Failure) return error.message;
      throw error;
    }
  };
  return (name, person) => {
    const now = clock.now().getTime();
    const last = known.get(name);
    if (last !== undefined && now - last.at < statusServes) return last.status;
    const status = look(name, person);
    known.set(name, { at: now, status });
    status.catch(() => known.delete(name));
    return status;
  };
}

async function sayOnCall({ desks }: Deps, person: Person): Promise<string | null> {
  const view = await desks.oncall.view(null, person).catch(() => null);
  if (view === null || 'kind' in view) return null;
  const names = (view.duties?.now ?? []).slice(0, 5).map(({ person: name }) => name);
  if (names.length > 0) return names.join(', ');
  return view.contacts.length === 0
    ? null
    : view.contacts
        .slice(0, 5)
        .map(({ name, role }) => `${name} (${role})`)
        .join(', ');
}

/** Somebody without the tab, or of another workspace, has no Home: that is nobody's trouble. */
async function publish({ calls }: Deps, user: string, view: ReturnType<typeof homeView>): Promise<void> {
  await calls.publishHome(user, view).catch((error: unknown) => {
    if (!(error instanceof SlackRefused) || !['not_enabled', 'user_not_found'].includes(error.word)) throw error;
  });
}
