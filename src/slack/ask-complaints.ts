import { type AskAction, type AskField, askActions, type takeField } from '../../blocks/ask-window.ts';
import { ways } from '../../blocks/rollback-fields.ts';
import { parseTake } from '../plans/take-conflicts.ts';
import type { Door } from '../runs/door.ts';
import { Failure } from '../shared/failure.ts';
import { withinTime } from '../shared/within-time.ts';
import type { AskRequest } from './requests.ts';

type Complaints = Partial<Record<AskField | typeof takeField, string>>;
type Filled = Pick<AskRequest, 'fields' | 'takes'>;
type Looks = Pick<Door, 'environments' | 'migrations' | 'run'>;

const canaryName = /^[A-Za-z0-9_-]{1,80}$/;
/** Milliseconds after which a submission is taken without what a look would have found: Slack waits for three seconds. */
const patience = 1_500;

/** What the window asks for; null = nothing that it offers. */
export function actionOf({ action }: AskRequest['fields']): AskAction | null {
  return askActions.find((known) => known === action) ?? null;
}

/** What is wrong, by field; null = nothing that can be seen without asking a store. What is not seen here the door refuses. */
export async function complaintsOf(door: Looks, filled: Filled): Promise<Readonly<Record<string, string>> | null> {
  const { environment, reason } = filled.fields;
  const action = actionOf(filled.fields);
  const known = door.environments.some(({ name }) => name === environment);
  const complaints: Complaints = {
    ...(action === null ? { action: 'Choose what to ask for.' } : {}),
    ...(known ? {} : { environment: 'Choose an environment.' }),
    ...(action === 'migrate' ? await aboutMigration(door, filled) : {}),
    ...(action === 'rollback' ? await aboutRollback(door, filled) : {}),
    ...(reason !== null && reason.length > 500 ? { reason: 'At most 500 characters.' } : {}),
  };
  return Object.keys(complaints).length === 0 ? null : complaints;
}

async function aboutMigration(door: Looks, { fields: { migration, canary } }: Filled): Promise<Complaints> {
  const strange =
    migration === null
      ? 'Choose a migration.'
      : await seen(async () =>
          (await door.migrations()).some(({ id }) => id === migration) ? null : 'There is no such migration.',
        );
  return {
    ...(strange === null ? {} : { migration: strange }),
    ...(canary !== null && !canaryName.test(canary)
      ? { canary: 'One id: at most 80 letters, digits, dashes and underscores.' }
      : {}),
  };
}

async function aboutRollback(door: Looks, { fields, takes }: Filled): Promise<Complaints> {
  const { environment, run: id, way } = fields;
  if (id === null) return { run: 'Choose a run.' };
  const about = await seen(async () => {
    const run = await door.run(id);
    if (run === null || run.environment !== environment) return 'There is no such run in this environment.';
    if (run.undoneBy === null || takes.length > 0) return null;
    return `${run.undoneBy} undid it: choose what to take of what that kept, or another run.`;
  });
  if (about !== null) return { run: about };
  if (takes.length > 0) return takes.every(isTake) ? {} : { take: 'That names no conflict.' };
  return ways.some((known) => known === way) ? {} : { way: 'Choose a way back.' };
}

function isTake(text: string): boolean {
  try {
    return parseTake(text) !== null;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** Null where it is not known in time, or cannot be read: then whoever is asked says so. */
async function seen(look: () => Promise<string | null>): Promise<string | null> {
  return withinTime(
    look().catch(() => null),
    patience,
    () => null,
  );
}
