import type { FillChange, FlipChange, MirrorChange } from '../journal-body.ts';
import { countDifferent, createMirror, dropMirror, fillRange, findMirror, flipMirror } from '../mirror.ts';
import type { Deed } from './deed.ts';

export const mirror: Deed<MirrorChange> = {
  async judge({ session, table, change, conflict }) {
    for (const name of [change.name, change.follower]) if (!table.columns.has(name)) return conflict('missing', name);
    return (await findMirror(session, table, change.name, change.follower)) ? 'nothing' : 'go';
  },
  async act({ session, table, change }) {
    await createMirror(session, table, change.name, change.follower);
    return null;
  },
};

/** Rows that differ were written past the trigger: then both columns stay. Looked at before any lock is taken. */
export const unmirror: Deed<MirrorChange> = {
  async judge({ session, table, change, conflict }) {
    const both = [change.name, change.follower].every((name) => table.columns.has(name));
    if (!both || !(await findMirror(session, table, change.name, change.follower))) return 'nothing';
    const different = await countDifferent(session, table, change.name, change.follower);
    return different > 0 ? conflict('changed-since', different) : 'go';
  },
  async act({ session, table, change }) {
    const standing = await findMirror(session, table, change.name, change.follower);
    if (standing) await dropMirror(session, table, standing);
    return null;
  },
};

export const flip: Deed<FlipChange> = {
  soft: true,
  async judge({ session, table, change, conflict }) {
    const standing = await findMirror(session, table, change.name, change.follower);
    if (!standing) return conflict('missing', null);
    return standing.leader === change.name ? 'nothing' : 'go';
  },
  async act({ session, table, change }) {
    await flipMirror(session, table, { leader: change.name, follower: change.follower, default: change.default });
    return null;
  },
};

export const fill: Deed<FillChange> = {
  soft: true,
  async judge({ table, change }) {
    return table.columns.has(change.name) && table.columns.has(change.source) ? 'go' : 'nothing';
  },
  async act({ session, table, change }) {
    await fillRange(session, table, change);
    return null;
  },
};
