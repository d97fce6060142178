import fc from 'fast-check';
import { judge } from '../../../src/systems/postgres/sql/effect.ts';
import { lint } from '../../../src/systems/postgres/sql/lint.ts';
import { locksOf } from '../../../src/systems/postgres/sql/locks.ts';
import { parseStatements, reparse, type Statement } from '../../../src/systems/postgres/sql/parse.ts';
import { findRefusal } from '../../../src/systems/postgres/sql/refusals.ts';
import { takeApart } from '../../../src/systems/postgres/sql/row-statement.ts';

const none = new Set<string>();
const read = (sql: string): Promise<Statement[]> => parseStatements('statements', sql);
const one = async (sql: string): Promise<Statement> => {
  const [statement, second] = await read(sql);
  if (!statement || second) throw new Error(`not one statement: ${sql}`);
  return statement;
};

describe('reading statements', () => {
  it('tells several apart, whatever they hold, with the line of each', async () => {
    const statements = await read(
      `SELECT ';' AS "a;b"; -- ;\nUPDATE ünï SET a = $q$;$q$ /* ; /* ; */ */ WHERE b = E'\\';' ;\n\n DELETE FROM 😀;`,
    );
    expect(statements.map(({ kind, line, text }) => [kind, line, text])).toEqual([
      ['SelectStmt', 1, `SELECT ';' AS "a;b"`],
      ['UpdateStmt', 2, `UPDATE ünï SET a = $q$;$q$ /* ; /* ; */ */ WHERE b = E'\\';' `],
      ['DeleteStmt', 4, 'DELETE FROM 😀'],
    ]);
  });

  it.each([
    [
      'a wrong word',
      'SELECT 1;\nSELEC 2',
      'line 2, column 1: syntax error at or near "SELEC". Here: SELECT 1; ⟶SELEC 2',
    ],
    ['a wrong word after characters of several bytes', "SELECT '😀é', FROM FROM t", 'line 1, column 14'],
    ['a text that is not closed', "SELECT 'open", 'line 1, column 8: unterminated quoted string'],
    ['a comment that is not closed', 'SELECT 1 /* open', 'line 1, column 10: unterminated /* comment'],
    ['a dollar quote that is not closed', 'SELECT $a$ x $b$', 'line 1, column 8'],
    ['a command of psql', 'SELECT 1 \\gexec', 'line 1, column 10'],
    ['a parameter', "SELECT 'é', $1", 'line 1, column 13: parameters cannot be used'],
    ['a zero character, behind which the parser would see nothing', 'SELECT 1\0; DROP TABLE t', 'column 9'],
    ['half a character', 'SELECT 1 \ud800', 'column 10'],
    ['nothing', '', 'it holds no statement'],
    ['a comment only', '-- nothing', 'it holds no statement'],
    ['nesting without end', `SELECT ${'(SELECT '.repeat(3000)}1${')'.repeat(3000)}`, 'nested too deeply'],
    ['a sum without end', `SELECT ${'1+'.repeat(20_000)}1`, 'nested too deeply'],
  ])('refuses %s and says where', async (_what, sql, where) => {
    await expect(read(sql)).rejects.toMatchObject({
      code: 'invalid-statement',
      message: expect.stringContaining(where),
    });
    expect(await read('SELECT 1')).toHaveLength(1);
  });

  it('never reads a text as more or other statements than it is composed of', async () => {
    const piece = fc.constantFrom(
      "SELECT 'it''s; DROP TABLE a'",
      'SELECT $$; DROP TABLE a$$',
      'SELECT $t$ $$ ; $t$',
      'SELECT "a;""b" FROM t -- ; DROP TABLE a\n',
      "SELECT U&'d\\0061t\\+000061;'",
      "SELECT E'\\'; DROP TABLE a --'",
      'UPDATE ä SET b = 1 /* ; DROP TABLE a */ WHERE c = 2',
      "DELETE FROM t WHERE x = '😀;'",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 6 }), async (pieces) => {
        const statements = await read(pieces.join(';\n'));
        expect(statements.map(({ text }) => text.trim())).toEqual(pieces.map((text) => text.trim()));
        expect(statements.map(({ kind }) => kind)).not.toContain('DropStmt');
      }),
    );
  });
});

