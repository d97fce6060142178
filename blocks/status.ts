import type { EndedHold, EnvironmentStatus, Refusal, SystemView } from '../src/runs/door.ts';
import { sayBytes } from '../src/shared/bytes-text.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { sayProven } from './drill-card.ts';
import { code, plain, ticked } from './escape.ts';
import { divider, type Message, type Modal, section, sections } from './message.ts';
import { messageWindow } from './message-window.ts';
import { runLine } from './runs.ts';
import { statusWords } from './say.ts';
import { when } from './when.ts';

export function statusMessage(status: EnvironmentStatus): Message {
  const name = plain(status.environment, 60);
  const down = status.systems.filter((system) => !system.health.up).length;
  const verdict =
    down === 0
      ? `✓ *${name.toUpperCase()}: all systems up*`
      : `✗ *${name.toUpperCase()}: ${down} of ${status.systems.length} systems down*`;
  const usual = usualVersion(status.systems);
  const { holder, lastBackup } = status;
  const held =
    holder === null
      ? 'free'
      : `held by ${code(holder.runId)} (${statusWords[holder.status]}) since ${when(holder.since)}`;
  const backup =
    lastBackup === null
      ? '⚠ no backup set yet'
      : `${code(lastBackup.id)} of ${when(lastBackup.createdAt)}, ${sayBytes(lastBackup.bytes)}, ${sayProven(lastBackup.proven)}`;
  return {
    text: `${name}: ${down === 0 ? 'all systems up' : `${down} systems down`}`,
    blocks: [
      section(verdict),
      ...sections([
        ...status.systems.map((system) => systemLine(system, usual)),
        ...disagreement(status.systems, usual),
      ]),
      section(`*Environment:* ${held}\n*Last backup:* ${backup}`),
      ...sections((status.standing ?? []).slice(0, 20).map((what) => `⚠ ${plain(what, 200)}`)),
      ...(status.openRuns.length === 0 ? [] : sections(['*Open runs*', ...status.openRuns.map(runLine)])),
      ...sections((status.endedHolds ?? []).slice(0, 10).map(holdLine)),
    ],
  };
}

/** What is known of one environment; null = its stores are still being looked at. */
export interface EnvironmentLook {
  readonly name: string;
  readonly seen: EnvironmentStatus | Pick<Refusal, 'kind' | 'message' | 'advice'> | null;
}

/** Where things stand, environment by environment. */
export function statusWindow(looks: readonly EnvironmentLook[]): Modal {
  const all = looks.flatMap(({ name, seen }, place) => {
    const above = place === 0 ? [] : [divider];
    const title = `*${plain(name, 60).toUpperCase()}*`;
    if (seen === null) return [...above, section(`⏳ ${title}: looking at the stores …`)];
    if ('kind' in seen) return [...above, section(`⚠ ${title}: ${ticked(seen.message)} ${ticked(seen.advice)}`)];
    return [...above, ...statusMessage(seen).blocks];
  });
  return messageWindow('Where things stand', all, '`/tas status env:<environment>` shows the rest');
}

function holdLine({ runId, title, since }: EndedHold): string {
  const release = code(`/tas release ${runId}`);
  return `⏳ the hold of ${code(runId)} (${plain(title, 80)}) is over since ${when(since)}: what it kept aside can be given up with ${release}`;
}

function systemLine(system: SystemView, usual: string | null): string {
  const { health, dataModel } = system;
  const strange = dataModel !== null && dataModel.version !== usual ? '⚠ ' : '';
  const model = `data model ${strange}${dataModel === null ? '—' : plain(dataModel.version, 40)}`;
  const note = health.note === undefined ? '' : ` — ${plain(health.note)}`;
  const name = `*${plain(system.name, 60)}* (${plain(system.type, 40)})`;
  if (health.up)
    return `✓ ${name} ${plain(health.version ?? '', 60)} · ${sayDuration(health.latencyMs)} · ${model}${note}`;
  const since = system.lastUpAt === null ? 'never seen up' : `last up ${when(system.lastUpAt)}`;
  return `✗ ${name} down, ${since}${note}`;
}

/** The version that most systems have; null where none has more than another, or none is recorded. */
function usualVersion(systems: readonly SystemView[]): string | null {
  const counts = new Map<string, number>();
  for (const { dataModel } of systems) {
    if (dataModel !== null) counts.set(dataModel.version, (counts.get(dataModel.version) ?? 0) + 1);
  }
  const [first, second] = [...counts].sort(([, a], [, b]) => b - a);
  return first === undefined || first[1] === second?.[1] ? null : first[0];
}

function disagreement(systems: readonly SystemView[], usual: string | null): string[] {
  const strange = systems.filter(({ dataModel }) => dataModel !== null && dataModel.version !== usual);
  if (strange.length === 0) return [];
  return ['⚠ The systems are not at one data-model version: undo or retry the run that stopped between them.'];
}
