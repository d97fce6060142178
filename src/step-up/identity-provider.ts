import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  ResponseBodyError,
} from 'openid-client';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import { isLoopback } from '../shared/safe-address.ts';
import type { Secret } from '../shared/secret.ts';
import { publicAddress, type StepUpSettings } from './settings.ts';

/** One login: what goes to the provider with it and must come back. */
interface LoginSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** The OpenID Connect provider, spoken to when it is needed and not before. Throws `unreachable` while it does not answer. */
export interface IdentityProvider {
  /** Where the browser logs in, anew, whoever is logged in already. */
  loginAddress(login: LoginSecrets): Promise<URL>;
  /** The claim of who logged in since `begunAt`; null = it is not there. Throws `not-confirmed` when anything is wrong with the answer. */
  whoLoggedIn(answer: URLSearchParams, login: LoginSecrets, begunAt: Date): Promise<string | null>;
}

const patience = 10;
/** Clocks of two machines may differ so much, in seconds. */
const skew = 30;
/** Keys are looked up anew by themselves; where they are may change too. */
const rememberedFor = 60 * 60_000;

export function createIdentityProvider(deps: {
  readonly settings: StepUpSettings;
  readonly clientSecret: Secret;
  readonly clock: Clock;
}): IdentityProvider {
  const { settings, clock } = deps;
  let known: { readonly at: number; readonly provider: Promise<Configuration> } | null = null;

  async function provider(): Promise<Configuration> {
    const now = clock.now().getTime();
    if (known === null || now - known.at > rememberedFor) {
      const asked = { at: now, provider: discover(settings, deps.clientSecret) };
      known = asked;
      // Down now is not down for ever.
      asked.provider.catch(() => {
        if (known === asked) known = null;
      });
    }
    return known.provider;
  }

  return {
    async loginAddress({ state, nonce, verifier }) {
      const found = await provider();
      return buildAuthorizationUrl(found, {
        redirect_uri: publicAddress(settings, 'callback').href,
        scope: 'openid',
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        prompt: 'login',
        max_age: String(settings.maxAgeSeconds),
        ...(settings.acr === undefined ? {} : { acr_values: settings.acr }),
      });
    },
    async whoLoggedIn(answer, { state, nonce, verifier }, begunAt) {
      const found = await provider();
      const address = publicAddress(settings, 'callback');
      address.search = answer.toString();
      const tokens = await authorizationCodeGrant(found, address, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        maxAge: settings.maxAgeSeconds,
        idTokenExpected: true,
      }).catch((error: unknown) => {
        throw failureOf(error);
      });
      const claims = tokens.claims();
      // The standard lets providers answer from a session; here somebody has to have logged in for this very vote.
      if (claims?.auth_time === undefined || (claims.auth_time + skew) * 1000 < begunAt.getTime())
        throw wrong('That login is older than this confirmation.');
      if (settings.acr !== undefined && claims.acr !== settings.acr)
        throw wrong('That login was not of the kind that is asked for here.');
      const who = claims[settings.claim];
      return typeof who === 'string' ? who : null;
    },
  };
}

async function discover(settings: StepUpSettings, secret: Secret): Promise<Configuration> {
  const insecure = isLoopback(settings.issuer) && settings.issuer.startsWith('http:') ? [allowInsecureRequests] : [];
  return discovery(new URL(settings.issuer), settings.clientId, undefined, clientAuth(secret), {
    // The ID token's signature is checked too, not only that it came over TLS.
    execute: [enableNonRepudiationChecks, ...insecure],
    timeout: patience,
  }).catch((error: unknown) => {
    throw away(error);
  });
}

/** As the provider takes it; without a word of it the standard says Basic. */
function clientAuth(secret: Secret): ClientAuth {
  const basic = ClientSecretBasic(secret.reveal());
  const post = ClientSecretPost(secret.reveal());
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    return (methods.includes('client_secret_basic') ? basic : post)(server, ...rest);
  };
}

/** What the provider's answer, or none, comes to. The causes are for the log. */
function failureOf(error: unknown): Failure {
  if (error instanceof AuthorizationResponseError)
    return wrong('The identity provider did not let the login through.', error);
  if (error instanceof ResponseBodyError) {
    if (error.status >= 500 || error.status === 429) return away(error);
    return wrong(
      error.error === 'invalid_client' || error.error === 'unauthorized_client'
        ? 'The identity provider does not take the bot’s client id or secret.'
        : 'The identity provider does not take that login’s answer.',
      error,
    );
  }
  const unanswered = ['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'OAUTH_RESPONSE_IS_NOT_CONFORM', 'OAUTH_RESPONSE_IS_NOT_JSON'];
  // Without a code nothing of the answer was wrong: there was none.
  if (error instanceof ClientError && error.code !== undefined && !unanswered.includes(error.code))
    return wrong('The identity provider’s answer does not stand up to the checks.', error);
  return away(error);
}

function wrong(message: string, cause?: unknown): Failure {
  return new Failure({
    code: 'not-confirmed',
    message,
    advice: 'The vote was not counted. Try it again from the link; the bot’s log says more.',
    retryable: true,
    cause,
  });
}

function away(cause: unknown): Failure {
  return new Failure({
    code: 'unreachable',
    message: 'The identity provider does not answer as it should.',
    advice:
      'The vote was not counted. Try the link again in a minute; what waits for the vote goes on waiting until its time is over.',
    retryable: true,
    cause,
  });
}
