import { Failure } from '../../shared/failure.ts';
import type { Finding } from '../finding.ts';
import type { PreflightNeeds } from '../system.ts';
import type { Connection } from './connection.ts';
import { listGroups, readMembers, readPositions } from './groups.ts';
import { listTopics, readTopics, tryTopic } from './topics.ts';

/** What a plan needs of brokers and user, asked for real. Writes nothing: what would be made is only checked. */
export async function preflight(
  connection: Connection,
  journal: string,
  needs: PreflightNeeds,
): Promise<readonly Finding[]> {
  const { brokers } = await connection.ask((admin) => admin.describeCluster());
  const topics = await listTopics(connection);
  const groups = await listGroups(connection);
  const writes = needs.uses.some((use) => use !== 'kafka.await-drained');
  return [
    passed('brokers-there', `${brokers.length} brokers answer`),
    await rightTo('read topics and their settings', () => readTopics(connection, topics)),
    await rightTo('read groups and their positions', async () => {
      for (const group of groups.slice(0, 3)) {
        await readMembers(connection, group);
        await readPositions(connection, group);
      }
      // One that is not there: the right is asked for all the same.
      await readPositions(connection, 'tas-journal-preflight');
    }),
    ...(writes ? [await rightTo(`make and write the topic ${journal}`, () => tryJournal(connection, journal))] : []),
    await inSync(connection, topics),
  ];
}

async function tryJournal(connection: Connection, journal: string): Promise<void> {
  const there = (await connection.ask((admin) => admin.listTopics())).includes(journal);
  if (!there) await tryTopic(connection, journal, { partitions: 1, replication: 1, config: { 'retention.ms': '-1' } });
}

async function rightTo(what: string, work: () => Promise<unknown>): Promise<Finding> {
  try {
    await work();
    return passed('kafka-rights', `The user may ${what}`);
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'unreachable') throw error;
    const title = `The user may not ${what}: ${error.message}`;
    return { check: 'kafka-rights', title, status: 'failed', count: 1, samples: [], advice: error.advice };
  }
}

async function inSync(connection: Connection, names: readonly string[]): Promise<Finding> {
  const behind = (await readTopics(connection, names)).filter(({ lagging }) => lagging > 0).map(({ name }) => name);
  if (behind.length === 0) return passed('replicas-in-sync', 'All replicas are in sync');
  const title = 'Topics with replicas that are not in sync';
  const advice = 'See whether all brokers run and have room: one more failure may lose messages.';
  const samples = behind.slice(0, 5);
  return { check: 'replicas-in-sync', title, status: 'warning', count: behind.length, samples, advice };
}

function passed(check: string, title: string): Finding {
  return { check, title, status: 'passed', count: 0, samples: [] };
}

/** A server that cannot be reached says so as a finding; a wrong password too. */
export function unreachableFinding(error: unknown): Finding {
  if (!(error instanceof Failure)) throw error;
  const { message, advice } = error;
  return { check: 'server-reachable', title: message, status: 'failed', count: 1, samples: [], advice };
}