describe('the effect of a statement', () => {
  it.each([
    ['reads', 'SELECT * FROM t WHERE a = 1'],
    ['reads', 'WITH a AS (SELECT 1) SELECT * FROM a UNION SELECT 2'],
    ['reads', 'SHOW server_version'],
    ['adds', 'SELECT 1 INTO copy FROM t'],
    ['adds', 'INSERT INTO t SELECT * FROM s'],
    ['adds', 'INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING'],
    ['adds', 'CREATE TABLE t (id int PRIMARY KEY)'],
    ['adds', 'CREATE TABLE t AS SELECT 1'],
    ['adds', 'CREATE INDEX i ON t (a)'],
    ['adds', 'CREATE VIEW v AS SELECT 1'],
    ['changes', 'SELECT * FROM t FOR UPDATE'],
    ['changes', '(SELECT a FROM t FOR UPDATE) UNION ALL SELECT 1'],
    ['changes', 'INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1'],
    ['changes', 'UPDATE t SET a = 1'],
    ['changes', 'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1'],
    ['changes', 'ALTER TABLE t ADD COLUMN a int'],
    ['changes', 'ALTER TABLE t ALTER a SET NOT NULL'],
    ['changes', 'ALTER TABLE t RENAME a TO b'],
    ['changes', 'CREATE OR REPLACE VIEW v AS SELECT 1'],
    ['changes', "COMMENT ON TABLE t IS 'x'"],
    ['destroys', 'DELETE FROM t WHERE a = 1'],
    ['destroys', 'WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone'],
    ['destroys', 'WITH gone AS (DELETE FROM t RETURNING *) INSERT INTO s SELECT * FROM gone'],
    ['destroys', 'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE'],
    ['destroys', 'EXPLAIN ANALYZE DELETE FROM t'],
    ['destroys', 'TRUNCATE t'],
    ['destroys', 'DROP TABLE t'],
    ['destroys', 'DROP VIEW v'],
    ['destroys', 'ALTER TABLE t ADD COLUMN a int, DROP COLUMN b'],
    ['destroys', 'ALTER TABLE t DROP CONSTRAINT c'],
    ['destroys', 'ALTER TABLE t ALTER a TYPE bigint'],
  ])('is %s for %s, and it can be told', async (effect, sql) => {
    expect(judge(await one(sql), none)).toEqual({ effect, opaque: null });
  });

  it.each([
    'DO $$ BEGIN DELETE FROM t; END $$',
    'CALL clean()',
    'GRANT SELECT ON t TO public',
    'REVOKE ALL ON t FROM public',
    'CREATE EXTENSION pgcrypto',
    'CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = public AS $$ SELECT 1 $$',
    'CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()',
    'CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM s',
    "NOTIFY channel, 'x'",
    'ALTER TABLE t OWNER TO other',
    'ALTER TABLE t DISABLE TRIGGER ALL',
    'ALTER TABLE t DISABLE ROW LEVEL SECURITY',
    "ALTER TYPE mood ADD VALUE 'sad'",
    'CREATE POLICY p ON t USING (true)',
    'CREATE SCHEMA s CREATE TABLE t (a int) GRANT SELECT ON t TO public',
  ])('cannot be told for %s', async (sql) => {
    expect((await one(sql)) && judge(await one(sql), none).opaque).toMatch(/\w+ \w+/);
  });

  it('destroys, and cannot be told, where a function may do something', async () => {
    const statement = await one('SELECT a FROM t WHERE app.purge(a) > 0');
    expect(judge(statement, none)).toEqual({ effect: 'reads', opaque: null });
    expect(judge(statement, new Set(['purge']))).toMatchObject({
      effect: 'destroys',
      opaque: expect.stringContaining('purge'),
    });
    expect(judge(await one('SELECT 1 === 2'), new Set(['===']))).toMatchObject({ effect: 'destroys' });
  });
});

