import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node';
import { Failure } from '../../shared/failure.ts';
import type { Json } from '../../shared/json.ts';
import { type ErrorPlace, toFailure } from './failure.ts';

export interface TransportOptions {
  /** The system's configured name, for messages. */
  readonly name: string;
  /** Path of a kubeconfig; absent = the bot's own service account, inside of the cluster. */
  readonly kubeconfig?: string;
  /** Absent = the kubeconfig's current one. */
  readonly context?: string;
}

export interface Answer {
  readonly code: number;
  readonly body: string;
}

/** Requests with the credentials of a kubeconfig or service account. Network errors are `Failure`s; codes are answers. */
export interface Transport {
  readonly place: ErrorPlace;
  send(request: { method: string; path: string; body?: Json; type?: string }): Promise<Answer>;
  close(): void;
}

/** Milliseconds without a byte in either direction. */
const silence = 30_000;

/** Reads the kubeconfig at the first request: making a system reads no files yet. */
export function connectTransport(options: TransportOptions): Transport {
  const secure = new https.Agent({ keepAlive: true, maxSockets: 16 });
  let loaded: KubeConfig | null = null;
  const place = { system: options.name, at: options.context ?? options.kubeconfig ?? 'in-cluster' };
  const config = (): KubeConfig => {
    loaded ??= loadConfig(options);
    place.at = URL.parse(loaded.getCurrentCluster()?.server ?? '')?.host ?? place.at;
    return loaded;
  };
  return {
    place,
    async send({ method, path, body, type = 'application/json' }) {
      try {
        const kubeconfig = config();
        const cluster = kubeconfig.getCurrentCluster();
        const url = new URL(`${cluster?.server.replace(/\/$/, '') ?? ''}${path}`);
        const sent = body === undefined ? undefined : JSON.stringify(body);
        const request: https.RequestOptions = { method, headers: {} };
        await applyCredentials(kubeconfig, request, options.name);
        // The driver's own agent opens a connection a request; only where there is a proxy it has to be that one.
        if (!cluster?.proxyUrl && url.protocol === 'https:') request.agent = secure;
        request.headers = {
          ...(request.headers as http.OutgoingHttpHeaders),
          accept: 'application/json',
          ...(sent === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(sent) }),
        };
        const answer = await exchange(url, request, sent);
        if (answer.code === 401) loaded = null;
        return answer;
      } catch (error) {
        // The file may have been written anew since: with another token or another address.
        loaded = null;
        throw toFailure(error, place);
      }
    },
    close: () => secure.destroy(),
  };
}

/** Programs and files that give tokens may say secrets when they fail: their words go to the log only. */
async function applyCredentials(config: KubeConfig, request: https.RequestOptions, name: string): Promise<void> {
  try {
    await config.applyToHTTPSOptions(request);
  } catch (error) {
    throw new Failure({
      code: 'wrong-password',
      message: `${name}: the credentials of the kubeconfig cannot be had.`,
      advice:
        'See whether its certificates, token file or login program are there; outside of a cluster name a kubeconfig.',
      cause: error,
    });
  }
}

function exchange(url: URL, options: https.RequestOptions, body: string | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, options, (response) => {
      text(response).then((answer) => resolve({ code: response.statusCode ?? 0, body: answer }), reject);
    });
    request.setTimeout(silence, () => {
      request.destroy(Object.assign(new Error('silent for too long'), { code: 'ETIMEDOUT' }));
    });
    request.once('error', reject);
    request.end(body);
  });
}

function loadConfig({ name, kubeconfig, context }: TransportOptions): KubeConfig {
  const config = new KubeConfig();
  const wrong = (message: string, cause?: unknown): Failure =>
    new Failure({
      code: 'invalid-config',
      message: `${name}: ${message}.`,
      advice: 'Correct kubeconfig and context in the configuration.',
      cause,
    });
  try {
    if (kubeconfig === undefined) config.loadFromCluster();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    throw wrong(`the kubeconfig ${kubeconfig ?? 'of the service account'} cannot be read`, error);
  }
  if (context !== undefined) config.setCurrentContext(context);
  if (!config.getCurrentCluster() || !config.getCurrentUser()) {
    throw wrong(`the kubeconfig has no whole context ${config.getCurrentContext() ?? ''}`);
  }
  return config;
}
