import { types } from 'node:util';
import { Failure } from '../../shared/failure.ts';

/** What PostgreSQL's driver throws for an answer of the server; fields as the protocol names them. */
export interface ServerError extends Error {
  readonly code?: string;
  readonly severity?: string;
  readonly detail?: string;
  readonly table?: string;
  readonly schema?: string;
  readonly column?: string;
  readonly constraint?: string;
}

/** Whose error it is, for the message: the system's configured name and where the server is. */
export interface ErrorPlace {
  readonly system: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

const network = /^(ECONN|ENOTFOUND|ETIMEDOUT|EHOST|ENET|EPIPE|EAI_)/;
const lostMessages =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/;

/** Whether the server itself answered with an error. */
export function isServerError(error: unknown): error is ServerError {
  return types.isNativeError(error) && 'severity' in error && typeof (error as ServerError).code === 'string';
}

/** Whether the connection broke or never stood: the answer to a commit may be lost. */
export function isLostConnection(error: unknown): boolean {
  if (!types.isNativeError(error)) return false;
  const code = String((error as ServerError).code ?? '');
  return network.test(code) || /^(08|57P0[123])/.test(code) || lostMessages.test(error.message);
}

/** Whether the same transaction may succeed when it is tried again: serialization, deadlock, a lock not free in time. */
export function isRetryable(error: unknown): boolean {
  const code = isServerError(error) ? error.code : undefined;
  return isLostConnection(error) || code === '40001' || code === '40P01' || code === '55P03';
}

/** Hides the values in what the server says of records: `Key (email)=(…)`, `Failing row contains (…)`. */
export function scrub(text: string): string {
  return text
    .replace(/=\([\s\S]*\)/g, '=(…hidden…)')
    .replace(/(Failing row contains) \([\s\S]*\)/g, '$1 (…hidden…)')
    .replace(/(invalid (?:input|byte|.{1,40})[^:"]*: )"[\s\S]*"/g, '$1"…hidden…"')
    .replace(/(value) "[\s\S]*" (is out of range)/g, '$1 "…hidden…" $2');
}

/** A server's error in words that hold names of the schema, and no values of records. */
export function describeError(error: ServerError): string {
  const code = error.code ?? '';
  // Messages of data exceptions, of RAISE and of extensions hold values; those of the other classes hold names only.
  if (/^22/.test(code)) return `a value does not fit (${scrub(error.message)}, ${code})`;
  if (/^(P0|XX|38|39|HV)/.test(code)) return `a function or trigger of the database failed (${code})`;
  const detail = error.detail && /^23/.test(code) ? ` ${scrub(error.detail)}` : '';
  return `${scrub(error.message)}${detail}`.replace(/\.$/, '');
}

const connectionWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name cannot be looked up',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to its host',
};

/** Any error of driver or server as a `Failure`. What is neither passes as it is: it is a bug. */
export function toFailure(error: unknown, place: ErrorPlace): unknown {
  const at = `${place.system} (PostgreSQL ${place.host}:${place.port}/${place.database})`;
  if ((error as { name?: unknown } | null)?.name === 'AbortError') {
    return new Failure({
      code: 'cancelled',
      message: `${at}: stopped on request.`,
      advice: 'Nothing of the open batch was kept.',
      cause: error,
    });
  }
  if (error instanceof Failure || !types.isNativeError(error)) return error;
  const code = (error as ServerError).code ?? '';
  if (code === '3D000') {
    return failure(
      'unreachable',
      `${at} has no such database.`,
      'Create it, or correct the configuration.',
      error,
      true,
    );
  }
  if (code === '55000' && /not currently accepting connections/.test(error.message)) {
    const advice = 'A restore is putting another one in its place; ask again in a moment.';
    return failure('unreachable', `${at} is closed just now.`, advice, error, true);
  }
  if (isLostConnection(error)) {
    const why = connectionWords[code] ?? 'the connection was lost';
    return failure(
      'unreachable',
      `${at} cannot be reached: ${why}.`,
      'Start the server or correct host and port; then ask again.',
      error,
      true,
    );
  }
  if (code === 'ENOSPC') return fullDisk(at, error);
  if (!isServerError(error)) return error;
  return serverFailure(error, at, place);
}

function serverFailure(error: ServerError, at: string, place: ErrorPlace): Failure {
  const code = error.code ?? '';
  const words = describeError(error);
  if (/^28/.test(code)) {
    return failure(
      'wrong-password',
      `${at} refuses user ${place.user}.`,
      'Correct user and password in the configuration.',
      error,
    );
  }
  if (code === '42501') {
    return failure(
      'missing-rights',
      `${at}: user ${place.user} may not do this: ${words}.`,
      'Grant the right to this user, then ask again.',
      error,
    );
  }
  if (code === '53100') return fullDisk(at, error);
  if (code === '53300') {
    return failure('unreachable', `${at} has no free connection.`, 'Raise max_connections or wait.', error, true);
  }
  if (code === '55P03' || code === '57014') {
    return failure(
      'timed-out',
      `${at}: ${words}.`,
      'Others hold locks or the server is busy; nothing of this batch was kept. Try again.',
      error,
      true,
    );
  }
  if (/^40/.test(code)) {
    return failure(
      'step-failed',
      `${at}: ${words}.`,
      'Other transactions were in the way; nothing of this batch was kept. Try again.',
      error,
      true,
    );
  }
  return failure(
    'step-failed',
    `${at}: ${words}.`,
    'Nothing of this batch was kept. Correct the cause, then retry.',
    error,
  );
}

function fullDisk(at: string, cause: Error): Failure {
  return failure(
    'disk-full',
    `${at}: the disk is full.`,
    'Free space, then ask again; nothing of the open batch was kept.',
    cause,
    true,
  );
}

function failure(code: Failure['code'], message: string, advice: string, cause: Error, retryable = false): Failure {
  return new Failure({ code, message, advice, cause, retryable });
}
