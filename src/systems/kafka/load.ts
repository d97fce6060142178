import type { Load } from '../system.ts';
import type { Connection } from './connection.ts';
import { listTopics, readTopics } from './topics.ts';

/** Milliseconds that a question for topics may take, whatever it takes at rest. */
const slowest = 500;
/** So many times what it takes at rest is the limit, where that is more. */
const timesAtRest = 10;
/** Brokers that lag behind are not at their limit, but close to one more failure. */
const laggingStrain = 0.8;

/** How loaded the brokers are: by how they answer against how they can, and by replicas that do not keep up. */
export function createLoad(connection: Connection, now: () => number = () => performance.now()): () => Promise<Load> {
  let atRest = Number.POSITIVE_INFINITY;
  return async () => {
    const names = await listTopics(connection);
    const started = now();
    const topics = await readTopics(connection, names);
    const took = now() - started;
    atRest = Math.min(atRest, took);
    const lagging = topics.filter((topic) => topic.lagging > 0).length;
    const strains: [number, string][] = [
      [took / Math.max(slowest, timesAtRest * atRest), `a question for its topics takes ${Math.round(took)} ms`],
      [lagging === 0 ? 0 : laggingStrain, `${lagging} topics have replicas that are not in sync`],
    ];
    const [strain, why] = strains.reduce((worst, next) => (next[0] > worst[0] ? next : worst));
    return { strain, why: strain >= 0.5 ? why : null };
  };
}
