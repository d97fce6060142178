import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../shared/failure.ts';
import { suggest } from '../shared/suggest.ts';
import { openYamlFile } from '../shared/yaml-file.ts';
import { type ChecklistItem, type GatePoint, itemsSchema, mostItems, seenTooLate } from './checklist-item.ts';

/** What an environment of the configuration adds to the packs' items. */
export interface ChecklistSettings {
  /** Further files of the same form. */
  readonly files: readonly string[];
  readonly items: readonly ChecklistItem[];
  /** Where a run waits for an item, by its id, whatever its file says. */
  readonly gates: Readonly<Record<string, 'nothing' | GatePoint>>;
  /** Ids of items that this environment does without. */
  readonly without: readonly string[];
}

const checklistFile = z.strictObject({ checklist: itemsSchema });

/**
 * The items of one environment: those of the packs (`checklist.yaml`, where a pack has one), then its own. Read at each
 * request, so that an edited file counts from the next run on. Throws `invalid-file` with place and remedy.
 */
export async function readChecklist(
  packs: readonly string[],
  environment: string,
  settings: ChecklistSettings,
  variables: { readonly [name: string]: string } = {},
): Promise<readonly ChecklistItem[]> {
  const paths = [...(await packFiles(packs)), ...settings.files];
  const items = new Map<string, ChecklistItem>();
  for (const path of paths) {
    const file = await openYamlFile(path, checklistFile, variables);
    for (const [index, item] of file.value.checklist.entries()) {
      if (items.has(item.id)) throw file.refuse(['checklist', index, 'id'], `two items have the id ${item.id}`);
      items.set(item.id, item);
    }
  }
  for (const item of settings.items) {
    if (items.has(item.id)) throw misfit(environment, `items has ${item.id}, which a file has already`, 'Rename it.');
    items.set(item.id, item);
  }
  return adjusted(environment, items, settings);
}

async function packFiles(packs: readonly string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const pack of packs) {
    if ((await readdir(pack).catch(() => [] as string[])).includes('checklist.yaml'))
      paths.push(join(pack, 'checklist.yaml'));
  }
  return paths;
}

function adjusted(
  environment: string,
  items: ReadonlyMap<string, ChecklistItem>,
  { gates, without }: ChecklistSettings,
): readonly ChecklistItem[] {
  const known = [...items.keys()];
  const strange = [...Object.keys(gates), ...without].find((id) => !items.has(id));
  if (strange !== undefined) {
    const near = suggest(strange, known);
    const remedy = near === null ? `Known are: ${known.slice(0, 30).join(', ')}.` : `Did you mean ${near}?`;
    throw misfit(environment, `names the item ${strange}, which no checklist has`, remedy);
  }
  const kept = [...items.values()]
    .filter(({ id }) => !without.includes(id))
    .map((item) => ({ ...item, gates: gates[item.id] ?? item.gates }));
  for (const item of kept) {
    const late = seenTooLate(item.evidence, item.gates);
    if (late !== null) throw misfit(environment, `gates.${item.id}`, `${late[0]?.toUpperCase()}${late.slice(1)}.`);
  }
  if (kept.length > mostItems) throw misfit(environment, `${kept.length} items`, `At most ${mostItems} are shown.`);
  return kept;
}

function misfit(environment: string, what: string, remedy: string): Failure {
  return new Failure({
    code: 'invalid-file',
    message: `The checklist of ${environment} does not fit (environments.${environment}.checklist): ${what}.`,
    advice: `${remedy} Correct the configuration and ask again. Nothing was changed.`,
  });
}
