import type { BackupView, EnvironmentStatus, Person } from '../src/runs/door.ts';
import type { Run } from '../src/runs/run.ts';
import type { ScheduleView } from '../src/schedules/schedule-desk.ts';
import { sayBytes } from '../src/shared/bytes-text.ts';
import { button, type Tokens, wayButton } from './button.ts';
import { sayProven } from './drill-card.ts';
import { code, plain } from './escape.ts';
import { firstFitting } from './fit.ts';
import { actions, type Block, context, divider, type HomeView, limits, section, sections } from './message.ts';
import { runLine } from './runs.ts';
import { when } from './when.ts';

export interface HomeRun {
  readonly run: Run;
  /** Where its message is; null = not known. */
  readonly link: string | null;
  readonly tokens: Tokens;
  /** Shows what is to be voted on, with its buttons; null = this person's vote is not wanted. */
  readonly vote: string | null;
}

export interface HomeEnvironment {
  readonly name: string;
  readonly production: boolean;
  /** Null = the stores are still being looked at; a text says why they cannot be. */
  readonly status: EnvironmentStatus | string | null;
  /** Newest first. */
  readonly backups: readonly BackupView[];
  readonly lastValidation: Run | null;
  /** Those that come next. */
  readonly schedules: readonly ScheduleView[];
}

export interface HomeContents {
  readonly person: Pick<Person, 'id' | 'roles'>;
  readonly waiting: readonly HomeRun[];
  readonly open: readonly HomeRun[];
  /** The newest that are done and that an undo would take back. */
  readonly done: readonly HomeRun[];
  readonly environments: readonly HomeEnvironment[];
  /** In words; null = not known. */
  readonly onCall: string | null;
  /** Of the buttons on top. */
  readonly ask: string;
  readonly refresh: string;
  readonly help: string;
  readonly at: Date;
}

/** What somebody wants to know first: what waits for them, what goes on, and how each environment is. */
export function homeView(contents: HomeContents): HomeView {
  const { waiting, open, done, environments, person, at } = contents;
  const buttons = [
    ...(person.roles.includes('operator') ? [wayButton(0, 'Ask for a migration…', contents.ask)] : []),
    wayButton(1, 'Refresh', contents.refresh),
    wayButton(2, 'Help', contents.help),
  ];
  const blocks: Block[] = [
    section(
      `*TAS* · your ${person.roles.length === 1 ? 'role' : 'roles'}: ${person.roles.join(', ')} · as of ${when(at.toISOString())}`,
    ),
    ...actions(buttons),
    ...(waiting.length === 0 ? [] : [section('✋ *Waits for your vote*'), ...waiting.flatMap(runBlocks)]),
    section(`*Open runs*${open.length > 0 ? '' : `\nNothing ${waiting.length > 0 ? 'else ' : ''}goes on.`}`),
    ...open.flatMap(runBlocks),
    ...(done.length === 0 ? [] : [section('*Newest that are done*'), ...done.flatMap(runBlocks)]),
    ...environments.flatMap((environment) => [divider, ...environmentBlocks(environment)]),
    divider,
    section(`*On call:* ${contents.onCall === null ? 'not known here: `/tas oncall`' : plain(contents.onCall, 200)}`),
  ];
  return { type: 'home', blocks: fitting(blocks) };
}

/** For somebody without a role: nothing of what is there. */
export function strangersHome(): HomeView {
  const text =
    '*TAS*\nYou have no role here. Whoever runs this bot can add you to one of its groups; `/tas help` says more.';
  return { type: 'home', blocks: [section(text)] };
}

function runBlocks({ run, link, tokens, vote }: HomeRun): Block[] {
  const address = link === null ? '' : ` · <${link}|open>`;
  return [
    section(`${runLine(run)}${address}`),
    ...actions([
      vote === null ? null : wayButton(3, 'Look and vote', vote, { style: 'primary' }),
      button('undo', tokens),
      button('details', tokens),
    ]),
  ];
}

function environmentBlocks(environment: HomeEnvironment): Block[] {
  const { name, production, status, backups, lastValidation, schedules } = environment;
  const [newest] = backups;
  const proven = backups.find((backup) => backup.proven !== null);
  return sections([
    `*${plain(name.toUpperCase(), 60)}*${production ? ' · production' : ''} · ${sayStatus(status)}`,
    `*Last backup:* ${newest === undefined ? '⚠ none yet' : sayBackup(newest)}`,
    ...(newest === undefined || proven === newest
      ? []
      : [`*Last proven:* ${proven === undefined ? '⚠ no set was ever proven' : sayBackup(proven)}`]),
    `*Last validation:* ${lastValidation === null ? 'none yet' : sayValidation(lastValidation)}`,
    ...(schedules.length === 0 ? [] : [`*Next:* ${schedules.map(saySchedule).join(' · ')}`]),
  ]);
}

function sayStatus(status: HomeEnvironment['status']): string {
  if (status === null) return '⏳ looking at the stores …';
  if (typeof status === 'string') return `⚠ ${plain(status, 200)}`;
  const down = status.systems.filter(({ health }) => !health.up).map((system) => system.name);
  const health = down.length === 0 ? `✓ ${status.systems.length} systems up` : `✗ down: ${plain(down.join(', '), 200)}`;
  const versions = [...new Set(status.systems.flatMap(({ dataModel }) => (dataModel ? [dataModel.version] : [])))];
  const model = versions.length === 0 ? 'no data model recorded' : `data model ${plain(versions.join(', '), 80)}`;
  const apart = versions.length > 1 ? ' ⚠ not at one version' : '';
  const held = status.holder === null ? 'free' : `held by ${code(status.holder.runId)}`;
  const standing = (status.standing ?? []).slice(0, 5).map((what) => `\n⚠ ${plain(what, 200)}`);
  return `${health} · ${model}${apart} · ${held}${standing.join('')}`;
}

function sayBackup({ id, createdAt, bytes, proven }: BackupView): string {
  return `${code(id)} of ${when(createdAt)}, ${sayBytes(bytes)}, ${sayProven(proven)}`;
}

function sayValidation({ id, endedAt, requestedAt, findings }: Run): string {
  const count = (wanted: string): number => findings.filter(({ status }) => status === wanted).length;
  const failed = count('failed');
  const mark = failed > 0 ? '✗' : count('warning') > 0 ? '⚠' : '✓';
  return `${mark} ${when(endedAt ?? requestedAt)}: ${count('passed')} passed, ${failed} failed, ${count('warning')} warnings · ${code(id)}`;
}

function saySchedule({ action, next }: ScheduleView): string {
  return `${plain(action, 20)} ${plain(next[0] ?? '', 80)}`;
}

function fitting(all: readonly Block[]): Block[] {
  const room = { places: limits.modalBlocks - 1, characters: limits.characters * 3 };
  const { blocks, left } = firstFitting(all, room);
  return left === 0 ? blocks : [...blocks, context('… `/tas status` and `/tas runs` show the rest')];
}
