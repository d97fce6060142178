import { shellCommand, shellWord } from '../../shared/shell-word.ts';
import type { RecoveryLine, RecoveryRun } from '../recovery.ts';
import { journalBucket } from './journal-store.ts';
import type { S3Options } from './s3.ts';

/** What stands beside the bucket of a run, for `mc`; its `alias set` asks for both keys. */
export function recovery(
  { name, url, bucket }: Pick<S3Options, 'name' | 'url' | 'bucket'>,
  run: RecoveryRun,
): readonly RecoveryLine[] {
  const alias = `tas-${name.replace(/[^\w-]/g, '-')}`;
  const journal = `${alias}/${journalBucket(bucket)}`;
  const line = (topic: RecoveryLine['topic'], what: string, command: string): RecoveryLine => {
    return { topic, what: `\`${name}\`: ${what}`, command, changes: false };
  };
  const fence = `${journal}/fence/${encodeURIComponent(run.environment)}`;
  return [
    line(
      'holds',
      'first name the server to `mc` (it asks for the keys)',
      shellCommand('mc', 'alias', 'set', alias, bare(url)),
    ),
    line('holds', 'the fence, the greatest token that may write', shellCommand('mc', 'cat', fence)),
    ...run.runIds.map((runId) => {
      const folder = `${journal}/batches/${encodeURIComponent(runId)}/`;
      const count = `mc ls --recursive ${shellWord(folder)} | grep -c /done`;
      return line(
        'journal',
        `batches of ${runId} that were carried out; one with an \`intent\` and no \`done\` is half done`,
        count,
      );
    }),
  ];
}

/** An address may hold a password before the host, which is none of a runbook's. */
function bare(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? url : `${parsed.protocol}//${parsed.host}${parsed.pathname === '/' ? '' : parsed.pathname}`;
}
