import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readFields } from './body.ts';
import { createRates } from './limits/rates.ts';
import type { ResponseUrls } from './response-urls.ts';
import { type Answer, type Call, type Fields, fail, type Method, textOf } from './web-api/answer.ts';
import { chatMethods } from './web-api/chat.ts';
import { workspaceMethods } from './web-api/workspace-methods.ts';

const methods: Readonly<Record<string, Method>> = { ...chatMethods, ...workspaceMethods };

/** A request to the Web API, for those who want to know what the app asked. */
export interface LoggedCall {
  readonly method: string;
  readonly fields: Fields;
  readonly answer: Answer;
  readonly at: number;
}

export interface ServerOptions {
  readonly botToken: string;
  readonly appToken: string;
  readonly call: Omit<Call, 'fields'>;
  readonly responseUrls: ResponseUrls;
  readonly now: () => number;
}

export interface SlackServer {
  readonly server: Server;
  readonly log: readonly LoggedCall[];
  /** The next call of a method answers 429 with this many seconds in Retry-After. */
  limitOnce(method: string, seconds: number): void;
  /** While true every connection is cut, as if Slack could not be reached. */
  down: boolean;
}

/** The Web API and the response_urls of the workspace over HTTP. */
export function createSlackServer(options: ServerOptions): SlackServer {
  const wait = createRates(options.now);
  const forced = new Map<string, number>();
  const log: LoggedCall[] = [];
  const state: SlackServer = {
    log,
    down: false,
    limitOnce: (method, seconds) => void forced.set(method, seconds),
    server: createServer((request, response) => {
      if (state.down) {
        request.socket.destroy();
        return;
      }
      void answerRequest(request, response).catch(() => response.destroy());
    }),
  };
  const answerRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://slack').pathname;
    const fields = await readFields(request);
    if (path.startsWith('/response/')) return send(response, options.responseUrls.answer(path, fields));
    const method = path.replace(/^\/api\//, '');
    const seconds = takeForced(forced, method) ?? wait(method, textOf(fields, 'channel') || undefined);
    const answer = seconds > 0 ? fail('ratelimited') : answerMethod(options, method, request, fields);
    log.push({ method, fields, answer, at: options.now() });
    if (seconds > 0) response.setHeader('retry-after', String(seconds));
    send(response, answer, seconds > 0 ? 429 : 200);
  };
  return state;
}

function answerMethod(options: ServerOptions, name: string, request: IncomingMessage, fields: Fields): Answer {
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? textOf(fields, 'token');
  if (token === '') return fail('not_authed');
  const expected = name === 'apps.connections.open' ? options.appToken : options.botToken;
  if (token !== expected) return fail('invalid_auth');
  const method = methods[name];
  return method ? method({ ...options.call, fields }) : fail('unknown_method');
}

function takeForced(forced: Map<string, number>, method: string): number | undefined {
  const seconds = forced.get(method);
  forced.delete(method);
  return seconds;
}

function send(response: ServerResponse, answer: Answer, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(answer));
}
