/** A value as both stores take it. Whole numbers are integers, but for `confidence_score`, which is a float. */
export type Value = string | number | boolean | Date | readonly string[] | null;

/** A node's properties or a row's columns by the platform's names. Null = absent in the graph. */
export interface Properties {
  [name: string]: Value;
}

export interface UserRecord extends Properties {
  id: string;
  email: string;
  full_name: string;
  personal_tenant_id: string | null;
  personal_space_id: string | null;
  created_at: Date;
}

export interface SpaceRecord extends Properties {
  id: string;
  name: string;
  tenant_id: string;
  created_at: Date;
}

export interface NotebookRecord extends Properties {
  id: string;
  name: string;
  owner_id: string | null;
  parent_id: string | null;
  space_id: string | null;
  tenant_id: string | null;
  created_at: Date;
  deleted_at: Date | null;
}

export interface DocumentRecord extends Properties {
  id: string;
  name: string;
  status: string;
  original_name: string;
  mime_type: string;
  size_bytes: number;
  /** The object's key in the bucket. */
  storage_path: string;
  /** = the relational file's id. */
  processing_job_id: string | null;
  chunk_count: number;
  notebook_id: string | null;
  owner_id: string | null;
  space_id: string | null;
  tenant_id: string | null;
  created_at: Date;
  deleted_at: Date | null;
}

export interface FileRecord extends Properties {
  id: string;
  tenant_id: string | null;
}

export interface ChunkRecord extends Properties {
  id: string;
  file_id: string;
  tenant_id: string | null;
}

/** What belongs to one user in all stores. */
export interface Person {
  readonly index: number;
  user: UserRecord;
  /** The Space node; null where there is none, whatever the user's ids say. */
  space: SpaceRecord | null;
  /** Parents before children. */
  notebooks: NotebookRecord[];
  documents: DocumentRecord[];
  /** Documents that hang on their notebook by the older relationship. */
  readonly older: Set<DocumentRecord>;
  files: FileRecord[];
  chunks: ChunkRecord[];
  /** Contents of those documents that have an object. */
  readonly bodies: { readonly document: DocumentRecord; readonly body: Buffer }[];
  readonly memberships: { readonly label: 'Team' | 'Organization'; readonly id: string; readonly role: string }[];
  /** The relational copies; null = the row is missing. */
  userRow: Properties | null;
  spaceRow: Properties | null;
  tenantRow: Properties | null;
  readonly agents: Properties[];
  readonly executions: Properties[];
}
