import { types } from 'node:util';
import { z } from 'zod';
import { Failure, type FailureCode } from '../../shared/failure.ts';

/** Whose error it is: the configured name and where the API server is. */
export interface ErrorPlace {
  readonly system: string;
  /** `host:port`. */
  readonly at: string;
}

/** What was asked for, for messages. */
export interface Asked {
  /** As RBAC names it: get, list, create, patch, delete … */
  readonly verb: string;
  /** As RBAC names it: `deployments.apps`, `pods/log`. */
  readonly resource: string;
  readonly namespace: string | null;
  readonly name?: string;
}

const statusSchema = z.object({
  reason: z.string().optional(),
  message: z.string().optional(),
  details: z
    .object({
      kind: z.string().optional(),
      name: z.string().optional(),
      causes: z.array(z.object({ reason: z.string().optional(), field: z.string().optional() })).optional(),
    })
    .optional(),
});
type Status = z.infer<typeof statusSchema>;

/** `patch deployments.apps in namespace aether-be`. */
export function sayAsked({ verb, resource, namespace }: Asked): string {
  return `${verb} ${resource}${namespace === null ? '' : ` in namespace ${namespace}`}`;
}

/** The server's answer to a request that it refused. An empty reason where the body says none. */
export function readStatus(body: string): Status & { readonly reason: string } {
  const parsed = statusSchema.safeParse(parseJson(body));
  return parsed.success ? { ...parsed.data, reason: parsed.data.reason ?? '' } : { reason: '' };
}

/** An answer that is no success, as a `Failure`. Texts of the server that may quote values are left out. */
export function refusal(code: number, body: string, asked: Asked, place: ErrorPlace): Failure {
  const status = readStatus(body);
  const at = sayPlace(place);
  const what = `${sayAsked(asked)}${asked.name ? ` (${asked.name})` : ''}`;
  const fail = (failure: FailureCode, message: string, advice: string, retryable = false): Failure =>
    new Failure({
      code: failure,
      message: `${at} ${message}.`,
      advice,
      retryable,
      cause: { code, reason: status.reason },
    });
  if (code === 401) {
    return fail('wrong-password', 'does not know these credentials', 'Correct the kubeconfig, or renew its token.');
  }
  if (code === 403) return forbidden(fail, status, asked);
  if (code === 404) return missing(fail, status, asked);
  if (code === 409) {
    const advice = 'What was done so far stands. Try again: it is read anew and judged again.';
    return fail('conflict', `refuses to ${what}: somebody changed it at the same time`, advice, true);
  }
  if (code === 413) return fail('over-cap', `refuses to ${what}: it is too large`, 'Make it smaller.');
  if (code === 422 || code === 400) {
    const fields = (status.details?.causes ?? []).map(
      ({ field, reason }) => `${field ?? '?'} (${reason ?? 'invalid'})`,
    );
    const why = fields.length > 0 ? `: ${fields.slice(0, 5).join(', ')}` : '';
    return fail(
      'step-failed',
      `does not accept the change (${what})${why}`,
      'Nothing was changed by it. Correct the step.',
    );
  }
  if (/database space exceeded/.test(status.message ?? '')) {
    return fail(
      'disk-full',
      'has no room left in etcd',
      'Compact and defragment etcd, or raise its quota; then try again.',
    );
  }
  if (code === 429 || code >= 500) {
    return fail('unreachable', `is busy or ill (${code} ${status.reason})`, 'Wait a little and try again.', true);
  }
  return fail('step-failed', `answered ${code} ${status.reason} to ${what}`, 'See the log of the bot.');
}

type Fail = (code: FailureCode, message: string, advice: string, retryable?: boolean) => Failure;

function forbidden(fail: Fail, status: Status, asked: Asked): Failure {
  const message = status.message ?? '';
  if (/exceeded quota/.test(message)) {
    return fail(
      'step-failed',
      `refuses to ${sayAsked(asked)}: a quota is exceeded`,
      'Raise the quota of the namespace, then try again.',
    );
  }
  if (/being terminated/.test(message)) {
    return fail(
      'precondition-failed',
      `refuses to ${sayAsked(asked)}: the namespace is being deleted`,
      'Wait until it is gone, make it anew, then ask again.',
    );
  }
  if (message !== '' && !/ cannot /.test(message)) {
    return fail(
      'step-failed',
      `refuses to ${sayAsked(asked)}: admission denies it`,
      'See the log of the API server or of the admission webhook.',
    );
  }
  const advice = `Grant it with a Role and RoleBinding: verb ${asked.verb}, resource ${asked.resource}${asked.namespace ? `, namespace ${asked.namespace}` : ' (ClusterRole)'}.`;
  return fail('missing-rights', `does not allow the bot to ${sayAsked(asked)}`, advice);
}

function missing(fail: Fail, status: Status, asked: Asked): Failure {
  if (status.details?.kind === 'namespaces') {
    return fail(
      'precondition-failed',
      `has no namespace ${asked.namespace ?? status.details.name ?? ''}`,
      'Create it, or correct the name.',
    );
  }
  if (asked.name === undefined)
    return fail(
      'precondition-failed',
      `does not know ${asked.resource}`,
      'Install what defines it, or correct the step.',
    );
  return fail(
    'precondition-failed',
    `has no ${asked.resource} ${asked.namespace}/${asked.name}`,
    'Correct the name, or create it.',
  );
}

const network = /^(ECONN|ENOTFOUND|ETIMEDOUT|EHOST|ENET|EPIPE|EAI_|ERR_SOCKET)/;
const certificates = /CERT|LEAF_SIGNATURE|ERR_TLS|ERR_SSL/;

const connectionWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name cannot be looked up',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to its host',
};

/** Any error of driver and network as a `Failure`. What is neither passes as it is: it is a bug. */
export function toFailure(error: unknown, place: ErrorPlace): unknown {
  if (error instanceof Failure || !types.isNativeError(error)) return error;
  const at = sayPlace(place);
  const fail = (code: FailureCode, message: string, advice: string, retryable = false): Failure =>
    new Failure({ code, message: `${at} ${message}.`, advice, retryable, cause: error });
  const { code: found } = error as { code?: unknown };
  const code = typeof found === 'string' ? found : '';
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return fail('cancelled', 'was stopped on request', 'What was done so far stands; it goes on from there.');
  }
  if (certificates.test(code)) {
    return fail(
      'unreachable',
      `cannot be trusted: its certificate is refused (${code})`,
      'Correct the certificate authority of the kubeconfig.',
    );
  }
  if (network.test(code) || /socket hang up|aborted/.test(error.message)) {
    const why = connectionWords[code] ?? 'the connection was lost';
    return fail('unreachable', `cannot be reached: ${why}`, 'Start the API server or correct its address.', true);
  }
  return error;
}

function sayPlace({ system, at }: ErrorPlace): string {
  return `${system} (Kubernetes ${at})`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
