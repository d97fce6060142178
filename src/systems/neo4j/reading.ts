import { Neo4jError, type Plan, type ResultSummary } from 'neo4j-driver';
import { Failure } from '../../shared/failure.ts';
import type { Connection } from './connection.ts';
import { asFailure } from './error.ts';
import type { Statement } from './statement.ts';

/** Procedures that only read this database. Others may write, wait, or reach files and the network. */
const PROCEDURES = new Set([
  'db.labels',
  'db.relationshiptypes',
  'db.propertykeys',
  'db.schema.nodetypeproperties',
  'db.schema.reltypeproperties',
  'db.index.fulltext.querynodes',
  'db.index.fulltext.queryrelationships',
  'db.index.vector.querynodes',
  'db.index.vector.queryrelationships',
  'db.info',
  'dbms.components',
]);

function refuse(place: string, problem: string): Failure {
  return new Failure({
    code: 'invalid-statement',
    message: `${place}: ${problem}.`,
    advice: 'Write it so that it only reads this database; nothing was changed.',
  });
}

/** The plan's operators from the top on, without the name of the runtime. */
export function* operatorsOf(plan: Plan): Generator<{ readonly operator: string; readonly details: string }> {
  const details = String((plan.arguments as { Details?: unknown }).Details ?? '');
  yield { operator: plan.operatorType.replace(/@.*$/, ''), details };
  for (const child of plan.children) yield* operatorsOf(child);
}

/** What no statement of a file may do, whether it reads or writes; `why` says what is wrong with it. */
export function whyForbidden(operator: string, details: string): string | null {
  if (operator === 'LoadCSV') return 'LOAD CSV is not allowed';
  if (operator !== 'ProcedureCall') return null;
  const name = details.split('(')[0]?.replaceAll('`', '').trim() ?? '';
  return PROCEDURES.has(name.toLowerCase()) ? null : `the procedure ${name} is not on the list of reading ones`;
}

function refuseOperators(place: string, plan: Plan): void {
  for (const { operator, details } of operatorsOf(plan)) {
    const why = whyForbidden(operator, details);
    if (why !== null) throw refuse(place, why);
  }
}

/** A syntax error's line and column are those of the composed statement; people need those of their file. */
function inTheFile(error: unknown, statement: Statement, connection: Connection): Error {
  const failure = asFailure(error, connection.place);
  if (!(error instanceof Neo4jError) || !(failure instanceof Failure) || failure.code !== 'invalid-statement')
    return failure;
  const first = error.message.split('\n')[0] ?? '';
  const at = /\(line (\d+), column (\d+)/.exec(first);
  const found = at ? statement.placeOf(Number(at[1])) : null;
  if (!found) return failure;
  const problem = first.replace(/\s*\(line \d+, column \d+.*\)\s*$/, '').replaceAll('_tas_seqn', '$sequence');
  // Only the first line stands behind the word EXPLAIN.
  const column = Number(at?.[2]) - (at?.[1] === '1' ? 'EXPLAIN '.length : 0);
  const message = `${found.place}, line ${found.line}, column ${column}: ${problem}.`;
  return new Failure({ code: 'invalid-statement', message, advice: failure.advice, cause: failure.cause });
}

/** What the server would do, without doing it; throws `invalid-statement` with the position in the file. */
export async function explainStatement(connection: Connection, statement: Statement): Promise<ResultSummary> {
  return connection.explain(statement.text).catch((error: unknown) => {
    throw inTheFile(error, statement, connection);
  });
}

/** Statements that were found to read, by connection: each batch of a step asks for the same ones. */
const known = new WeakMap<Connection, Set<string>>();
const KNOWN_LIMIT = 500;

/** Asks the server what the statement would do; throws `invalid-statement` unless it only reads this database. */
export async function ensureReading(connection: Connection, statement: Statement, place: string): Promise<void> {
  const texts = known.get(connection) ?? new Set();
  if (texts.has(statement.text)) return;
  const summary = await explainStatement(connection, statement);
  if (summary.queryType !== 'r') throw refuse(place, 'it would write to the database');
  if (summary.plan !== false) refuseOperators(place, summary.plan);
  if (texts.size >= KNOWN_LIMIT) texts.clear();
  known.set(connection, texts.add(statement.text));
}
