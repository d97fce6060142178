import { types } from 'node:util';
import { Failure, type FailureCode } from '../../shared/failure.ts';

/** Whose error it is: the configured name and where the brokers are. */
export interface ErrorPlace {
  readonly system: string;
  /** `host:port, host:port`. */
  readonly at: string;
}

type Meaning = readonly [FailureCode, string, string, boolean?];

const rights = 'Give the user this right with an ACL of the server.';
const again = 'Nothing was changed by this. Try again.';

/** What the protocol's codes mean to an operator. */
const meanings: Readonly<Record<string, Meaning>> = {
  TOPIC_AUTHORIZATION_FAILED: ['missing-rights', 'does not allow this user to do that with a topic', rights],
  GROUP_AUTHORIZATION_FAILED: ['missing-rights', 'does not allow this user to do that with a consumer group', rights],
  CLUSTER_AUTHORIZATION_FAILED: ['missing-rights', 'does not allow this user to do that with the cluster', rights],
  UNKNOWN_TOPIC_OR_PARTITION: [
    'precondition-failed',
    'has no such topic, or does not show it to this user',
    'Create the topic, or correct its name.',
  ],
  INVALID_CONFIG: ['precondition-failed', 'refuses a setting of the topic', 'Correct its name or value.'],
  INVALID_REPLICATION_FACTOR: [
    'precondition-failed',
    'has too few brokers for this replication',
    'Ask for as many replicas as there are brokers, at most.',
  ],
  INVALID_PARTITIONS: ['precondition-failed', 'refuses this number of partitions', 'Ask for one at least.'],
  INVALID_TOPIC_EXCEPTION: [
    'precondition-failed',
    'refuses the name of the topic',
    'Use letters, digits, dots and dashes.',
  ],
  POLICY_VIOLATION: ['precondition-failed', 'forbids that by its policy', 'Ask whoever runs it.'],
  NON_EMPTY_GROUP: ['conflict', 'has consumers in that group', 'Stop them first, then try again.', true],
  REBALANCE_IN_PROGRESS: ['conflict', 'has consumers that join that group', 'Stop them first, then try again.', true],
  UNKNOWN_MEMBER_ID: ['conflict', 'has consumers that join that group', 'Stop them first, then try again.', true],
  ILLEGAL_GENERATION: ['conflict', 'has consumers that join that group', 'Stop them first, then try again.', true],
  INCONSISTENT_GROUP_PROTOCOL: ['conflict', 'has other consumers in that group', 'Stop them first.', true],
  MESSAGE_TOO_LARGE: [
    'step-failed',
    'refuses a record of the journal as too large',
    'Raise max.message.bytes of the journal topic, then try again.',
  ],
  NOT_ENOUGH_REPLICAS: ['unreachable', 'has too few replicas in sync', again, true],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: ['unreachable', 'has too few replicas in sync', again, true],
  KAFKA_STORAGE_ERROR: ['disk-full', 'cannot write to its disk', 'Make room on the brokers, then try again.', true],
};

const passing = /NOT_AVAILABLE|NOT_LEADER|NOT_CONTROLLER|REQUEST_TIMED_OUT|NETWORK_EXCEPTION|COORDINATOR/;

interface KafkaError extends Error {
  readonly type?: string;
  readonly originalError?: unknown;
  readonly errors?: readonly unknown[];
}

/** The error under those that the driver wraps around it. */
function innermost(error: Error): KafkaError {
  const { cause, originalError, errors } = error as KafkaError;
  const inner = errors?.[0] ?? originalError ?? cause;
  return types.isNativeError(inner) ? innermost(inner) : (error as KafkaError);
}

/** The protocol's name of an error of the driver, e.g. `TOPIC_ALREADY_EXISTS`; empty where it has none. */
export function typeOf(error: unknown): string {
  return types.isNativeError(error) ? (innermost(error).type ?? '') : '';
}

/** Any error of driver, server or disk as a `Failure`. What is neither passes as it is: it is a bug. */
export function toFailure(error: unknown, place: ErrorPlace): unknown {
  if (error instanceof Failure || !types.isNativeError(error)) return error;
  const inner = innermost(error);
  const fail = ([code, message, advice, retryable = false]: Meaning): Failure =>
    new Failure({ code, message: `${place.system} (Kafka ${place.at}) ${message}.`, advice, retryable, cause: error });
  const meaning = meanings[inner.type ?? ''];
  if (meaning) return fail(meaning);
  if (inner.name === 'KafkaJSSASLAuthenticationError' || /SASL .*authentication failed/i.test(inner.message)) {
    return fail(['wrong-password', 'refuses user or password', 'Correct user, password and mechanism.']);
  }
  if (inner.name === 'KafkaJSGroupCoordinatorNotFound') {
    const advice =
      'Give the user the right to describe and read the group; a server that has just started needs a moment.';
    return fail(['missing-rights', 'does not say which broker looks after a consumer group', advice, true]);
  }
  if (inner.name === 'AbortError' || inner.name === 'TimeoutError') {
    return fail(['cancelled', 'was stopped on request', 'What was done so far stands; it goes on from there.']);
  }
  const code = String((inner as { code?: unknown }).code ?? '');
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return fail(['disk-full', 'cannot be saved: the disk of the backups is full', 'Make room there and ask again.']);
  }
  if (passing.test(inner.type ?? '')) return fail(['unreachable', `is busy (${inner.type})`, again, true]);
  if (/^KafkaJS(Connection|RequestTimeout|BrokerNotFound|NumberOfRetries|Timeout)/.test(inner.name)) {
    return fail(['unreachable', `cannot be reached: ${reasonOf(inner)}`, 'Start it or correct the addresses.', true]);
  }
  if (inner.name.startsWith('KafkaJS')) {
    return fail(['step-failed', `answered with ${inner.type ?? inner.name}`, 'See the log of the bot.']);
  }
  return error;
}

function reasonOf({ message }: Error): string {
  if (message.includes('ECONNREFUSED')) return 'nothing listens there';
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) return 'its host name is not known';
  return 'it does not answer';
}
