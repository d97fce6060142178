import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MaintenanceSettings } from '../../src/maintenance/settings.ts';
import { tellStatusPages } from '../../src/maintenance/status-page.ts';
import type { StatusPost } from '../../src/maintenance/window.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { Secret } from '../../src/shared/secret.ts';

let server: Server;
let url: string;
let answers: (number | 'cut')[];
let taken: { headers: IncomingHttpHeaders; body: { [field: string]: unknown }; path: string | undefined }[];

beforeEach(async () => {
  answers = [];
  taken = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => {
      const answer = answers.shift() ?? 200;
      taken.push({ headers: request.headers, body: JSON.parse(body || '{}'), path: request.url });
      if (answer === 'cut') return request.socket.destroy();
      response.writeHead(answer, answer === 307 ? { location: `${url}/elsewhere` } : {});
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const now = new Date('2026-11-24T01:00:00.000Z');
const post: StatusPost = {
  id: 'win-1:started',
  windowId: 'win-1',
  environment: 'sandbox',
  body: { occasion: 'started', text: 'Maintenance has begun' },
  attempts: 0,
};

async function tell(over: Partial<StatusPost> = {}, at = `${url}/hook`): Promise<string[]> {
  const became: string[] = [];
  const statusPage = { url: at, header: { name: 'Authorization', value: new Secret('Bearer s3cret') } };
  await tellStatusPages({
    store: {
      claimPosts: async () => [{ ...post, ...over }],
      settlePost: async (_id, state) => void became.push(state),
      postponePost: async (_id, next) => void became.push(`again in ${(next.getTime() - now.getTime()) / 1000} s`),
    },
    settings: new Map([['sandbox', { statusPage } as MaintenanceSettings]]),
    clock: { now: () => now },
    logger: createLogger('silent'),
  });
  return became;
}

describe('a status page', () => {
  it('is told as JSON, with the secret header and the id of what it is told', async () => {
    expect(await tell()).toEqual(['delivered']);
    expect(taken).toMatchObject([
      {
        path: '/hook',
        headers: {
          authorization: 'Bearer s3cret',
          'idempotency-key': 'win-1:started',
          'content-type': 'application/json',
        },
        body: { id: 'win-1:started', occasion: 'started', text: 'Maintenance has begun' },
      },
    ]);
  });

  it('is told again, later and later, while it does not take it', async () => {
    answers = [500, 'cut', 429];
    expect(await tell()).toEqual(['again in 5 s']);
    expect(await tell({ attempts: 1 })).toEqual(['again in 10 s']);
    expect(await tell({ attempts: 30 })).toEqual(['again in 600 s']);
    expect(new Set(taken.map(({ body }) => body.id))).toEqual(new Set(['win-1:started']));
  });

  it('is not told again what it refuses', async () => {
    answers = [422];
    expect(await tell()).toEqual(['refused']);
  });

  it('sends nobody elsewhere: the header is a secret of its own address', async () => {
    answers = [307];
    expect(await tell()).toEqual(['refused']);
    expect(taken.map(({ path }) => path)).toEqual(['/hook']);
  });

  it('that nobody configures any more is not waited for', async () => {
    expect(await tell({ environment: 'gone' })).toEqual(['refused']);
    expect(taken).toEqual([]);
  });
});
