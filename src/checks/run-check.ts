import { Failure } from '../shared/failure.ts';
import { canonicalJson, type JsonObject } from '../shared/json.ts';
import type { Finding } from '../systems/finding.ts';
import type { Row, ScanQuery, System } from '../systems/system.ts';
import type { Check, ComparisonCheck } from './check.ts';

type Systems = ReadonlyMap<string, Pick<System, 'violations' | 'scan'>>;

const maxSamples = 5;

/** Carries out one check. A system that cannot answer makes it `skipped` with the reason, never `passed`. */
export async function runCheck(check: Check, systems: Systems): Promise<Finding> {
  try {
    const { count, samples } = 'compare' in check ? await compare(check, systems) : await query(check, systems);
    if (count === 0) return { check: check.id, title: check.title, status: 'passed', count: 0, samples: [] };
    return { check: check.id, title: check.title, status: check.severity, count, samples, advice: check.advice };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return {
      check: check.id,
      title: check.title,
      status: 'skipped',
      count: null,
      samples: [],
      advice: `${error.message} ${error.advice}`,
    };
  }
}

async function query(
  check: { system: string; violations: string },
  systems: Systems,
): Promise<{ count: number; samples: string[] }> {
  const found = await capable(systems, check.system, 'violations')(check.violations);
  return { count: found.count, samples: found.samples.map(sayRow) };
}

/** Walks both sides in key order, so that memory does not grow with the number of records. */
async function compare(check: ComparisonCheck, systems: Systems): Promise<{ count: number; samples: string[] }> {
  const { left, right, keys } = check.compare;
  const found = { count: 0, samples: [] as string[] };
  const report = (text: string): void => {
    found.count += 1;
    if (found.samples.length < maxSamples) found.samples.push(text);
  };
  const leftRows = sideRows(left, systems);
  const rightRows = sideRows(right, systems);
  try {
    let l = await leftRows.next();
    let r = await rightRows.next();
    while (!l.done || !r.done) {
      const order = l.done ? 1 : r.done ? -1 : compareCodePoints(l.value.key, r.value.key);
      if (order < 0) report(`${(l.value as Row).key} is in ${left.system} only`);
      if (order > 0 && keys === 'both') report(`${(r.value as Row).key} is in ${right.system} only`);
      if (order === 0) {
        const different = differentFields(l.value as Row, left.fields, r.value as Row, right.fields);
        if (different !== null) report(`${(l.value as Row).key} differs in ${different}`);
      }
      if (order <= 0) l = await leftRows.next();
      if (order >= 0) r = await rightRows.next();
    }
  } finally {
    // When one side fails, the other side's cursor in its store must not stay open.
    await Promise.allSettled([leftRows.return?.(), rightRows.return?.()]);
  }
  return found;
}

function sideRows(
  side: { system: string; collection: string; key: string; fields: string[]; where?: string | undefined },
  systems: Systems,
): AsyncIterator<Row> {
  const scan: ScanQuery = {
    collection: side.collection,
    key: side.key,
    fields: side.fields,
    ...(side.where === undefined ? {} : { where: side.where }),
  };
  return capable(systems, side.system, 'scan')(scan)[Symbol.asyncIterator]();
}

function differentFields(
  left: Row,
  leftFields: readonly string[],
  right: Row,
  rightFields: readonly string[],
): string | null {
  const at = leftFields.findIndex((field, i) => {
    const other = rightFields[i];
    return (
      other === undefined || canonicalJson(left.values[field] ?? null) !== canonicalJson(right.values[other] ?? null)
    );
  });
  return at < 0 ? null : (leftFields[at] ?? null);
}

/** Order by code point, as stores order bytes of UTF-8; JavaScript's `<` compares UTF-16 units. */
export function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function sayRow(row: JsonObject): string {
  return Object.entries(row)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
    .slice(0, 200);
}

function capable<K extends 'violations' | 'scan'>(systems: Systems, name: string, can: K): NonNullable<System[K]> {
  const system = systems.get(name);
  const able = system?.[can];
  if (system !== undefined && able !== undefined) return able.bind(system) as NonNullable<System[K]>;
  throw new Failure({
    code: 'invalid-file',
    message:
      system === undefined ? `The environment has no system ${name}.` : `The system ${name} cannot answer checks.`,
    advice: "Correct the check's system, or add it to the environment.",
  });
}
