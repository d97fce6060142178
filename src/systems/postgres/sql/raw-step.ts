import { z } from 'zod';
import type { Finding } from '../../finding.ts';
import type { Effect } from '../../system.ts';
import type { Session } from '../database.ts';
import { judge, strongerEffect } from './effect.ts';
import { lint } from './lint.ts';
import { invalidAt, parseStatements, type Statement, shorten } from './parse.ts';
import { refuseForbidden } from './refusals.ts';
import { planRows, type RowPlan } from './row-plan.ts';
import { readVolatility } from './volatile.ts';

const sqlText = z.string().min(1).max(200_000);

export const rawInput = z
  .strictObject({
    statements: sqlText.describe(
      'One or several SQL statements. They run as they stand, in one transaction with the journal; a single UPDATE or DELETE of a table with a primary key is journaled row by row and carried out batch by batch',
    ),
    inverse: sqlText
      .optional()
      .describe('Statements that take back what they did; not needed where rows are journaled'),
    oneWay: z.literal(true).optional().describe('They cannot be taken back, and this is accepted'),
    count: sqlText
      .optional()
      .describe('A reading SELECT that gives one number: how many records the statements would write now'),
    timeLimit: z
      .number()
      .int()
      .min(1)
      .max(86_400)
      .default(600)
      .describe('Seconds after which a statement is given up, and with it the step'),
  })
  .refine(
    ({ inverse, oneWay }) => inverse === undefined || oneWay === undefined,
    'one-way, and an inverse: only one holds',
  );
export type RawStep = z.infer<typeof rawInput>;

/** How a raw step is undone: by its journal of rows, by its inverse, not at all; null = nothing was said. */
export type WayBack =
  | { readonly by: 'rows'; readonly plan: RowPlan }
  | { readonly by: 'inverse' | 'nothing' | 'reads' }
  | null;

/** What the texts of a raw step come to, here and now. */
export interface RawLook {
  readonly statements: readonly Statement[];
  readonly inverse: readonly Statement[];
  readonly count: Statement | null;
  readonly effect: Effect;
  readonly inverseEffect: Effect;
  /** Nobody can tell what it does: the connection that it ran in is given up afterwards. */
  readonly opaque: boolean;
  readonly wayBack: WayBack;
  readonly findings: readonly Finding[];
}

/** Reads and judges the texts of a step. Throws `invalid-statement` for what may never run; writes nothing. */
export async function lookAtRaw(session: Session, step: RawStep): Promise<RawLook> {
  const statements = await read('statements', step.statements);
  const inverse = step.inverse === undefined ? [] : await read('inverse', step.inverse);
  const { changing, doing } = await readVolatility(session, [...statements, ...inverse]);
  const judged = statements.map((statement) => ({ statement, ...judge(statement, doing) }));
  const effect = judged.map((one) => one.effect).reduce(strongerEffect, 'reads');
  const opaque = judged.flatMap((one) =>
    one.opaque === null ? [] : [`line ${one.statement.line}: ${shorten(one.statement.text)}: ${one.opaque}`],
  );
  const rows = await planRows(session, statements, doing);
  const wayBack = wayBackOf(step, effect, 'because' in rows ? null : rows);
  const because = 'because' in rows ? rows.because : '';
  return {
    statements,
    inverse,
    count: step.count === undefined ? null : await readCount(session, step.count),
    effect,
    inverseEffect: inverse.map((one) => judge(one, doing).effect).reduce(strongerEffect, 'reads'),
    opaque: opaque.length > 0,
    wayBack,
    findings: [
      ...undoFindings(step, wayBack, opaque, because),
      ...(wayBack?.by === 'rows' ? wayBack.plan.findings : []),
      ...(wayBack?.by !== 'rows' && !('because' in rows) && rows.findings.length === 0 ? [rowsWouldDo] : []),
      ...lint(statements, changing),
    ],
  };
}

async function read(parameter: string, text: string): Promise<Statement[]> {
  const statements = await parseStatements(parameter, text);
  refuseForbidden(parameter, statements);
  return statements;
}

async function readCount(session: Session, text: string): Promise<Statement> {
  const [only, second] = await read('count', text);
  if (!only || second) throw invalidAt('count', text, 0, 'it has to be one SELECT that gives one number');
  const { doing } = await readVolatility(session, [only]);
  if (judge(only, doing).effect === 'reads' && only.kind === 'SelectStmt') return only;
  throw invalidAt('count', text, 0, 'it has to be one SELECT that only reads');
}

function wayBackOf({ inverse, oneWay }: RawStep, effect: Effect, plan: RowPlan | null): WayBack {
  if (effect === 'reads') return { by: 'reads' };
  if (oneWay) return { by: 'nothing' };
  if (inverse !== undefined) return { by: 'inverse' };
  return plan && { by: 'rows', plan };
}

const rowsWouldDo: Finding = {
  check: 'rows-can-be-journaled',
  title: 'This statement could be journaled row by row, and its undo would keep what others wrote since',
  status: 'warning',
  count: 1,
  samples: [],
  advice: 'Leave `inverse` and `oneWay` out.',
};

function undoFindings(step: RawStep, wayBack: WayBack, opaque: readonly string[], because: string): Finding[] {
  const failed = (check: string, title: string, samples: readonly string[], advice: string): Finding[] => [
    { check, title, status: 'failed', count: Math.max(1, samples.length), samples: samples.slice(0, 5), advice },
  ];
  if (opaque.length > 0 && step.oneWay !== true) {
    const advice =
      'No inverse can be trusted to take back what is not known: write it otherwise, or accept it as `oneWay: true`.';
    return failed('effect-known', 'It can be told what every statement does', opaque, advice);
  }
  if (wayBack !== null) return [];
  const why = because === '' ? '' : ` (it is not journaled row by row because ${because})`;
  const advice = 'Give an `inverse`, or accept with `oneWay: true` that it cannot be undone.';
  return failed('undo-said', `It is said how the statements are undone${why}`, [], advice);
}
