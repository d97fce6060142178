import { FIRST_DAY, plusDays } from './moments.ts';
import { createRandom } from './random.ts';
import type { Properties } from './records.ts';
import type { Shape } from './shape.ts';
import { TOPICS } from './words.ts';

/** Nodes' properties by label. */
export type NodesByLabel = ReadonlyMap<string, readonly Properties[]>;

/** The id of a team or of the organization, which memberships refer to. */
export function sharedId(label: 'Team' | 'Organization', index: number): string {
  return createRandom(`${label}/${index}`).uuid();
}

/** Teams, the organization, and the `Migration` nodes that earlier scripts of the platform left behind. */
export function sharedNodes(shape: Shape): NodesByLabel {
  const since = plusDays(FIRST_DAY, -30);
  const organization = { id: sharedId('Organization', 0), name: 'Example Research', domain: 'example.com' };
  const teams = Array.from({ length: shape.teams }, (_, index) => ({
    id: sharedId('Team', index),
    name: `${TOPICS[index % TOPICS.length]} team ${index + 1}`,
    organization_id: organization.id,
    created_at: since,
  }));
  const scripts = ['create_constraints', 'add_notebook_counters', 'rename_document_status', 'create_personal_spaces'];
  const migrations = scripts.map((name, index) => ({
    id: `migration_${String(index + 1).padStart(3, '0')}`,
    name,
    version: index + 1,
    status: name === 'create_personal_spaces' ? 'partial' : 'completed',
    executed_at: plusDays(since, 40 * (index + 1)),
  }));
  return new Map<string, readonly Properties[]>([
    ['Organization', [{ ...organization, status: 'active', created_at: since }]],
    ['Team', teams],
    ['Migration', migrations],
  ]);
}
