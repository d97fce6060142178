import { Neo4jError } from 'neo4j-driver';
import { Failure, type FailureCode } from '../../shared/failure.ts';
import { UnknownValueError } from './encode.ts';

/** Where a failure happened: the system's configured name and the server's address. */
export interface Place {
  readonly name: string;
  /** The address without user and password. */
  readonly address: string;
}

interface Said {
  readonly code: FailureCode;
  readonly message: string;
  readonly advice: string;
  readonly retryable?: boolean;
}

/** Keeps code and stack for the log, not the message: Neo4j quotes values of records in it. */
function scrubbedCause(error: Error, code: string): Error {
  const cause = new Error(code);
  cause.stack = `${code}\n${(error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')}`;
  return cause;
}

/** ``label `User` and property `email` = 'x'`` → `User(email)`; names only. */
function constrained(message: string): string {
  const found = /(?:label|type) `(.+?)` and (?:property|properties) (.+?) =/.exec(message);
  return found ? `${found[1]}(${(found[2] ?? '').replaceAll('`', '')})` : 'a record';
}

function sayUnreachable({ name, address }: Place): Said {
  return {
    code: 'unreachable',
    message: `${name}: Neo4j at ${address} does not answer.`,
    advice: 'Check that the server runs and that the network lets the bot reach it; then ask again.',
    retryable: true,
  };
}

function sayDiskFull({ name, address }: Place): Said {
  return {
    code: 'disk-full',
    message: `${name}: no space is left on the disk of Neo4j at ${address}.`,
    advice: 'Free space or enlarge the volume; the transaction was rolled back. Then retry.',
    retryable: true,
  };
}

function sayByCode(code: string, message: string, place: Place): Said {
  const { name, address } = place;
  if (/^Neo\.ClientError\.Security\.(Unauthorized|Authentication|Credentials|Token)/.test(code)) {
    return {
      code: 'wrong-password',
      message: `${name}: Neo4j at ${address} refuses the user or the password.`,
      advice: "Correct the user or the password in the environment's configuration.",
    };
  }
  if (code.startsWith('Neo.ClientError.Security.')) {
    return {
      code: 'missing-rights',
      message: `${name}: the configured user may not do this on Neo4j at ${address}.`,
      advice: 'Give the user the right to read and write the database and its schema.',
    };
  }
  if (code === 'Neo.ClientError.Statement.AccessMode') {
    return {
      code: 'invalid-statement',
      message: `${name}: a statement that may only read tried to write; Neo4j refused it.`,
      advice: 'Write the check or condition without SET, CREATE, MERGE, DELETE and without procedures that write.',
    };
  }
  if (/^Neo\.ClientError\.Statement\.(SyntaxError|SemanticError)/.test(code)) {
    return {
      code: 'invalid-statement',
      message: `${name}: ${message.split('\n')[0]}`,
      advice: 'Correct the statement; nothing was changed.',
    };
  }
  if (code === 'Neo.ClientError.Schema.ConstraintValidationFailed') {
    return {
      code: 'precondition-failed',
      message: `${name}: a constraint on ${constrained(message)} refuses a value that would be written.`,
      advice: 'Look for records that hold the value already; the batch was rolled back.',
    };
  }
  if (code === 'Neo.ClientError.Database.DatabaseNotFound') {
    return {
      code: 'invalid-config',
      message: `${name}: Neo4j at ${address} has no such database.`,
      advice: "Correct the database's name in the environment's configuration.",
    };
  }
  if (/TransactionTimedOut/.test(code)) {
    return {
      code: 'timed-out',
      message: `${name}: a transaction on Neo4j at ${address} took too long and was rolled back.`,
      advice: 'Look for long-held locks (SHOW TRANSACTIONS), then retry.',
      retryable: true,
    };
  }
  return {
    code: 'step-failed',
    message: `${name}: Neo4j at ${address} answered ${code}.`,
    advice: "The transaction was rolled back. The server's log says more.",
    retryable: code.startsWith('Neo.TransientError.'),
  };
}

/** A driver's or disk's error as a `Failure` without values of records; anything else comes back as it is (a bug). */
export function asFailure(error: unknown, place: Place): Error {
  if (error instanceof Failure) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  const code = (error as { code?: unknown }).code;
  const unreadable = error instanceof UnknownValueError;
  if (unreadable) {
    const message = `${place.name}: ${error.message}.`;
    return new Failure({
      code: 'step-failed',
      message,
      advice: 'Convert the value by hand, then retry.',
      cause: error,
    });
  }
  if (code === 'ENOSPC') {
    const message = `${place.name}: no space is left on the disk that the backup is written to.`;
    return new Failure({ code: 'disk-full', message, advice: 'Free space, then ask again.', retryable: true });
  }
  if (!(error instanceof Neo4jError)) return error;
  const cause = scrubbedCause(error, String(code));
  if (/no space left|not enough (disk )?space|disk( is)? full/i.test(error.message)) {
    return new Failure({ ...sayDiskFull(place), cause });
  }
  const lost = code === 'ServiceUnavailable' || code === 'SessionExpired' || code === 'ProtocolError';
  const stopped = String(code) === 'Neo.TransientError.General.DatabaseUnavailable';
  if (lost || stopped) return new Failure({ ...sayUnreachable(place), cause });
  return new Failure({ ...sayByCode(String(code), error.message, place), cause });
}
