/** For how many minutes an approval by break-glass may be vetoed before it counts. */
export const vetoMinutes = 10;

/** A person's word on one plan, by its digest. One a person and run. */
export interface Vote {
  readonly voter: { readonly id: string; readonly name: string };
  readonly choice: 'approve' | 'reject';
  /** Of the plan that the person saw. A vote on another digest counts for nothing. */
  readonly digest: string;
  readonly reason: string | null;
  /** ISO 8601 */
  readonly at: string;
  /** Given by break-glass: it counts from then on (ISO 8601), unless somebody says no before. Absent = it counts at once. */
  readonly countsFrom?: string;
}

/** A vote on its way into storage. */
export interface CastVote extends Vote {
  /** It counts only if this was confirmed for it and is used up with it; absent = it needs no confirmation. */
  readonly confirmation?: string;
}
