import { shellCommand } from '../../shared/shell-word.ts';
import type { RecoveryLine, RecoveryRun } from '../recovery.ts';
import type { RedisOptions } from './connection.ts';
import { fenceKey, journalKeys } from './flush.ts';

/** What stands in the database of a run, for `redis-cli`, which reads the password from `REDISCLI_AUTH`. */
export function recovery(
  { name, host, port, database = 0, user, tls }: Omit<RedisOptions, 'password'>,
  run: RecoveryRun,
): readonly RecoveryLine[] {
  const access = ['-h', host, '-p', String(port), '-n', String(database)];
  const cli = (...words: readonly string[]): string =>
    shellCommand('redis-cli', ...access, ...(user ? ['--user', user] : []), ...(tls ? ['--tls'] : []), ...words);
  const look = (topic: RecoveryLine['topic'], what: string, command: string): RecoveryLine => {
    return { topic, what: `\`${name}\`: ${what}`, command, changes: false };
  };
  return [
    look('holds', 'the fence, the greatest token that may write', cli('GET', fenceKey(run))),
    ...run.runIds.map((runId) =>
      look(
        'journal',
        `batches of ${runId} that were carried out; keys that were flushed do not come back, services fill them again`,
        cli('--scan', '--pattern', journalKeys(runId)),
      ),
    ),
  ];
}
