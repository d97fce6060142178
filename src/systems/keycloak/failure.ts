import { Failure } from '../../shared/failure.ts';

/** Whose error it is: the configured name, where the server is, and the realm. */
export interface Place {
  readonly name: string;
  readonly at: string;
  readonly realm: string;
}

export function unreachable(place: Place, why: string | null, cause?: unknown): Failure {
  const code = (cause as { cause?: { code?: string } } | undefined)?.cause?.code;
  const words = why ?? (code === 'ECONNREFUSED' ? 'nothing listens there' : 'the connection fails');
  return new Failure({
    code: 'unreachable',
    message: `${say(place)} cannot be reached: ${words}.`,
    advice: 'Start it or correct its address.',
    retryable: true,
    cause,
  });
}

export function wrongPassword(place: Place, realm: string): Failure {
  return new Failure({
    code: 'wrong-password',
    message: `${say(place)} refuses user or password in the realm ${realm}.`,
    advice: 'Correct user, password and loginRealm; the client must allow direct access grants.',
  });
}

export function forbidden(place: Place): Failure {
  return new Failure({
    code: 'missing-rights',
    message: `${say(place)} does not allow this user to do that.`,
    advice: `Give it view-users, view-clients, view-realm and manage-realm of the realm ${place.realm}.`,
  });
}

export function stopped(place: Place, cause: unknown): Failure {
  const message = `${say(place)} was stopped on request.`;
  return new Failure({ code: 'cancelled', message, advice: 'Nothing was changed by it.', cause });
}

export function strange(place: Place, what: string, advice: string): Failure {
  return new Failure({ code: 'precondition-failed', message: `${say(place)} ${what}.`, advice });
}

function say({ name, at }: Place): string {
  return `${name} (Keycloak ${at})`;
}
