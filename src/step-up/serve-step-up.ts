import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../shared/logger.ts';
import { isLoopback } from '../shared/safe-address.ts';
import type { ConfirmApproval } from './confirm-approval.ts';
import { type Page, pageHeaders, renderPage } from './page.ts';
import { brokenPage, foreignPage, unknownPage } from './pages.ts';
import { hashOf } from './secrets.ts';
import { publicAddress, type StepUpSettings } from './settings.ts';

interface Deps {
  readonly settings: Pick<StepUpSettings, 'publicUrl' | 'port'>;
  readonly confirm: ConfirmApproval;
  readonly logger: Logger;
}

/** The few pages on which approvals are confirmed. */
export interface StepUpServer {
  start(): Promise<{ port: number }>;
  stop(): Promise<void>;
}

const cookieMinutes = 10;

export function createStepUpServer(deps: Deps): StepUpServer {
  const { settings, logger } = deps;
  const server = createServer(
    { maxHeaderSize: 16_384, headersTimeout: 5_000, requestTimeout: 10_000 },
    (request, response) => {
      void answer(deps, request)
        .catch((error: unknown) => {
          const id = randomUUID().slice(0, 8);
          logger.error({ id, err: error }, 'confirming an approval went wrong');
          return { page: brokenPage(id) };
        })
        .then((answered) => send(response, answered));
    },
  );
  server.maxConnections = 200;
  return {
    async start() {
      const host = isLoopback(settings.publicUrl) ? '127.0.0.1' : undefined;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(settings.port, host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      return { port: (server.address() as AddressInfo).port };
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Answers take as long as the provider does; what is open after that is somebody who never finishes.
        setTimeout(() => server.closeAllConnections(), 1_000).unref();
      }),
  };
}

interface Answer {
  readonly page: Page;
  readonly cookie?: string;
}

async function answer({ settings, confirm }: Deps, request: IncomingMessage): Promise<Answer> {
  // Whatever is sent with it is of no use here.
  request.resume();
  const asked = URL.parse(request.url ?? '', 'http://bot');
  if (asked === null) return { page: unknownPage };
  const { pathname, searchParams } = asked;
  const base = publicAddress(settings, '').pathname;
  if (!pathname.startsWith(base)) return { page: unknownPage };
  const token = pathname.slice(base.length);
  const { method = 'GET' } = request;
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return { page: { ...unknownPage, status: 405 } };
  if (token === 'callback')
    return method === 'GET' ? finish({ settings, confirm }, request, searchParams) : { page: unknownPage };
  if (method !== 'POST') return { page: await confirm.look(token) };
  // Other sites cannot press the button for somebody: he has to have seen what it is about.
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return { page: foreignPage };
  const { page, login } = await confirm.begin(token);
  return login === null
    ? { page }
    : { page, cookie: cookie(settings, login.state, login.browserSecret, cookieMinutes) };
}

async function finish(
  { settings, confirm }: Pick<Deps, 'settings' | 'confirm'>,
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<Answer> {
  const state = query.get('state') ?? '';
  const name = cookieName(settings, state);
  const held = (request.headers.cookie ?? '').split(/; */).find((part) => part.startsWith(`${name}=`));
  const page = await confirm.finish(query, held?.slice(name.length + 1) ?? null);
  return { page, cookie: cookie(settings, state, '', 0) };
}

/** One a login, so that two at once do not get into each other's way. */
function cookieName({ publicUrl }: Deps['settings'], state: string): string {
  const prefix = publicUrl.startsWith('https:') ? '__Host-' : '';
  return `${prefix}tas-step-up-${hashOf(state).slice(0, 16)}`;
}

function cookie(settings: Deps['settings'], state: string, value: string, minutes: number): string {
  const secure = settings.publicUrl.startsWith('https:') ? '; Secure' : '';
  // Lax: it has to come along when the provider sends the browser back.
  return `${cookieName(settings, state)}=${value}; Path=/; Max-Age=${minutes * 60}; HttpOnly; SameSite=Lax${secure}`;
}

function send(response: ServerResponse, { page, cookie: set }: Answer): void {
  response.writeHead(page.status, { ...pageHeaders, ...(set === undefined ? {} : { 'set-cookie': set }) });
  response.end(renderPage(page));
}
