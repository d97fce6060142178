import { hash } from 'node:crypto';
import { contentOf, FORMATS } from './content.ts';
import { later, plusDays } from './moments.ts';
import type { Random } from './random.ts';
import type { DocumentRecord, NotebookRecord, Person } from './records.ts';
import type { Shape } from './shape.ts';
import { TAGS, TOPICS } from './words.ts';

/** The platform's bucket, as its records name it. */
export const BUCKET = 'aether-storage';

const STATUSES = ['processed', 'processed', 'completed', 'completed', 'completed', 'pending', 'failed'] as const;

/** Gives a person notebooks and documents; the first `bodies` documents get contents, and sizes and checksums of them. */
export function addLibrary(person: Person, random: Random, shape: Shape, bodies: number): void {
  const count = random.pick(shape.notebooks);
  for (let i = 0; i < count; i++) {
    const notebook = createNotebook(person, random);
    person.notebooks.push(notebook);
    let bytes = 0;
    const documents = random.pick(shape.documents);
    for (let j = 0; j < documents; j++) {
      const document = createDocument(person, notebook, random, shape);
      if (person.bodies.length < bodies) addBody(person, document, random);
      if (!person.space && random.chance(0.25)) person.older.add(document);
      person.documents.push(document);
      bytes += document.size_bytes;
    }
    notebook.document_count = documents;
    notebook.total_size_bytes = bytes;
  }
  if (person.space) {
    person.space.notebook_count = person.notebooks.length;
    person.space.document_count = person.documents.length;
    person.space.used_bytes = person.documents.reduce((sum, document) => sum + document.size_bytes, 0);
  }
}

function createNotebook(person: Person, random: Random): NotebookRecord {
  const { user } = person;
  const created = later(random, user.created_at, 60);
  const status = random.pick(['active', 'active', 'active', 'active', 'active', 'active', 'archived', 'deleted']);
  const parent = person.notebooks.find((notebook) => notebook.status === 'active' && !notebook.parent_id);
  return {
    id: random.uuid(),
    name: `${random.pick(TOPICS)} ${created.getUTCFullYear()}`,
    owner_id: user.id,
    parent_id: parent && random.chance(0.25) ? parent.id : null,
    visibility: random.pick(['private', 'private', 'private', 'shared', 'public']),
    status,
    space_type: 'personal',
    space_id: user.personal_space_id,
    tenant_id: user.personal_tenant_id,
    document_count: 0,
    total_size_bytes: 0,
    tags: Array.from({ length: random.integer(0, 3) }, () => random.pick(TAGS)),
    created_at: created,
    updated_at: later(random, created, 30),
    deleted_at:
      status === 'deleted' || (status === 'archived' && random.chance(0.3))
        ? later(random, plusDays(created, 60), 60)
        : null,
  };
}

function createDocument(person: Person, notebook: NotebookRecord, random: Random, shape: Shape): DocumentRecord {
  const { user } = person;
  const id = random.uuid();
  const format = random.pick(FORMATS);
  const topic = random.pick(TOPICS);
  const filename = `${topic.toLowerCase().replaceAll(' ', '-')}-${id.slice(0, 8)}.${format.extension}`;
  const status = random.pick(STATUSES);
  const done = status === 'processed' || status === 'completed';
  const created = later(random, notebook.created_at, 60);

  return {
    id,
    name: topic,
    type: format.type,
    status,
    original_name: filename,
    mime_type: format.mime,
    size_bytes: random.integer(1000, 4_000_000),
    checksum: random.hex(32),
    storage_path: keyOf(person, id, filename),
    storage_bucket: BUCKET,
    processing_job_id: random.uuid(),
    processing_time: done ? random.integer(200, 90_000) : null,
    confidence_score: done ? random.integer(5000, 10_000) / 10_000 : null,
    chunk_count: done ? random.pick(shape.chunks) : 0,
    notebook_id: notebook.id,
    owner_id: user.id,
    space_type: 'personal',
    space_id: user.personal_space_id,
    tenant_id: user.personal_tenant_id,
    created_at: created,
    updated_at: later(random, created, 10),
    deleted_at: notebook.deleted_at,
  };
}

/** A quarter of the documents of users with a space was there before the layout with spaces: `<tenant>/files/…`. */
function keyOf({ user, space }: Person, id: string, filename: string): string {
  if (!space) return `${user.id}/files/${filename}`;
  if (id < '4') return `${space.tenant_id}/files/${filename}`;
  return `${space.tenant_id}/${space.id}/documents/${id}/${filename}`;
}

function addBody(person: Person, document: DocumentRecord, random: Random): void {
  const extension = document.original_name.slice(document.original_name.lastIndexOf('.') + 1);
  const body = contentOf(extension, document.name, random);
  document.size_bytes = body.length;
  document.checksum = hash('sha256', body, 'hex');
  person.bodies.push({ document, body });
}
