import { types } from 'node:util';
import { Failure, type FailureCode } from '../../shared/failure.ts';

/** Whose error it is: the configured name and where the server is. */
export interface ErrorPlace {
  readonly system: string;
  /** `host:port/database`. */
  readonly at: string;
}

type Meaning = readonly [FailureCode, string, string, boolean?];

const later = 'Nothing was changed by this. Try again in a moment.';

/** What the first word of the server's answer means to an operator. Keys that it may name after it are not shown. */
const meanings: Readonly<Record<string, Meaning>> = {
  WRONGPASS: ['wrong-password', 'refuses user or password', 'Correct user and password.'],
  NOAUTH: ['wrong-password', 'asks for a password, and none is configured', 'Configure user and password.'],
  NOPERM: [
    'missing-rights',
    'does not allow this user to do that',
    'Give the user the rights of the guide with ACL SETUSER.',
  ],
  READONLY: ['precondition-failed', 'is a replica and cannot be written', 'Point the configuration at the primary.'],
  LOADING: ['unreachable', 'is still loading its data', later, true],
  BUSY: ['unreachable', 'is busy with a script', later, true],
  MASTERDOWN: ['unreachable', 'has lost its primary', later, true],
  TRYAGAIN: ['unreachable', 'is moving its data', later, true],
  CLUSTERDOWN: ['unreachable', 'is part of a cluster that is down', later, true],
  MOVED: [
    'precondition-failed',
    'is part of a cluster',
    'Redis Cluster is not supported: keys lie on several servers.',
  ],
  OOM: ['disk-full', 'has no memory left', 'Raise its maxmemory or make room, then try again.', true],
  MISCONF: [
    'disk-full',
    'refuses writes: it cannot save its data to disk',
    'See its log and make room on its disk.',
    true,
  ],
  WRONGTYPE: ['step-failed', 'holds another type of value under a key than was expected', 'Try again.', true],
  NOPROTO: ['precondition-failed', 'is too old', 'Redis 6 or later is needed.'],
};

const network = /^(ECONN|ENOTFOUND|ETIMEDOUT|EHOST|ENET|EPIPE|EAI_)/;

/** What the driver throws when there is no connection, or no longer. */
const lost =
  /^(ConnectionTimeout|SocketTimeout|ClientClosed|ClientOffline|DisconnectsClient|SocketClosedUnexpectedly|Reconnect)/;

/** The first word of an answer of the server, e.g. `NOAUTH`; empty for other errors. */
export function wordOf(error: unknown): string {
  if (!types.isNativeError(error)) return '';
  return /^-?([A-Z]{2,}) /.exec(error.message)?.[1] ?? '';
}

/** Any error of driver, server or disk as a `Failure`. What is neither passes as it is: it is a bug. */
export function toFailure(error: unknown, place: ErrorPlace): unknown {
  if (error instanceof Failure || !types.isNativeError(error)) return error;
  const fail = ([code, message, advice, retryable = false]: Meaning): Failure =>
    new Failure({ code, message: `${place.system} (Redis ${place.at}) ${message}.`, advice, retryable, cause: error });
  const meaning = meanings[wordOf(error)];
  if (meaning) return fail(withCommand(meaning, error.message));
  const code = String((error as { code?: unknown }).code ?? '');
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return fail(['disk-full', 'cannot be saved: the disk of the backups is full', 'Make room there and ask again.']);
  }
  if (error.name === 'AbortError' && code === 'ABORT_ERR') {
    return fail(['cancelled', 'was stopped on request', 'What was done so far stands; it goes on from there.']);
  }
  if (network.test(code) || lost.test(error.constructor.name)) {
    const why = code === 'ECONNREFUSED' ? 'nothing listens there' : 'it does not answer or the connection was lost';
    return fail(['unreachable', `cannot be reached: ${why}`, 'Start it or correct its address.', true]);
  }
  if (/Bad data format|DUMP payload version/.test(error.message)) {
    const advice = 'Restore into the version of Redis that the set was taken from, or a later one.';
    return fail(['precondition-failed', 'cannot read a value of the set: its version is older', advice]);
  }
  if (/Reply$|SimpleError|BlobError/.test(error.constructor.name)) {
    return fail(['step-failed', 'answered with an error', 'See the log of the bot.']);
  }
  return error;
}

/** A missing right is told by the command's name, which is all that the server says besides. */
function withCommand(meaning: Meaning, message: string): Meaning {
  const command = /run the '([\w|]+)' command/.exec(message)?.[1];
  if (meaning[0] !== 'missing-rights') return meaning;
  const [code, , advice] = meaning;
  if (command) return [code, `does not allow this user the command ${command.toUpperCase()}`, advice];
  return [code, 'does not allow this user these keys', advice];
}
