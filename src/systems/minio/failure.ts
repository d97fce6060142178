import { types } from 'node:util';
import { Failure, type FailureCode } from '../../shared/failure.ts';

/** Whose error it is: the configured name and where the server is. */
export interface ErrorPlace {
  readonly system: string;
  /** `host:port`. */
  readonly at: string;
  readonly bucket: string;
}

const network = /^(ECONN|ENOTFOUND|ETIMEDOUT|EHOST|ENET|EPIPE|EAI_|ERR_SOCKET|ERR_STREAM_PREMATURE_CLOSE)/;

const connectionWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name cannot be looked up',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to its host',
};

const nothing = 'Correct it, then ask again.';

/** What S3's codes mean to an operator. Everything else is `step-failed` with the code's name. */
const meanings: Readonly<Record<string, readonly [FailureCode, string, string]>> = {
  InvalidAccessKeyId: ['wrong-password', 'refuses the access key', 'Correct access key and secret key.'],
  SignatureDoesNotMatch: ['wrong-password', 'refuses the secret key', 'Correct access key and secret key.'],
  AccessDenied: ['missing-rights', 'does not allow this access key to do it', 'Give the key the rights of the guide.'],
  NoSuchBucket: ['precondition-failed', 'has no such bucket', 'Create the bucket or correct the configuration.'],
  RequestTimeTooSkewed: [
    'precondition-failed',
    'has a clock that differs too much',
    'Set the clocks of both machines.',
  ],
  XMinioStorageFull: ['disk-full', 'has no room left', 'Make room on the server; nothing half-written is kept.'],
  XMinioAdminBucketQuotaExceeded: ['disk-full', 'has reached the quota of its bucket', 'Raise the quota.'],
  InvalidBucketState: [
    'precondition-failed',
    'cannot pause its versions: its objects are locked',
    'A bucket with object lock always keeps versions.',
  ],
  InvalidTag: ['step-failed', 'refuses a tag', 'Tags take letters, digits, spaces and + - = . _ : / @.'],
  EntityTooLarge: ['step-failed', 'refuses an object of this size', nothing],
};

const passing =
  /^(SlowDown|ServiceUnavailable|InternalError|XMinioServerNotInitialized|RequestTimeout|OperationAborted)$/;

/** The S3 code of an error of the driver; an empty string where it has none. */
export function codeOf(error: unknown): string {
  // The driver reads no body of an answer that may be tried again; 503 is how S3 asks to slow down.
  if (types.isNativeError(error) && error.message.includes('Retryable HTTP status: 503')) return 'SlowDown';
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** Any error of driver, server or disk as a `Failure`. What is neither passes as it is: it is a bug. */
export function toFailure(error: unknown, place: ErrorPlace): unknown {
  if (error instanceof Failure || !types.isNativeError(error)) return error;
  const at = `${place.system} (MinIO ${place.at}/${place.bucket})`;
  const fail = (code: FailureCode, message: string, advice: string, retryable = false): Failure =>
    new Failure({ code, message: `${at} ${message}.`, advice, retryable, cause: error });
  const code = codeOf(error);
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return fail('cancelled', 'was stopped on request', 'What was done so far stands; it goes on from there.');
  }
  if (network.test(code) || /socket hang up|aborted|Retryable HTTP status/.test(error.message)) {
    const why = connectionWords[code] ?? 'the connection was lost or the server is busy';
    return fail('unreachable', `cannot be reached: ${why}`, 'Start the server or correct its address.', true);
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return fail('disk-full', 'cannot be copied: the disk of the backups is full', 'Make room there and ask again.');
  }
  const meaning = meanings[code];
  if (meaning) return fail(...meaning);
  if (passing.test(code)) return fail('unreachable', `is busy (${code})`, 'Wait a little and try again.', true);
  if (error.name === 'S3Error')
    return fail('step-failed', `answered with ${code || 'an error'}`, 'See the log of the bot.');
  return error;
}
