import { psqlCommand, sqlText } from '../../shared/shell-word.ts';
import type { RecoveryLine, RecoveryRun } from '../recovery.ts';
import type { DatabaseOptions } from './database.ts';

type Place = Pick<DatabaseOptions, 'name' | 'host' | 'port' | 'database' | 'user'>;

/** What stands in the database of a run, for `psql`. Where the bot never wrote, the journal's tables are missing. */
export function recovery(place: Place, run: RecoveryRun): readonly RecoveryLine[] {
  const ids = run.runIds.map(sqlText).join(', ');
  const ask = (topic: RecoveryLine['topic'], what: string, sql: string): RecoveryLine => {
    return { topic, what: `\`${place.name}\`: ${what}`, command: psqlCommand(place, sql), changes: false };
  };
  return [
    ask(
      'holds',
      'the fence, the greatest token that may write',
      `SELECT environment, token FROM tas_journal.fence WHERE environment = ${sqlText(run.environment)}`,
    ),
    ask(
      'holds',
      'whether a batch of the bot is still under way',
      "SELECT pid, state, xact_start, wait_event_type FROM pg_stat_activity WHERE application_name ~ '^tas-bot( |$)' AND datname = current_database()",
    ),
    ask(
      'journal',
      'batches of each step that were committed, and what they changed',
      `SELECT run_id, step_id, count(*) AS batches, sum((summary->>'changes')::bigint) AS changes FROM tas_journal.batch WHERE run_id IN (${ids}) GROUP BY run_id, step_id ORDER BY min(written_at)`,
    ),
  ];
}
