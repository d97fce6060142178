import { BUCKET } from './library.ts';
import { later, plusSeconds } from './moments.ts';
import type { Random } from './random.ts';
import type { DocumentRecord, FileRecord, Person, Properties } from './records.ts';
import type { Shape } from './shape.ts';
import { sentences, TOPICS } from './words.ts';

/** The relational rows of a person: files and chunks of the documents, and the copies of user, space and tenant. */
export function addRows(person: Person, random: Random, shape: Shape): void {
  for (const document of person.documents) {
    const file = fileOf(document);
    if (!file) continue;
    person.files.push(file);
    for (let i = 0; shape.chunks.length > 1 && i < document.chunk_count; i++) {
      person.chunks.push({
        id: random.uuid(),
        tenant_id: file.tenant_id,
        file_id: file.id,
        sequence_number: i,
        content: sentences(random, 3),
      });
    }
  }
  addCopies(person);
  if (person.space && random.chance(0.25)) addAgents(person, random);
}

/** The service's row of a document; null for one that was never handed to it. */
export function fileOf(document: DocumentRecord): FileRecord | null {
  if (document.processing_job_id === null) return null;
  return {
    id: document.processing_job_id,
    tenant_id: document.tenant_id,
    filename: document.original_name,
    path: document.storage_path,
    url: `s3://${BUCKET}/${document.storage_path}`,
    content_type: document.mime_type,
    size: document.size_bytes,
    status: document.status,
    chunk_count: document.chunk_count,
    created_at: document.created_at,
    deleted_at: document.deleted_at,
  };
}

/** Half of the users without ids have a row that lacks them, the other half has none. */
function addCopies(person: Person): void {
  const { user, space, index } = person;
  const { id, personal_tenant_id, personal_space_id, created_at } = user;
  if (space || index % 3 === 0) person.userRow = { id, personal_tenant_id, personal_space_id, created_at };
  if (!space) return;
  person.spaceRow = { id: space.id, tenant_id: space.tenant_id, created_at: space.created_at };
  person.tenantRow = { id: space.tenant_id, name: space.name, status: 'active', created_at: space.created_at };
}

function addAgents(person: Person, random: Random): void {
  const agent: Properties = {
    id: random.uuid(),
    name: `${random.pick(TOPICS)} agent`,
    owner_id: person.user.id,
    space_id: person.user.personal_space_id,
    status: random.pick(['published', 'draft']),
    created_at: later(random, person.user.created_at, 200),
  };
  person.agents.push(agent);
  const count = random.integer(0, 3);
  for (let i = 0; i < count; i++) {
    const started = later(random, person.user.created_at, 250);
    person.executions.push({
      id: random.uuid(),
      agent_id: agent.id ?? null,
      space_id: agent.space_id ?? null,
      status: random.pick(['completed', 'completed', 'failed']),
      started_at: started,
      finished_at: plusSeconds(started, random.integer(1, 120)),
    });
  }
}
