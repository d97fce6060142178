import { readLastError, scrubLine } from '../../../src/systems/postgres/alembic/alembic-output.ts';

const raised = `INFO  [alembic.runtime.migration] Running upgrade r001 -> r002, papers
Traceback (most recent call last):
  File "env.py", line 1, in <module>
psycopg.errors.UniqueViolation: duplicate key value violates unique constraint "users_pkey"
DETAIL:  Key (email)=(a@b.c) already exists.

The above exception was the direct cause of the following exception:

sqlalchemy.exc.IntegrityError: (psycopg.errors.UniqueViolation) duplicate key value violates unique constraint "users_pkey"
DETAIL:  Key (email)=(a@b.c) already exists.
[SQL: INSERT INTO users (email) VALUES (%(email)s)]
[parameters: {'email': 'a@b.c'}]
(Background on this error at: https://sqlalche.me/e/20/gkpj)
`;

describe('what alembic says', () => {
  it('is cut to its last error, without values of records', () => {
    expect(readLastError(raised, '', 'pw')).toBe(
      'sqlalchemy.exc.IntegrityError: (psycopg.errors.UniqueViolation) duplicate key value violates unique constraint "users_pkey"',
    );
  });

  it('is what alembic itself refuses, where it prints its SQL', () => {
    expect(readLastError('INFO [x] y', "BEGIN;\n\nFAILED: Can't locate revision identified by 'x'\n", 'pw')).toBe(
      "FAILED: Can't locate revision identified by 'x'",
    );
  });

  it('names no password, as it is or as a URL writes it, and none of another login', () => {
    expect(scrubLine('cannot connect to postgresql://tas:p%40ss@db/x with p@ss', 'p@ss')).toBe(
      'cannot connect to postgresql://…hidden…@db/x with …hidden…',
    );
    expect(scrubLine('also redis://other:secret@cache:1', 'p@ss')).toBe('also redis://…hidden…@cache:1');
    expect(scrubLine('Key (email)=(a@b.c) is there', '')).not.toContain('a@b.c');
  });

  it('is short, and there even where the program said nothing', () => {
    expect([...scrubLine('x'.repeat(5000), '')].length).toBeLessThan(320);
    expect(readLastError('', '', '')).toBe('it ended without saying why');
  });
});
