import type { Environment } from '../plans/environment.ts';
import type { Action, Plan } from '../plans/plan.ts';
import { psqlCommand, shellCommand, sqlText } from '../shared/shell-word.ts';
import type { RecoveryLine, RecoveryTopic } from '../systems/recovery.ts';
import type { Person, Refusal } from './door.ts';
import { mayRead } from './gates.ts';
import { standingFor } from './intrusions.ts';
import type { Run } from './run.ts';
import { isOver } from './run-status.ts';

/** One thing to do or to know; names in `what` stand between backticks. */
export type RunbookLine = Pick<RecoveryLine, 'what' | 'command' | 'changes'>;

/** How a person recovers from a run when the bot is dead, in the order in which it is done. */
export interface Runbook {
  readonly runId: string;
  readonly environment: string;
  readonly parts: readonly { readonly title: string; readonly lines: readonly RunbookLine[] }[];
  /** The few lines that matter most, at most ten. */
  readonly first: readonly RunbookLine[];
  /** The database admin's own page; null = none is configured. */
  readonly link: string | null;
}

const recovered: readonly Action[] = ['migrate', 'rollback', 'restore', 'release'];

/** Whether people need to know how to recover from the run without the bot: it changes what they cannot lose. */
export function needsRunbook({ action, stages }: Plan): boolean {
  return recovered.includes(action) && stages.some(({ steps }) => steps.some(({ effect }) => effect !== 'reads'));
}

