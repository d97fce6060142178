import { findConstraint, withoutNotValid } from '../constraints.ts';
import { isServerError } from '../errors.ts';
import { quoteName } from '../identifiers.ts';
import type { ConstraintChange, ValidationChange } from '../journal-body.ts';
import type { Deed } from './deed.ts';

export const addConstraint: Deed<ConstraintChange> = {
  soft: true,
  async judge({ session, table, change, conflict }) {
    const standing = await findConstraint(session, table.oid, change.name);
    if (!standing) return 'go';
    return withoutNotValid(standing.definition) === withoutNotValid(change.definition)
      ? 'nothing'
      : conflict('value-taken', standing.definition);
  },
  async act({ session, table, change }) {
    const definition = `${withoutNotValid(change.definition)} NOT VALID`;
    await session.rows(`ALTER TABLE ${table.sql} ADD CONSTRAINT ${quoteName(change.name)} ${definition}`, []);
    return null;
  },
};

export const dropConstraint: Deed<ConstraintChange> = {
  soft: true,
  async judge({ session, table, change, conflict }) {
    const standing = await findConstraint(session, table.oid, change.name);
    if (!standing) return conflict('missing', null);
    const same = withoutNotValid(standing.definition) === withoutNotValid(change.definition);
    return same ? 'go' : conflict('changed-since', standing.definition);
  },
  async act({ session, table, change }) {
    await session.rows(`ALTER TABLE ${table.sql} DROP CONSTRAINT ${quoteName(change.name)} RESTRICT`, []);
    return null;
  },
};

/** Rows that others wrote meanwhile may break it: then it stays as it is, not valid. */
export const validate: Deed<ValidationChange> = {
  soft: true,
  async judge({ session, table, change, conflict }) {
    const standing = await findConstraint(session, table.oid, change.name);
    if (!standing) return conflict('missing', null);
    return standing.validated ? 'nothing' : 'go';
  },
  async act({ session, table, change, conflict }) {
    await session.rows('SAVEPOINT validation', []);
    try {
      await session.rows(`ALTER TABLE ${table.sql} VALIDATE CONSTRAINT ${quoteName(change.name)}`, []);
      return null;
    } catch (error) {
      if (!isServerError(error) || (error.code !== '23503' && error.code !== '23514')) throw error;
      await session.rows('ROLLBACK TO SAVEPOINT validation', []);
      return conflict('changed-since', error.code === '23503' ? 'rows that refer to nothing' : 'rows that break it');
    }
  },
};
