import type { Load } from '../system.ts';
import type { Connection } from './connection.ts';
import { readInfo } from './info.ts';

/** Milliseconds that the simplest question may take, whatever it takes at rest. */
const slowest = 50;
/** So many times what it takes at rest is the limit, where that is more. */
const timesAtRest = 20;

/**
 * How loaded the server is: by how it answers, by its memory where it refuses writes when that is full (a cache that
 * throws old keys out is meant to be full), and by its connections. Clients that wait for work are no load.
 */
export function createLoad(connection: Connection, now: () => number = () => performance.now()): () => Promise<Load> {
  let atRest = Number.POSITIVE_INFINITY;
  return async () => {
    const started = now();
    await connection.ask('PING');
    const took = now() - started;
    atRest = Math.min(atRest, took);
    const [memory, clients] = await Promise.all([readInfo(connection, 'memory'), readInfo(connection, 'clients')]);
    const [used, most] = [Number(memory.get('used_memory')), Number(memory.get('maxmemory'))];
    const refuses = most > 0 && memory.get('maxmemory_policy') === 'noeviction';
    const [connected, allowed] = [Number(clients.get('connected_clients')), Number(clients.get('maxclients'))];
    const blocked = Number(clients.get('blocked_clients'));
    const strains: [number, string][] = [
      [took / Math.max(slowest, timesAtRest * atRest), `a question takes ${Math.round(took)} ms`],
      [refuses ? used / most : 0, `${Math.round((100 * used) / (most || 1))} % of its memory are used`],
      [
        allowed > 0 ? connected / allowed : 0,
        `${connected} of ${allowed} connections are taken, ${blocked} wait for work`,
      ],
    ];
    const [strain, why] = strains.reduce((worst, next) => (next[0] > worst[0] ? next : worst));
    return { strain, why: strain >= 0.5 ? why : null };
  };
}
