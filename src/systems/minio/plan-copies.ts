import { createHash } from 'node:crypto';
import type { Conflict } from '../system.ts';
import type { CopyChange, FoundCopy } from './change.ts';
import { objectConflict } from './changes/applied.ts';
import { planCopy } from './changes/copies.ts';
import { copyMark, hasSameContent } from './copy-object.ts';
import type { KindSetting } from './journal-store.ts';
import type { Move, Unmovable } from './moves.ts';
import { inParallel, type ObjectHead, readHead } from './objects.ts';
import type { S3 } from './s3.ts';

const atOnce = 16;

/** What is to be done for one move, as the store stands. */
export type Looked = { readonly move: Move } & (
  | { readonly state: 'open'; readonly source: ObjectHead }
  | { readonly state: 'there'; readonly source: ObjectHead; readonly latest: ObjectHead }
  | { readonly state: 'taken'; readonly latest: ObjectHead }
  | { readonly state: 'missing' }
);

export function isMove(move: Move | Unmovable): move is Move {
  return 'source' in move;
}

/** Looks at both ends of some moves, side by side. */
export function lookAt(s3: S3, moves: readonly Move[]): Promise<Looked[]> {
  return inParallel(moves, atOnce, async (move): Promise<Looked> => {
    const [source, latest] = await Promise.all([readHead(s3, move.source), readHead(s3, move.target)]);
    if (!source) return { move, state: 'missing' };
    if (!latest) return { move, state: 'open', source };
    return { move, state: (await isCopy(s3, source, latest)) ? 'there' : 'taken', source, latest };
  });
}

/** Whether the target holds what the source's version holds: by what the copy says of itself, or by content. */
export async function isCopy(s3: S3, source: ObjectHead, target: ObjectHead): Promise<boolean> {
  if (source.size !== target.size) return false;
  const mark = target.metadata[copyMark];
  if (mark?.endsWith(`/${encodeURIComponent(source.versionId)}`) && target.etag === source.etag) return true;
  return hasSameContent(s3, source, target);
}

/** The parts of a batch's intent that these moves make up. */
export interface Copies {
  readonly changes: CopyChange[];
  readonly found: FoundCopy[];
  readonly conflicts: Conflict[];
  missing: number;
}

/** Two records may name one object, and one target only where they do. */
export function planCopies(setting: KindSetting, looked: readonly Looked[]): Copies {
  const copies: Copies = { changes: [], found: [], conflicts: [], missing: 0 };
  const planned = new Map<string, CopyChange>();
  const taken = (move: Move, theirs: string): void => {
    const values = { base: null, ours: move.source, theirs };
    copies.conflicts.push(objectConflict({ setting }, move.target, 'value-taken', values));
  };
  for (const look of looked) {
    const { move, state } = look;
    if (state === 'missing') copies.missing += 1;
    else if (state === 'taken') taken(move, look.latest.versionId);
    else if (state === 'there') {
      const { key: source, versionId: sourceVersion, etag, size } = look.source;
      copies.found.push({ key: move.target, source, sourceVersion, etag, size, versionId: look.latest.versionId });
    } else {
      const other = planned.get(move.target);
      const change = other ?? planCopy(move.target, look.source);
      if (other && other.source !== move.source) taken(move, other.source);
      else if (!other) copies.changes.push(change);
      planned.set(move.target, change);
    }
  }
  return copies;
}

/** Which of many texts were seen before, in 80 bits each: a million of them take some 60 MB. */
export function createSeen(): (text: string) => boolean {
  const seen = new Set<string>();
  return (text) => {
    const digest = createHash('sha256').update(text).digest().toString('latin1', 0, 10);
    if (seen.has(digest)) return true;
    seen.add(digest);
    return false;
  };
}