describe('a statement that may never run', () => {
  it.each([
    ['BEGIN', 'transaction'],
    ['COMMIT', 'transaction'],
    ['ROLLBACK TO SAVEPOINT a', 'transaction'],
    ["PREPARE TRANSACTION 'x'", 'transaction'],
    ["COPY t TO PROGRAM 'sh'", 'COPY'],
    ["COPY t FROM '/etc/passwd'", 'COPY'],
    ['COPY t FROM STDIN', 'COPY'],
    ['SET ROLE postgres', 'settings'],
    ['SET LOCAL session_replication_role = replica', 'settings'],
    ['RESET ALL', 'settings'],
    ['DISCARD ALL', 'session'],
    ['LISTEN a', 'listens'],
    ['PREPARE p AS DELETE FROM t', 'prepares'],
    ['EXECUTE p', 'prepared'],
    ['DECLARE c CURSOR WITH HOLD FOR SELECT 1', 'cursor'],
    ['VACUUM t', 'VACUUM'],
    ['CREATE INDEX CONCURRENTLY i ON t (a)', 'CREATE INDEX CONCURRENTLY'],
    ['DROP INDEX CONCURRENTLY i', 'CONCURRENTLY'],
    ['REINDEX TABLE CONCURRENTLY t', 'CONCURRENTLY'],
    ['ALTER TABLE t DETACH PARTITION p CONCURRENTLY', 'CONCURRENTLY'],
    ["CREATE ROLE r PASSWORD 'x'", 'beyond this database'],
    ["ALTER SYSTEM SET fsync = 'off'", 'beyond this database'],
    ['CREATE DATABASE d', 'beyond this database'],
    ['DROP OWNED BY tas', 'journal'],
    ["LOAD 'lib'", 'library'],
    ["SELECT pg_read_file('/etc/passwd')", 'pg_read_file'],
    ["SELECT PG_CATALOG.PG_READ_FILE('/etc/passwd')", 'pg_read_file'],
    ["UPDATE t SET a = dblink_exec('host=x', 'DROP TABLE a')", 'dblink_exec'],
    ["SELECT set_config('role', 'postgres', false)", 'set_config'],
    ["SELECT query_to_xml('DELETE FROM t', true, true, '')", 'query_to_xml'],
    ['SELECT pg_terminate_backend(1)', 'pg_terminate_backend'],
    ["SELECT lo_export(1, '/tmp/x')", 'lo_export'],
    ['DELETE FROM tas_journal.batch', 'tas_journal'],
    ['DROP SCHEMA "tas_journal" CASCADE', 'tas_journal'],
    ['DROP SCHEMA U&"tas\\005fjournal" CASCADE', 'tas_journal'],
    ['ALTER SCHEMA tas_journal RENAME TO mine', 'tas_journal'],
    ['DROP SCHEMA tas_kept_1234 CASCADE', 'tas_kept_1234'],
    ['DO $$ BEGIN DELETE FROM tas_journal.fence; END $$', 'tas_journal'],
    ["DO $$ BEGIN EXECUTE 'COPY t TO PROGRAM ''sh'''; END $$", 'TO PROGRAM'],
    ["UPDATE pg_catalog.pg_class SET relname = 'x'", 'catalog'],
    ['DELETE FROM pg_authid', 'catalog'],
    ['CREATE TEMP TABLE x (a int)', 'temporary'],
    ['SELECT 1 INTO TEMP x', 'temporary'],
    ['CREATE TEMP TABLE x AS SELECT 1', 'temporary'],
    ['WITH a AS (SELECT 1) SELECT pg_advisory_lock(1) FROM a', 'pg_advisory_lock'],
  ])('is %s', async (sql, why) => {
    expect(findRefusal(await one(sql))?.why).toContain(why);
  });

  it('names the step kind that does it, where there is one', async () => {
    expect(findRefusal(await one('CREATE INDEX CONCURRENTLY i ON t (a)'))?.advice).toContain('postgres.create-index');
  });

  it.each([
    "SELECT 'BEGIN; COMMIT; tas_journal is the journal'",
    'CREATE TEMP TABLE x (a int) ON COMMIT DROP',
    'REFRESH MATERIALIZED VIEW CONCURRENTLY m',
    'SELECT count(*) FROM pg_class',
    "UPDATE t SET note = 'DROP OWNED BY tas' WHERE a = 'SET ROLE x'",
    'ANALYZE t',
  ])('is not %s', async (sql) => {
    expect(findRefusal(await one(sql))).toBeNull();
  });
});

