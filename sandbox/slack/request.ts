import { Agent, type IncomingMessage, request } from 'node:http';

/** A request as it goes over the wire. */
export interface RawRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawReply {
  readonly status: number;
  readonly body: string;
}

/** Sends requests, each over a connection of its own: an app that shuts down never waits for one that is kept. */
export interface Requests {
  /** Rejects when nobody listens or the connection breaks. */
  send(raw: RawRequest): Promise<RawReply>;
  /** Cuts what is still under way. */
  close(): void;
}

export function createRequests(): Requests {
  const agent = new Agent({ keepAlive: false });
  return {
    send: (raw) =>
      new Promise((resolve, reject) => {
        const length = String(Buffer.byteLength(raw.body));
        const options = { method: 'POST', agent, headers: { ...raw.headers, 'content-length': length } };
        const sent = request(raw.url, options, (response: IncomingMessage) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
          });
        });
        sent.on('error', reject);
        sent.end(raw.body);
      }),
    close: () => agent.destroy(),
  };
}