/** Where the bot's own database is, without a password; null = its address says too little. */
export interface BotPlace {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** What people are told for the time when the bot is gone. */
export interface RunbookDesk {
  /** Any role may read it. */
  read(run: Run, person: Person): Runbook | Refusal;
  /** For what the bot tells by itself. */
  of(run: Run): Runbook;
}

interface Deps {
  readonly environments: ReadonlyMap<string, Environment>;
  readonly bot: BotPlace | null;
  /** Pages of the database admins, by environment. */
  readonly links: ReadonlyMap<string, string>;
}

const mostFirst = 10;

/** Made of the plan and the configuration: nothing is asked, so that it can be told whatever is down. */
export function createRunbooks(deps: Deps): RunbookDesk {
  const of = (run: Run): Runbook => makeRunbook(deps, run);
  return {
    of,
    read(run, person) {
      const gate = mayRead(person);
      if (gate.pass) return of(run);
      return { kind: 'refused', code: gate.code, message: gate.message, advice: gate.advice, findings: [] };
    },
  };
}

function makeRunbook({ environments, bot, links }: Deps, run: Run): Runbook {
  const lines = askSystems(environments.get(run.environment), run);
  const on = (topic: RecoveryTopic) => lines.filter((line) => line.topic === topic);
  const restart = restartLines(run);
  const holds = holdLines(run, bot);
  const back = wayBack(run);
  const never = neverLines(run);
  const put = [...on('services'), ...on('flags'), ...on('maintenance')];
  const parts = [
    { title: 'Start the bot again: it goes on by itself', lines: restart },
    { title: 'Look: who holds the environment', lines: [...holds, ...on('holds')] },
    { title: 'Count: what the run has written, in the journal of each store', lines: on('journal') },
    { title: 'Make the data whole: with the bot started elsewhere', lines: back },
    { title: 'Only then, by hand if need be: services, flags, maintenance mode', lines: put },
    { title: 'Never', lines: [...never, ...on('never')] },
  ];
  const ofSystems = put.filter(({ first }) => first).slice(0, mostFirst - 7);
  const first = [...restart.slice(0, 1), ...holds.slice(-1), ...back.slice(0, 3), ...ofSystems, ...never.slice(0, 2)];
  return {
    runId: run.id,
    environment: run.environment,
    parts: parts
      .filter(({ lines }) => lines.length > 0)
      .map(({ title, lines }) => ({ title, lines: lines.map(lineOf) })),
    first: first.slice(0, mostFirst).map(lineOf),
    link: links.get(run.environment) ?? null,
  };
}

const lineOf = ({ what, command, changes }: RunbookLine): RunbookLine => ({ what, command, changes });

/** In the order of the configuration; those without steps in the run hold its fence all the same. */
function askSystems(environment: Environment | undefined, run: Run): readonly RecoveryLine[] {
  const steps = run.plan.stages.flatMap((stage) => stage.steps);
  return [...(environment?.systems.values() ?? [])].flatMap(
    (system) =>
      system.recovery?.({
        environment: run.environment,
        runId: run.id,
        runIds: standingFor(run),
        steps: steps.filter((step) => step.system === system.name).map(({ use, input }) => ({ use, input })),
      }) ?? [],
  );
}

function restartLines(run: Run): readonly RunbookLine[] {
  return [
    {
      what: 'On any machine that reaches the stores, with the bot’s own version, `TAS_CONFIG` and the secrets that the configuration names (the same database and `bot.key`). A run that was under way is taken up from its last batch within a minute',
      command: 'npm ci && npx node src/main.ts',
      changes: true,
    },
    look(
      'How the run stands, without the bot, from the same configuration',
      shellCommand('npx', 'tas', 'runs', run.id),
    ),
  ];
}

function holdLines(run: Run, bot: BotPlace | null): readonly RunbookLine[] {
  if (bot === null) return [];
  const { environment } = run;
  const lease = `SELECT run_id, state, token, since, expires_at, expires_at < now() AS expired FROM tas.environment_lease WHERE environment = ${sqlText(environment)}`;
  return [
    look(
      'What the bot did last for the run',
      psqlCommand(
        bot,
        `SELECT at, type, text FROM tas.run_event WHERE run_id = ${sqlText(run.id)} ORDER BY id DESC LIMIT 20`,
      ),
    ),
    look(
      'The lease in the bot’s own database: which run holds the environment, and since when',
      psqlCommand(bot, lease),
    ),
  ];
}

/** The undo first: it loses nothing of what users wrote since. */
function wayBack(run: Run): readonly RunbookLine[] {
  const where = `env:${run.environment}`;
  const ask = (what: string, ...words: readonly string[]): RunbookLine => {
    return { what, command: shellCommand('npx', 'tas', ...words), changes: true };
  };
  const restore =
    run.backupId === null
      ? look(
          'It has no backup set of its own (yet). The sets that there are; the newest from before the run is its restore point',
          shellCommand('npx', 'tas', 'backup', 'list', where),
        )
      : ask(
          `Where undo cannot: its restore point is \`${run.backupId}\`; what users wrote since is lost`,
          'restore',
          run.backupId,
          where,
        );
  const stop = ask('First bring it to a stand: a bot that was started again goes on with it', 'stop', run.id);
  const undo = [
    look('The ways back from it, with what each keeps and loses', shellCommand('npx', 'tas', 'rollback', run.id)),
    ask(
      'Undo: backwards, services and frontend out first, then store by store; another person approves',
      'rollback',
      run.id,
      'way:undo',
    ),
  ];
  const goOn = ask('Or on from where it stopped, once what failed is mended', 'retry', run.id);
  return [
    ...(run.status === 'running' ? [stop] : []),
    ...(canBeUndone(run) ? undo : []),
    restore,
    ...(run.status === 'parked' || run.status === 'running' ? [goOn] : []),
  ];
}

/** Kept as it is (`closed`) it may have changed something, too; one that never started has not. */
function canBeUndone({ status, startedAt, undoneBy }: Run): boolean {
  const keptAsItIs = status === 'closed' && startedAt !== null;
  return undoneBy === null && (status === 'done' || keptAsItIs || !isOver(status));
}

function neverLines(run: Run): readonly RunbookLine[] {
  const never = (what: string): RunbookLine => ({ what, command: null, changes: false });
  return [
    never('Do not scale services up while stores are half migrated: they write against two data models at once'),
    never(
      'Do not delete the journals, fences or leases, and lower no token: they are what undo needs and what keeps a second bot out',
    ),
    never(`Do not restore one store alone: all systems of \`${run.environment}\` belong to one backup set`),
    never('Do not run two bots with different databases on this environment'),
  ];
}

function look(what: string, command: string): RunbookLine {
  return { what, command, changes: false };
}
