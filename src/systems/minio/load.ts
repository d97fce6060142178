import type { Load } from '../system.ts';
import type { S3 } from './s3.ts';

/** Milliseconds that a question for a bucket may take, whatever it takes at rest. */
const slowest = 250;
/** So many times what it takes at rest is the limit, where that is more. */
const timesAtRest = 10;
/** Milliseconds for which the server's own "slow down" is heeded. */
const heedFor = 30_000;

/** How loaded the server is: by how it answers now against how it can answer, and by what it says of itself. */
export function createLoad(s3: S3, now: () => number = () => performance.now()): () => Promise<Load> {
  let atRest = Number.POSITIVE_INFINITY;
  return async () => {
    const started = now();
    const answer = await s3.request({
      method: 'HEAD',
      allow: ['NotFound', 'NoSuchBucket', 'SlowDown', 'ServiceUnavailable'],
    });
    const took = now() - started;
    atRest = Math.min(atRest, took);
    const asked = s3.askedToSlowDown(heedFor);
    const limit = Number(answer?.headers['x-ratelimit-limit'] ?? 0);
    const left = Number(answer?.headers['x-ratelimit-remaining'] ?? limit);
    const strains: [number, string][] = [
      // One such answer is the limit; more are beyond it.
      [
        asked === 0 ? 0 : 1 + asked / 10,
        `the server asked ${asked} times to slow down in the last ${heedFor / 1000} s`,
      ],
      [
        limit === 0 ? 0 : (limit - left) / limit,
        `${limit - left} of ${limit} requests that it takes at once are under way`,
      ],
      [took / Math.max(slowest, timesAtRest * atRest), `a question takes ${Math.round(took)} ms`],
    ];
    const [strain, why] = strains.reduce((worst, next) => (next[0] > worst[0] ? next : worst));
    return { strain, why: strain >= 0.5 ? why : null };
  };
}
