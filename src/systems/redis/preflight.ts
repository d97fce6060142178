import { Failure } from '../../shared/failure.ts';
import type { Finding } from '../finding.ts';
import type { PreflightNeeds } from '../system.ts';
import { type Connection, listOf } from './connection.ts';
import { readInfo } from './info.ts';
import { ownPrefix } from './keys.ts';

/** A key that is never there: whether commands on it are allowed can be asked without changing anything. */
const nowhere = `${ownPrefix}preflight`;

/** What a plan needs of server and user, asked for real. Writes nothing. */
export async function preflight(connection: Connection, needs: PreflightNeeds): Promise<readonly Finding[]> {
  const flushes = needs.uses.includes('redis.flush-keys');
  const asked: [string, readonly string[]][] = [
    ['read keys', ['SCAN', '0', 'COUNT', '1']],
    ['read types', ['TYPE', nowhere]],
    ['read values', ['DUMP', nowhere]],
    ...(flushes
      ? ([
          ['remove keys', ['UNLINK', nowhere]],
          ['run scripts', ['EVAL', 'return 1', '0']],
        ] as [string, readonly string[]][])
      : []),
  ];
  const rights = [];
  for (const [what, command] of asked) rights.push(await rightTo(what, () => connection.ask(...command)));
  return [
    ...rights,
    ...(flushes ? [await isPrimary(connection), await keepsJournal(connection)] : []),
    ...(flushes ? [await mayWriteJournal(connection)] : []),
  ];
}

async function rightTo(what: string, work: () => Promise<unknown>): Promise<Finding> {
  try {
    await work();
    return passed('redis-rights', `The user may ${what}`);
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'unreachable' || error.code === 'wrong-password') throw error;
    const title = `The user may not ${what}: ${error.message}`;
    return { check: 'redis-rights', title, status: 'failed', count: 1, samples: [], advice: error.advice };
  }
}

/** Only users that may look at rules can ask whether they may write; the first batch tells the others. */
async function mayWriteJournal(connection: Connection): Promise<Finding> {
  const title = `The user may write ${ownPrefix}*`;
  try {
    const user = String(await connection.ask('ACL', 'WHOAMI'));
    const answers = [];
    for (const command of [
      ['SET', nowhere, '1'],
      ['HSET', nowhere, 'a', '1'],
      ['PEXPIRE', nowhere, '1'],
    ]) {
      answers.push(String(await connection.ask('ACL', 'DRYRUN', user, ...command)));
    }
    const refused = answers.filter((answer) => answer !== 'OK');
    if (refused.length === 0) return passed('redis-journal-rights', title);
    const advice = `Give the user SET, HSET and PEXPIRE on ${ownPrefix}*.`;
    return { check: 'redis-journal-rights', title, status: 'failed', count: refused.length, samples: [], advice };
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'unreachable') throw error;
    const advice = 'The server lets this user not ask for its own rights.';
    return { check: 'redis-journal-rights', title, status: 'skipped', count: null, samples: [], advice };
  }
}

async function isPrimary(connection: Connection): Promise<Finding> {
  const [role] = listOf(await connection.ask('ROLE').catch(() => ['unknown']));
  if (role !== 'slave') return passed('redis-primary', 'The server takes writes');
  const advice = 'Point the configuration at the primary.';
  const title = 'The server is a replica and takes no writes';
  return { check: 'redis-primary', title, status: 'failed', count: 1, samples: [], advice };
}

/** A server that may throw out any key may throw out fence and journal as well. */
async function keepsJournal(connection: Connection): Promise<Finding> {
  const title = 'The server keeps keys that do not expire';
  const memory = await readInfo(connection, 'memory').catch(() => new Map<string, string>());
  const policy = memory.get('maxmemory_policy') ?? 'unknown';
  if (!policy.startsWith('allkeys') || memory.get('maxmemory') === '0') return passed('redis-eviction', title);
  const advice =
    'When its memory is full, a batch that is repeated after a crash may flush keys that were written since: no harm to a cache.';
  return {
    check: 'redis-eviction',
    title: `The server may throw out any key (${policy})`,
    status: 'warning',
    count: 1,
    samples: [],
    advice,
  };
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
