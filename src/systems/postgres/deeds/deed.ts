import type { Conflict } from '../../system.ts';
import type { Session } from '../database.ts';
import type { SchemaChange } from '../journal-body.ts';
import type { Table } from '../table.ts';

/** One change of the schema that an undo is about to make. */
export interface DeedWork<Change extends SchemaChange> {
  readonly session: Session;
  readonly table: Table;
  readonly change: Change;
  /** For the report: why it stays, and what stands there now. */
  conflict(reason: Conflict['reason'], theirs: Conflict['theirs']): Conflict;
}

/** `go` = it can be made, `nothing` = it is so already; a conflict says why it stays. */
export type Judgement = 'go' | 'nothing' | Conflict;

/** How one sort of change is made, whoever undoes what. */
export interface Deed<Change extends SchemaChange> {
  /** Where it cannot be made, the other changes of the batch are made all the same. */
  readonly soft?: true;
  /** Looks and changes nothing. In a preview, earlier parts of the undo were not made yet. */
  judge(work: DeedWork<Change>, preview: boolean): Promise<Judgement>;
  /** Makes it after `go`. A conflict = others were quicker; then it changed nothing. */
  act(work: DeedWork<Change>): Promise<Conflict | null>;
}

/** A deed that only the journal knows of. */
export const onlyWritten: Deed<SchemaChange> = {
  judge: async () => 'go',
  act: async () => null,
};
