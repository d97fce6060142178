import type { AskPreview, AskView } from '../../blocks/ask-window.ts';
import type { Desks } from '../../commands/desks.ts';
import type { Window } from '../maintenance/window.ts';
import type { Door, Person } from '../runs/door.ts';
import { Failure } from '../shared/failure.ts';
import type { AskRequest } from './requests.ts';

interface Deps {
  readonly door: Pick<Door, 'environments' | 'plan' | 'run' | 'conflicts' | 'advise'>;
  readonly desks: Pick<Desks, 'maintenance'>;
}

type Shown = Omit<AskView, 'environments'>;
/** Answers the window's new hash; null = nobody wants to see it any more. With `hash` only over that very state. */
type Show = (view: Shown, hash?: string) => Promise<string | null>;

const shownConflicts = 100;

/** Looks up what the choices would do, and shows it. Nothing is stored or written for it. */
export async function showPreview(
  deps: Deps,
  { fields }: AskRequest,
  person: Person,
  may: Pick<AskView, 'action' | 'actions'>,
  show: Show,
): Promise<void> {
  const environment = deps.door.environments.find(({ name }) => name === fields.environment)?.name ?? null;
  const migrates = may.action === 'migrate';
  const windows = migrates && environment !== null ? await windowsFor(deps, environment, fields, person) : [];
  const view: Shown = { ...may, environment, windows, preview: { kind: 'nothing' } };
  const subject = migrates ? fields.migration : may.action === 'rollback' ? fields.run : null;
  if (environment === null || subject === null) {
    await show(view);
    return;
  }
  // Whoever chooses last is shown last: only the answer to this choice may follow this window.
  const hash = await show({ ...view, preview: { kind: 'looking', environment, subject } });
  if (hash === null) return;
  const window = windows.some(({ id }) => id === fields.window) ? fields.window : null;
  const preview = await refusing(() =>
    migrates
      ? planOf(deps, { environment, subject, canary: fields.canary, window, person })
      : waysBackOf(deps, environment, subject, person),
  );
  await show({ ...view, preview }, hash);
}

async function planOf({ door }: Deps, request: Parameters<Door['plan']>[0]): Promise<AskPreview> {
  const preview = await door.plan(request);
  return 'kind' in preview ? preview : { kind: 'plan', preview };
}

/** Of a run that was undone: what its undo kept. */
async function waysBackOf({ door }: Deps, environment: string, runId: string, person: Person): Promise<AskPreview> {
  const run = await door.run(runId);
  if (run === null || run.environment !== environment) {
    throw new Failure({
      code: 'unknown-run',
      message: `There is no run ${runId.slice(0, 80)} in ${environment}.`,
      advice: 'Choose another one. Nothing was changed.',
    });
  }
  if (run.undoneBy !== null) {
    return { kind: 'kept', by: run.undoneBy, report: await door.conflicts(run.undoneBy, shownConflicts) };
  }
  const advice = await door.advise(run.id, person);
  return 'kind' in advice ? advice : { kind: 'advice', advice };
}

async function refusing(look: () => Promise<AskPreview>): Promise<AskPreview> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { kind: 'refused', ...error.report(), findings: [] };
  }
}

/** Those that are to come or active, and not kept for another migration. */
async function windowsFor(
  { desks }: Deps,
  environment: string,
  { migration }: AskRequest['fields'],
  person: Person,
): Promise<readonly Window[]> {
  const found = await desks.maintenance.list(environment, person);
  if ('kind' in found) return [];
  return found.filter(
    (window) =>
      (window.state === 'scheduled' || window.state === 'active') &&
      (window.migration === null || window.migration === migration),
  );
}
