import type { Endpoints } from './endpoints.ts';
import type { DetachedProcess } from './process.ts';
import type { Task } from './progress.ts';
import type { SandboxState, ServerName } from './state.ts';
import type { ToolName } from './toolbox.ts';

/** What a server is told: its sandbox, and where to say what it does. */
export interface ServerContext {
  readonly folder: string;
  readonly state: SandboxState;
  readonly task: Task;
}

/** One kind of server of the sandbox as a local process. To add one: a folder with this, and its line in `servers.ts`. */
export interface Server {
  readonly name: ServerName;
  /** What it is called for a person. */
  readonly title: string;
  /** How long it has to become ready and to end, in milliseconds. */
  readonly readyWithinMs: number;
  readonly endsWithinMs: number;
  /** The tools that it needs and that are not there. Installs nothing. */
  missingTools(): Promise<readonly ToolName[]>;
  /** Gets or builds the program and lays out the data folder; may be called again at any time. */
  prepare(context: ServerContext): Promise<Partial<SandboxState>>;
  /** How the process is started. */
  describe(context: ServerContext): Promise<Omit<DetachedProcess, 'pidFile' | 'logFile'>>;
  /**
   * Null when it serves and holds what it should (database, bucket: made where missing), else why not yet. Throws what
   * waiting cannot mend. `own` is true for a server of this sandbox, whose first password may be set.
   */
  check(endpoints: Endpoints, own: boolean): Promise<string | null>;
  /** Empties it while it runs; false where starting anew with an empty folder is better. */
  wipe(endpoints: Endpoints): Promise<boolean>;
  /** The folders with its data. */
  dataFolders(context: Pick<ServerContext, 'folder' | 'state'>): readonly string[];
  /** Called after an orderly end. */
  ended?(context: Pick<ServerContext, 'folder' | 'state'>): Promise<void>;
}

export const logFile = (folder: string, name: string): string => `${folder}/logs/${name}.log`;
export const pidFile = (folder: string, name: string): string => `${folder}/run/${name}.pid`;