describe('what people are warned of', () => {
  const volatile = new Set(['random', 'gen_random_uuid']);
  const checks = async (sql: string) => lint(await read(sql), volatile).map(({ check, advice }) => [check, advice]);

  it.each([
    ['UPDATE t SET a = 1', 'where-is-given', 'postgres.backfill-column'],
    ['DELETE FROM t', 'where-is-given', 'WHERE'],
    ['TRUNCATE t', 'rows-are-journaled', 'DELETE'],
    ['TRUNCATE t CASCADE', 'drops-named-things-only', 'CASCADE'],
    ['CREATE INDEX i ON t (a)', 'writers-go-on', 'postgres.create-index'],
    ['ALTER TABLE t ADD a uuid DEFAULT gen_random_uuid()', 'table-not-rewritten', 'postgres.add-column'],
    ['ALTER TABLE t ADD a bigserial', 'table-not-rewritten', 'postgres.backfill-column'],
    ['ALTER TABLE t ADD a int GENERATED ALWAYS AS (b * 2) STORED', 'table-not-rewritten', 'postgres.add-column'],
    ['ALTER TABLE t ADD a int NOT NULL', 'column-can-be-added', 'postgres.set-not-null'],
    ['ALTER TABLE t ADD a int REFERENCES s', 'table-not-scanned', 'postgres.add-foreign-key'],
    ['ALTER TABLE t ALTER a SET NOT NULL', 'table-not-scanned', 'postgres.set-not-null'],
    ['ALTER TABLE t ALTER a TYPE bigint USING a::bigint', 'table-not-rewritten', 'postgres.rename-column'],
    ['ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES s', 'table-not-scanned', 'postgres.add-foreign-key'],
    ['ALTER TABLE t ADD CHECK (a > 0)', 'table-not-scanned', 'postgres.add-check'],
    ['ALTER TABLE t ADD UNIQUE (a)', 'table-not-scanned', 'postgres.create-index'],
    [
      'ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES s ON DELETE CASCADE NOT VALID',
      'deletes-named-rows-only',
      'postgres.add-foreign-key',
    ],
    ['CREATE TABLE t (a int REFERENCES s ON DELETE SET NULL)', 'deletes-named-rows-only', 'postgres.add-foreign-key'],
    ['ALTER TABLE t DROP a', 'kept-aside', 'postgres.drop-column'],
    ['ALTER TABLE t DROP a CASCADE', 'drops-named-things-only', 'CASCADE'],
    ['ALTER TABLE t DROP CONSTRAINT c', 'rule-stays', 'inverse'],
    ['DROP TABLE t', 'kept-aside', 'postgres.drop-table'],
    ['DROP TYPE t', 'kept-aside', 'inverse'],
    ['DROP VIEW v CASCADE', 'drops-named-things-only', 'CASCADE'],
    ['ALTER TABLE t RENAME a TO b', 'old-name-goes-on', 'postgres.rename-column'],
    ['LOCK TABLE t', 'writers-go-on', 'LOCK'],
    ['CLUSTER t USING i', 'table-not-rewritten', 'maintenance'],
  ])('%s: %s, with what does it better: %s', async (sql, check, advice) => {
    expect(await checks(sql)).toContainEqual([check, expect.stringContaining(advice)]);
  });

  it.each([
    'UPDATE t SET a = 1 WHERE b',
    'ALTER TABLE t ADD a int',
    'ALTER TABLE t ADD a timestamptz NOT NULL DEFAULT now()',
    "ALTER TABLE t ADD a text DEFAULT 'random()'",
    'ALTER TABLE t ADD CHECK (a > 0) NOT VALID',
    'ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES s NOT VALID',
    'ALTER TABLE t VALIDATE CONSTRAINT c',
    'ALTER TABLE t ADD UNIQUE USING INDEX i',
    'CREATE TABLE t (a int REFERENCES s)',
    'DROP VIEW v',
    'INSERT INTO t VALUES (1)',
  ])('nothing for %s', async (sql) => {
    expect(await checks(sql)).toEqual([]);
  });

  it('says in which line each statement stands, same things together', async () => {
    const [finding] = lint(await read('UPDATE a SET x = 1;\n\nUPDATE b SET x = 1;'), none);
    expect(finding).toMatchObject({
      status: 'warning',
      count: 2,
      samples: ['line 1: UPDATE a SET x = 1', 'line 3: UPDATE b SET x = 1'],
    });
  });
});

