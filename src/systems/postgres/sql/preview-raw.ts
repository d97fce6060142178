import { createHash } from 'node:crypto';
import { digestOf, type Json } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { readingPreview, type Sample, type StepContext, type StepPreview } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import type { Session } from '../database.ts';
import { quoteTable } from '../identifiers.ts';
import { asReading, prepareReading } from '../statements.ts';
import { asCount, countAffected } from './affected.ts';
import { locksOf } from './locks.ts';
import { invalidAt, type Statement } from './parse.ts';
import { lookAtRaw, type RawLook, type RawStep } from './raw-step.ts';
import { nextKeys, sampleRows, tooMany } from './row-batch.ts';
import { MOST_AT_ONCE, type RowPlan } from './row-plan.ts';
import { relationsIn } from './syntax.ts';

const PAGE = 10_000;
const BYTES_A_ROW = 250;
const BYTES_A_COLUMN = 80;

type Counted = Pick<StepPreview, 'count' | 'exact' | 'keysHash' | 'samples' | 'bytes'> & {
  readonly findings: readonly Finding[];
};

/** What a raw step would do here and now. All in one READ ONLY transaction, so that all of it is of one moment. */
export async function previewRaw(setting: KindSetting, step: RawStep, context: StepContext): Promise<StepPreview> {
  const options = { readOnly: true, repeatable: true, statementTimeout: 600_000 };
  return setting.database.transact(options, async (session) => {
    const look = await lookAtRaw(session, step);
    const { effect, findings, statements, wayBack } = look;
    if (effect === 'reads') {
      for (const { kind, text } of statements) if (kind === 'SelectStmt') await prepareReading(session, text);
      return { ...readingPreview, effect, findings };
    }
    const rows = wayBack?.by === 'rows' ? wayBack.plan : null;
    const counted = rows ? await countRows(session, rows, context) : await countRaw(session, step, look);
    return {
      ...counted,
      effect,
      schemaHash: digestOf(await describeRelations(session, statements)),
      undoClass: wayBack?.by === 'rows' || wayBack?.by === 'inverse' ? 'reversible' : 'one-way',
      locks: rows && !rows.atOnce ? [] : locksOf(statements),
      findings: [...findings, ...counted.findings],
    };
  });
}

/** Runs the step's own counting statement. */
export async function countGiven(session: Session, count: Statement): Promise<number> {
  const found = asCount(await asReading(() => session.rows(count.text, [])));
  if (found !== null) return found;
  throw invalidAt('count', count.text, 0, 'it has to give one row with one whole number');
}

async function countRows(session: Session, plan: RowPlan, context: StepContext): Promise<Counted> {
  const hash = createHash('sha256');
  const first: string[] = [];
  let count = 0;
  let after: string | null = null;
  for (;;) {
    context.signal.throwIfAborted();
    const from: string | null = after;
    const keys: string[] = await asReading(() => nextKeys(session, plan, from, PAGE));
    for (const key of keys) hash.update(`${key}\n`);
    first.push(...keys.slice(0, Math.max(0, 5 - first.length)));
    count += keys.length;
    after = keys.at(-1) ?? null;
    if (keys.length < PAGE) break;
  }
  if (plan.atOnce && count > MOST_AT_ONCE) throw tooMany(plan.table.name);
  const samples: readonly Sample[] = await sampleRows(session, plan, first);
  const bytes = count * (BYTES_A_ROW + BYTES_A_COLUMN * plan.table.columns.size);
  return { count, exact: true, keysHash: hash.digest('hex'), samples, bytes, findings: [] };
}

async function countRaw(session: Session, step: RawStep, { count, statements, effect }: RawLook): Promise<Counted> {
  const missing: string[] = [];
  let sum = 0;
  let exact = true;
  for (const statement of statements) {
    const one = await asReading(() => countAffected(session, statement));
    sum += one.count;
    exact &&= one.exact;
    if (one.missing !== null) missing.push(`line ${statement.line}: ${one.missing}`);
  }
  const given = count === null ? null : await countGiven(session, count);
  const total = { count: given ?? sum, exact: given !== null || exact };
  const signed: Json = [step.statements, total.exact ? total.count : null];
  return {
    ...total,
    keysHash: digestOf(signed),
    samples: [],
    bytes: total.count * (BYTES_A_ROW + BYTES_A_COLUMN),
    findings: [
      ...warning(missing.length > 0, {
        check: 'things-to-come',
        title: 'Statements name what is not there yet',
        samples: missing,
        advice: 'An earlier statement or step has to make it; the step fails as a whole where none did.',
      }),
      ...warning(effect === 'destroys' && total.count > 0, {
        check: 'records-not-bound',
        title: 'People sign how much it destroys, not which records',
        samples: [],
        advice: 'A single UPDATE or DELETE of a table with a primary key binds the vote to the very rows.',
      }),
    ],
  };
}

function warning(holds: boolean, words: Pick<Finding, 'check' | 'title' | 'samples'> & { advice: string }): Finding[] {
  const count = Math.max(1, words.samples.length);
  return holds ? [{ ...words, status: 'warning', count, samples: words.samples.slice(0, 5) }] : [];
}

/** The relations that the statements name, with their columns; null for what is not there. */
async function describeRelations(session: Session, statements: readonly Statement[]): Promise<Json> {
  const names = [
    ...new Set(statements.flatMap(({ kind, node }) => relationsIn({ [kind]: node }).map(quoteTable))),
  ].sort();
  const rows = await session.rows<{ name: string; columns: string | null }>(
    `SELECT n AS name, (SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
       FROM pg_catalog.pg_attribute a WHERE a.attrelid = to_regclass(n) AND a.attnum > 0 AND NOT a.attisdropped)::text AS columns
     FROM unnest($1::text[]) n ORDER BY 1`,
    [names],
  );
  return rows.map(({ name, columns }) => [name, columns]);
}
