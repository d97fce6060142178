import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Granted {
  readonly asked: URLSearchParams;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly forged: boolean;
}

/** A small OpenID Connect provider with real keys, whose people log in as a test says. */
export interface StandInProvider {
  readonly issuer: string;
  /** `away` = it closes connections; `unwell` = it answers 503. */
  health: 'well' | 'away' | 'unwell';
  /** Calls of the token endpoint. */
  readonly exchanges: number;
  /** What the browser does there: somebody logs in, and it is sent back with a code. `claims` are put over the honest ones. */
  logIn(address: URL, claims: Readonly<Record<string, unknown>>, forged?: boolean): URL;
  stop(): Promise<void>;
}

const clientId = 'tas-bot';
export const clientSecret = 'of-the-client';

export async function startStandInProvider(): Promise<StandInProvider> {
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map<string, Granted>();
  const server = createServer((request, response) => {
    if (provider.health === 'away') return void request.socket.destroy();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const { status, body } =
        provider.health === 'unwell' ? { status: 503, body: {} } : respond(request.url ?? '', form);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });

  function respond(path: string, form: URLSearchParams): { status: number; body: unknown } {
    if (path === '/.well-known/openid-configuration') return { status: 200, body: metadata(provider.issuer) };
    if (path === '/jwks') {
      const jwk = own.publicKey.export({ format: 'jwk' });
      return { status: 200, body: { keys: [{ ...jwk, kid: 'k', use: 'sig', alg: 'RS256' }] } };
    }
    if (path !== '/token') return { status: 404, body: {} };
    exchanges += 1;
    const code = form.get('code') ?? '';
    const granted = codes.get(code);
    codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (form.get('client_secret') !== clientSecret) return { status: 401, body: { error: 'invalid_client' } };
    if (granted === undefined || challenge !== granted.asked.get('code_challenge'))
      return { status: 400, body: { error: 'invalid_grant' } };
    if (form.get('redirect_uri') !== granted.asked.get('redirect_uri'))
      return { status: 400, body: { error: 'invalid_grant' } };
    const key = granted.forged ? foreign.privateKey : own.privateKey;
    const text = [{ alg: 'RS256', kid: 'k' }, granted.claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const idToken = `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
    return { status: 200, body: { access_token: 'a', token_type: 'Bearer', expires_in: 60, id_token: idToken } };
  }

  let exchanges = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const provider: StandInProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    health: 'well',
    get exchanges() {
      return exchanges;
    },
    logIn(address, claims, forged = false) {
      const asked = address.searchParams;
      const code = randomBytes(16).toString('hex');
      const now = Math.floor(Date.now() / 1000);
      const honest = {
        iss: provider.issuer,
        sub: 'someone',
        aud: clientId,
        iat: now,
        exp: now + 60,
        auth_time: now,
        nonce: asked.get('nonce'),
      };
      codes.set(code, { asked, claims: { ...honest, ...claims }, forged });
      const back = new URL(asked.get('redirect_uri') ?? '');
      back.search = new URLSearchParams({ code, state: asked.get('state') ?? '', iss: provider.issuer }).toString();
      return back;
    },
    stop: () => stop(server),
  };
  return provider;
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function metadata(issuer: string) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_post'],
    authorization_response_iss_parameter_supported: true,
  };
}