describe('what is locked', () => {
  it.each([
    ['UPDATE t SET a = 1', ['t: the rows that it writes, until the transaction ends']],
    ['ALTER TABLE app.t ADD a int', ['app.t: nobody reads or writes it until the transaction ends']],
    [
      'ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES s NOT VALID',
      [
        's: nobody writes it until the transaction ends; reading goes on',
        't: nobody writes it until the transaction ends; reading goes on',
      ],
    ],
    ['ALTER TABLE t VALIDATE CONSTRAINT c', ['t: other changes of its schema wait; reading and writing go on']],
    ['CREATE INDEX i ON t (a)', ['t: nobody writes it until the transaction ends; reading goes on']],
    ['UPDATE t SET a = 1; DROP TABLE t', ['t: nobody reads or writes it until the transaction ends']],
    ['SELECT 1; CREATE TABLE x (a int)', []],
    ['DO $$ BEGIN END $$', ['line 1: what it locks is not known beforehand']],
  ])('by %s', async (sql, locks) => {
    expect(locksOf(await read(sql))).toEqual(locks);
  });
});

describe('a statement taken apart', () => {
  const apart = async (sql: string) => {
    const found = takeApart(await one(sql), new Set(['purge']));
    if ('because' in found) throw new Error(found.because);
    return found;
  };

  it.each([
    'UPDATE t SET a = 1',
    "UPDATE app.t AS x SET a = 'WHERE ; RETURNING', b = (SELECT 1 WHERE true) WHERE x.id > 1 -- WHERE\n",
    'UPDATE t SET a = b IS DISTINCT FROM c, d = ROW(1, 2) = ROW(3, 4) FROM o JOIN p ON o.a IS DISTINCT FROM p.a WHERE t.id = o.id OR false',
    'WITH o AS (SELECT 1 AS id WHERE true) UPDATE ONLY t SET a = o.id FROM o WHERE t.id = o.id AND true',
    'UPDATE t SET (a, b) = (SELECT 1, 2), c = DEFAULT WHERE a = ANY (ARRAY[1, 2])',
    'DELETE FROM t USING o JOIN p USING (id) WHERE t.id = o.id',
    'DELETE FROM "Odd ""t""" AS "WHERE" WHERE "WHERE".id = 1 /* RETURNING */',
    "DELETE FROM ünï WHERE é = '😀' OR true",
  ])('composes the same again for some rows only: %s', async (sql) => {
    const { select, write } = await apart(sql);
    expect(reparse(select('1', 'k = ANY($1)', 'LIMIT 1'))?.kind).toBe('SelectStmt');
    expect(reparse(write('k = ANY($1)', 'k'))?.kind).toBe((await one(sql)).kind);
  });

  it('keeps a condition with OR in parentheses, so that it reaches no other rows', async () => {
    const { select, write } = await apart('DELETE FROM t WHERE a OR b -- end');
    for (const text of [select('1', 'k = 1', ''), write('k = 1', 'k')])
      expect(text).toContain('k = 1 AND (\n a OR b -- end\n)');
  });

  it('finds the texts of new values, by column', async () => {
    const { sets } = await apart("UPDATE t SET a = f(1, ','), b = x = y, c = DEFAULT, d[1] = 2 WHERE true");
    expect(sets).toEqual([
      { column: 'a', expression: "f(1, ',')" },
      { column: 'b', expression: 'x = y' },
      { column: 'c', expression: null },
      { column: 'd', expression: null },
    ]);
  });

  it.each([
    ['INSERT INTO t VALUES (1)', 'no UPDATE or DELETE'],
    ['DELETE FROM t RETURNING *', 'RETURNING'],
    ['UPDATE t SET a = purge(b)', 'purge'],
    ['WITH g AS (DELETE FROM s RETURNING id) DELETE FROM t USING g WHERE t.id = g.id', 'writes'],
    ['DELETE FROM t WHERE CURRENT OF c', 'cursor'],
  ])('is refused: %s (%s)', async (sql, because) => {
    expect(takeApart(await one(sql), new Set(['purge']))).toMatchObject({ because: expect.stringContaining(because) });
  });

  it('sees that a statement reads its own table elsewhere', async () => {
    expect((await apart('DELETE FROM t WHERE a < (SELECT max(a) FROM t)')).readsItself).toBe(true);
    expect((await apart('DELETE FROM t WHERE a < (SELECT max(a) FROM s)')).readsItself).toBe(false);
  });
});
