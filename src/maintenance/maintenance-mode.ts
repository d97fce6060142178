import type { Door } from '../runs/door.ts';
import type { StoredRun } from '../runs/run-records.ts';
import type { RunStatus } from '../runs/run-status.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { MaintenanceSettings } from './settings.ts';
import type { Window } from './window.ts';
import { sayPlainly } from './words.ts';

export interface ModeDeps {
  readonly settings: ReadonlyMap<string, MaintenanceSettings>;
  readonly door: Pick<Door, 'submit'>;
  /** Whether the migration's own section `before` turns maintenance mode on: then the window does not. */
  readonly ownsMode: (environment: string, migration: string) => Promise<boolean>;
  /** What was asked for in this process, so that a refusal is not asked for again every few seconds. */
  readonly modeMemory: Map<string, { readonly at: number; readonly nothing: boolean }>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const askAgainAfter = 60_000;
const lastHour = 3_600_000;
/** It ended without having been decided: it may be asked for again. */
const lapsed: readonly RunStatus[] = ['expired', 'voided'];

/**
 * Asks for maintenance mode through the door, as a run of its own whose votes the policy counts: on for the window, off behind it.
 * Answers whether users no longer see that maintenance is going on.
 */
export async function turnMode(deps: ModeDeps, window: Window, runs: readonly StoredRun[]): Promise<boolean> {
  const settings = deps.settings.get(window.environment);
  const system = settings?.mode ?? null;
  if (settings === undefined || system === null) return true;
  const on = runs.filter((run) => run.plan.maintenance?.on === true);
  const off = runs.filter((run) => run.plan.maintenance?.on === false);
  if (await isOnDue(deps, settings, window, on)) await ask(deps, settings, window, system, true);
  const isOn = on.some((run) => run.status === 'done' && run.undoneBy === null);
  if (!isOn || off.some((run) => run.status === 'done')) return true;
  if (window.state !== 'ended') return false;
  if (off.every((run) => lapsed.includes(run.status))) await ask(deps, settings, window, system, false);
  return deps.modeMemory.get(`${window.id}:off`)?.nothing === true;
}

/** Ahead of the window, so that people vote in daylight; where nobody did, in the last hour before it and in it again. */
async function isOnDue(
  { clock, ownsMode }: ModeDeps,
  settings: MaintenanceSettings,
  window: Window,
  on: readonly StoredRun[],
): Promise<boolean> {
  const now = clock.now().getTime();
  const ahead = window.state === 'scheduled' && now >= Date.parse(window.from) - settings.askAhead;
  const within = window.state === 'active' && now < Date.parse(window.to);
  const undecided = on.every((run) => lapsed.includes(run.status));
  const last = on.length === 1 && undecided && now >= Date.parse(window.from) - lastHour;
  if (!(ahead ? on.length === 0 || last : within && undecided)) return false;
  return window.migration === null || !(await ownsMode(window.environment, window.migration));
}

async function ask(
  { door, modeMemory, clock, logger }: ModeDeps,
  settings: MaintenanceSettings,
  window: Window,
  system: string,
  on: boolean,
): Promise<void> {
  const key = `${window.id}:${on ? 'on' : 'off'}`;
  const now = clock.now().getTime();
  if (now - (modeMemory.get(key)?.at ?? 0) < askAgainAfter) return;
  const answer = await door.submit({
    action: 'maintenance',
    environment: window.environment,
    subject: `${on ? 'on' : 'off'} ${window.id}`,
    // Who scheduled the window asked for this too; he was an operator then, and cannot vote on it.
    person: { ...window.createdBy, roles: ['operator'] },
    reason: window.reason,
    maintenance: {
      window: window.id,
      system,
      on,
      message: on ? sayPlainly(settings.words.started, window) : '',
      until: on ? window.to : null,
    },
  });
  modeMemory.set(key, { at: now, nothing: answer.kind === 'nothing-to-do' });
  if (answer.kind === 'refused') {
    logger.warn({ window: window.id, on, why: answer.message }, 'maintenance mode could not be asked for');
  }
}
