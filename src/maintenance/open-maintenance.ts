import { randomUUID } from 'node:crypto';
import { sectionsOf } from '../migrations/migration.ts';
import type { Environment } from '../plans/environment.ts';
import { maintenanceKind } from '../plans/plan-maintenance.ts';
import type { Door } from '../runs/door.ts';
import type { WindowNow } from '../runs/window-gate.ts';
import { millisecondsOf } from '../shared/duration-text.ts';
import { Failure } from '../shared/failure.ts';
import type { Secret } from '../shared/secret.ts';
import { type KeepDeps, keepWindows } from './keep-windows.ts';
import { createMaintenanceDesk, type MaintenanceDesk } from './maintenance-desk.ts';
import type { MaintenanceSettings } from './settings.ts';
import { tellStatusPages } from './status-page.ts';
import type { Window, WindowStore } from './window.ts';
import type { Words } from './words.ts';

/** The configuration's part on one environment's maintenance. */
interface Configured {
  readonly channels: readonly string[];
  readonly before: readonly string[];
  readonly zone: string;
  readonly words: Words;
  readonly mode?: string | undefined;
  readonly askAhead: string;
  readonly statusPage?:
    | { readonly url: string; readonly header: { readonly name: string; readonly value: string } }
    | undefined;
}

interface Deps extends Pick<KeepDeps, 'store' | 'records' | 'notices' | 'callLate' | 'settle' | 'clock' | 'logger'> {
  readonly configured: Readonly<Record<string, Configured>>;
  readonly reveal: (reference: string) => Secret;
  readonly environments: ReadonlyMap<string, Pick<Environment, 'channel' | 'systems' | 'migrations'>>;
  readonly door: Pick<Door, 'submit'>;
}

export interface Maintenance {
  readonly desk: MaintenanceDesk;
  /** Begins, ends and announces windows, tells status pages; called again and again, by any number of processes. */
  tick(): Promise<void>;
}

export function openMaintenance(deps: Deps): Maintenance {
  const { store, environments } = deps;
  const settings = readSettings(deps);
  const keep: KeepDeps = {
    ...deps,
    settings,
    channelOf: (environment) => environments.get(environment)?.channel ?? null,
    async ownsMode(environment, migrationId) {
      const migration = (await environments.get(environment)?.migrations())?.get(migrationId);
      const before = migration ? sectionsOf(migration).filter(({ id }) => id === 'before') : [];
      return before.some(({ steps }) => steps.some(({ use }) => use === maintenanceKind));
    },
    modeMemory: new Map(),
    holder: randomUUID(),
  };
  return {
    desk: createMaintenanceDesk({ ...deps, settings }),
    async tick() {
      await keepWindows(keep);
      await tellStatusPages({ ...deps, store, settings });
    },
  };
}

/** What has become of a window, for runs that are bound to it. */
export async function windowNow(store: Pick<WindowStore, 'find'>, id: string): Promise<WindowNow> {
  const window: Window | null = await store.find(id);
  if (window?.state === 'scheduled') return 'to-come';
  return window?.state === 'active' ? 'open' : 'over';
}

/** Throws `invalid-config` for an environment or a system that there is not. */
function readSettings({ configured, environments, reveal }: Deps): ReadonlyMap<string, MaintenanceSettings> {
  const settings = new Map<string, MaintenanceSettings>();
  for (const [name, { statusPage, mode = null, before, askAhead, ...rest }] of Object.entries(configured)) {
    const environment = environments.get(name);
    if (!environment) throw invalid(`maintenance.${name} names no environment.`);
    if (mode !== null && !environment.systems.get(mode)?.kinds.some((kind) => kind.name === maintenanceKind)) {
      throw invalid(`maintenance.${name}.mode names no system of ${name} that holds maintenance mode.`);
    }
    settings.set(name, {
      ...rest,
      mode,
      before: before.map(millisecondsOf),
      askAhead: millisecondsOf(askAhead),
      statusPage: statusPage
        ? { url: statusPage.url, header: { name: statusPage.header.name, value: reveal(statusPage.header.value) } }
        : null,
    });
  }
  return settings;
}

function invalid(message: string): Failure {
  return new Failure({ code: 'invalid-config', message, advice: 'Correct it and start again.' });
}
