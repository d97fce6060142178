import { shellCommand } from '../../shared/shell-word.ts';
import type { RecoveryLine, RecoveryRun } from '../recovery.ts';

interface Place {
  readonly name: string;
  readonly url: string;
  readonly user: string;
  readonly database?: string;
}

/** What stands in the graph of a run, for `cypher-shell`; it asks for the password, or takes it from `NEO4J_PASSWORD`. */
export function recovery(place: Place, run: RecoveryRun): readonly RecoveryLine[] {
  return recoveryStatements(run).map(({ topic, what, statement }) => ({
    topic,
    what: `\`${place.name}\`: ${what}`,
    command: cypherCommand(place, statement),
    changes: false,
  }));
}

/** The statements alone, each complete in itself. */
export function recoveryStatements(
  run: Pick<RecoveryRun, 'environment' | 'runIds'>,
): readonly { readonly topic: RecoveryLine['topic']; readonly what: string; readonly statement: string }[] {
  const ids = run.runIds.map(cypherText).join(', ');
  return [
    {
      topic: 'holds',
      what: 'the fence, the greatest token that may write',
      statement: `MATCH (f:_TasFence {environment: ${cypherText(run.environment)}}) RETURN f.environment AS environment, f.token AS token`,
    },
    {
      topic: 'holds',
      what: 'whether a transaction is still under way',
      statement: 'SHOW TRANSACTIONS YIELD transactionId, username, elapsedTime, status, metaData',
    },
    {
      topic: 'journal',
      what: 'batches of each step that were committed, and records in them',
      statement: `MATCH (b:_TasBatch) WHERE b.run IN [${ids}] RETURN b.run AS run, b.step AS step, count(*) AS batches, sum(b.done) AS done ORDER BY run, step`,
    },
  ];
}

function cypherCommand({ url, user, database }: Place, statement: string): string {
  // An address may hold a password before the host, which is none of a runbook's.
  const address = url.replace(/^([a-z0-9+]+:\/\/)[^/]*@/i, '$1');
  const where = database === undefined ? [] : ['-d', database];
  return shellCommand('cypher-shell', '-a', address, '-u', user, ...where, statement);
}

/** A text in Cypher. */
export function cypherText(text: string): string {
  return `'${text
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replace(/[^ -~]/g, coded)}'`;
}

function coded(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
