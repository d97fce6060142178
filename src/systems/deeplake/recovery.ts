import { shellCommand } from '../../shared/shell-word.ts';
import type { RecoveryLine, RecoveryRun } from '../recovery.ts';

interface Place {
  readonly name: string;
  readonly root: string;
  readonly s3?: { readonly endpointUrl: string };
}

/** What stands beside the datasets of a run: files below `.tas`. In a bucket for `aws`, which reads its keys from `AWS_…`. */
export function recovery({ name, root, s3 }: Place, run: RecoveryRun): readonly RecoveryLine[] {
  const own = `${root.replace(/\/+$/, '')}/.tas`;
  const fence = `${own}/fence/${encodeURIComponent(run.environment)}`;
  const batches = run.runIds.map((runId) => [runId, `${own}/batches/${encodeURIComponent(runId)}`] as const);
  const look = (topic: RecoveryLine['topic'], what: string, command: string): RecoveryLine => {
    return { topic, what: `\`${name}\`: ${what}`, command, changes: false };
  };
  const bucket = (...words: readonly string[]): string =>
    shellCommand('aws', ...(s3 ? ['--endpoint-url', bare(s3.endpointUrl)] : []), 's3', ...words);
  const inBucket = root.startsWith('s3://');
  return [
    look(
      'holds',
      'the fence, the greatest token that may write',
      inBucket ? bucket('cp', fence, '-') : shellCommand('cat', fence),
    ),
    ...batches.map(([runId, folder]) =>
      look(
        'journal',
        `files of ${runId}: each batch has an \`intent\`, and a \`done\` once it was carried out`,
        inBucket ? bucket('ls', '--recursive', `${folder}/`) : shellCommand('find', folder, '-type', 'f'),
      ),
    ),
  ];
}

/** An address may hold a password before the host, which is none of a runbook's. */
function bare(address: string): string {
  const url = URL.parse(address);
  return url === null ? '' : `${url.protocol}//${url.host}${url.pathname}`;
}
