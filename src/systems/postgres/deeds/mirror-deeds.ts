import { findDependents } from '../dependents.ts';
import { quoteName } from '../identifiers.ts';
import type { FillChange, FlipChange, MirrorChange } from '../journal-body.ts';
import {
  countOnlyFollowers,
  createMirror,
  dropMirror,
  fillRange,
  findDefault,
  findMirror,
  flipMirror,
} from '../mirror.ts';
import type { Deed } from './deed.ts';

export const mirror: Deed<MirrorChange> = {
  async judge({ session, table, change, conflict }) {
    if (!table.columns.has(change.name)) return conflict('missing', change.name);
    if (await findMirror(session, table, change.name, change.follower)) return 'nothing';
    const there = table.columns.has(change.follower);
    if (change.type !== undefined) return there ? conflict('value-taken', change.follower) : 'go';
    return there ? 'go' : conflict('missing', change.follower);
  },
  async act({ session, table, change }) {
    if (change.type !== undefined) {
      await session.rows(`ALTER TABLE ${table.sql} ADD COLUMN ${quoteName(change.follower)} ${change.type}`, []);
    }
    await createMirror(session, table, change.name, change.follower);
    return null;
  },
};

/**
 * The follower's values stand in its leader as well. Rows that differ were written past the trigger: then both columns
 * stay. Looked at before any lock is taken.
 */
export const unmirror: Deed<MirrorChange> = {
  async judge({ session, table, change, conflict }) {
    if (!table.columns.has(change.follower)) return conflict('missing', null);
    // Its values stand in no other column then: somebody dropped or renamed that one since.
    if (!table.columns.has(change.name)) return conflict('referred-to', `the column ${change.name} is not there`);
    const standing = await findMirror(session, table, change.name, change.follower);
    if (standing && standing.leader !== change.name) return conflict('changed-since', `${standing.leader} leads`);
    const different = await countOnlyFollowers(session, table, change.name, change.follower);
    if (different > 0) return conflict('changed-since', different);
    if (change.type === undefined) return standing ? 'go' : 'nothing';
    const [user] = await findDependents(session, table, change.follower);
    return user ? conflict('referred-to', user.words) : 'go';
  },
  async act({ session, table, change }) {
    const standing = await findMirror(session, table, change.name, change.follower);
    if (standing) await dropMirror(session, table, standing);
    if (change.type !== undefined) {
      await session.rows(`ALTER TABLE ${table.sql} DROP COLUMN ${quoteName(change.follower)} RESTRICT`, []);
    }
    return null;
  },
};

export const flip: Deed<FlipChange> = {
  soft: true,
  async judge({ session, table, change, conflict }) {
    const standing = await findMirror(session, table, change.name, change.follower);
    if (!standing) return conflict('missing', null);
    if (standing.leader === change.name) return 'nothing';
    const theirs = await findDefault(session, table, change.follower);
    return theirs === change.default ? 'go' : conflict('changed-since', theirs);
  },
  async act({ session, table, change }) {
    await flipMirror(session, table, { leader: change.name, follower: change.follower, default: change.default });
    return null;
  },
};

export const fill: Deed<FillChange> = {
  soft: true,
  // Without the mirror between them, a column of either name is somebody else's by now.
  async judge({ session, table, change }) {
    const both = table.columns.has(change.name) && table.columns.has(change.source);
    return both && (await findMirror(session, table, change.name, change.source)) ? 'go' : 'nothing';
  },
  async act({ session, table, change }) {
    await fillRange(session, table, change);
    return null;
  },
};
