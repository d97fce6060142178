import fc from 'fast-check';
import { constraintStatement, graphSchema, indexStatement } from '../../../src/systems/neo4j/backup/graph-schema.ts';
import { namespacedCalls, tokenize } from '../../../src/systems/neo4j/cypher-text.ts';
import { checkExpression, refuseUnsafe } from '../../../src/systems/neo4j/expression.ts';
import { escapeName, graphName } from '../../../src/systems/neo4j/name.ts';
import { cypher } from '../../../src/systems/neo4j/statement.ts';

describe('names in Cypher', () => {
  it('cannot end their quotation', () => {
    expect(escapeName('a`b')).toBe('`a``b`');
    expect(escapeName('a\\u0060b')).toBe('`a\\u005Cu0060b`');
    expect(() => escapeName('')).toThrow(/empty/);
    expect(() => escapeName('a\0')).toThrow(/NUL/);
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1 }).filter((name) => !name.includes('\0')),
        (name) => {
          const read = escapeName(name).replace(/\\u005C/g, '\\');
          const tokens = tokenize(escapeName(name));
          expect(tokens).toHaveLength(1);
          expect(read.slice(1, -1).replaceAll('``', '`')).toBe(name);
        },
      ),
    );
  });

  it('are refused where they are the bot’s', () => {
    for (const name of ['_tas_lock', '_TasBatch', '_TAS', '', 'a\0b'])
      expect(graphName.safeParse(name).success).toBe(false);
    for (const name of ['tas', '_t', 'User', 'a`b', 'x_tas']) expect(graphName.safeParse(name).success).toBe(true);
  });
});

describe('expressions', () => {
  const refused = (text: string) => {
    try {
      checkExpression('where', text);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };

  it('cannot leave their brackets', () => {
    const attempts = [
      'true) DETACH DELETE n //',
      'n.x]',
      '(n.x',
      'n.x; MATCH (m) DELETE m',
      '{a: [1}',
      "'open",
      '`open',
      '/* open',
      'n.x // c',
      'n.x /* c */',
      '"a\\" + n.b',
      '',
      ' \n',
      '\\u0029 DELETE n',
      "'\\U00000027'",
    ];
    for (const text of attempts)
      expect({ text, refused: refused(text) }).toEqual({
        text,
        refused: expect.stringMatching(/^where, line \d+, column \d+: /),
      });
  });

  it('may hold brackets, semicolons and comment signs in quotations', () => {
    for (const text of [
      "n.x = ')'",
      'n.x = "; // /*"',
      "n.`a)b` = 'it\\'s'",
      "n.x = '\\\\'",
      'n.a[0..2] = [x IN n.l WHERE x > 1 | x]',
      'EXISTS { MATCH (n)--(:X {id: n.id}) }',
    ]) {
      expect({ text, refused: refused(text) }).toEqual({ text, refused: undefined });
    }
  });

  it('get $sequence as a variable of the same length, but not within quotations; other parameters are unknown', () => {
    expect(checkExpression('x', "'a$sequence' + $sequence")).toMatchObject({
      cypher: "'a$sequence' + _tas_seqn",
      sequenced: true,
    });
    expect(checkExpression('x', "'$sequence'")).toMatchObject({ sequenced: false });
    for (const text of ['$rows', '$sequences', '$`sequence`', 'n.x = $0']) expect(refused(text)).toMatch(/unknown/);
  });

  it('may not name what is the bot’s, nor functions that run text or read files', () => {
    for (const text of [
      'n._tas_x',
      'n.`_tas_x`',
      'EXISTS { (:_TasBatch) }',
      '_tas_seqn',
      'apoc.cypher.runFirstColumnSingle("x", {})',
      'apoc . `cypher` /**/ . run("x")',
      'custom.f(1)',
    ]) {
      expect(refused(text)).toBeDefined();
    }
    for (const text of ['apoc.text.join([], "")', 'datetime.truncate("day", n.at)', 'n.apoc.cypher', 'toUpper(n.x)'])
      expect(refused(text)).toBeUndefined();
    expect(() => refuseUnsafe('statement', 'MATCH (n) // fine\nRETURN n')).not.toThrow();
    expect(namespacedCalls(tokenize('a.b(c.d . e (1))')).map(({ name }) => name)).toEqual(['a.b', 'c.d.e']);
  });

  it('are found again by line in the composed statement', () => {
    const first = checkExpression('where', 'n.a\n  = 1');
    const second = checkExpression('set.b', 'n.c');
    const statement = cypher`MATCH (n)\nWHERE ${first}\nRETURN ${[second, first]}`;
    const lines = statement.text.split('\n');
    for (const [i, line] of lines.entries()) {
      const found = statement.placeOf(i + 1);
      expect(
        found ? [found.place, (found.place === 'where' ? ['n.a', '  = 1'] : ['n.c'])[found.line - 1]] : null,
      ).toEqual(found ? [found.place, line] : null);
    }
    expect(lines.filter((_, i) => statement.placeOf(i + 1))).toEqual(['n.a', '  = 1', 'n.c', 'n.a', '  = 1']);
  });
});

describe('statements of the schema', () => {
  const name = 'a`b\\';
  const quoted = '`a``b\\u005C`';

  it('are made from structure with every name quoted', () => {
    const properties = [name, 'y'];
    const constraint = { name, entity: 'NODE' as const, label: name, properties, propertyType: null };
    const head = `CREATE CONSTRAINT ${quoted} IF NOT EXISTS FOR`;
    expect(constraintStatement({ ...constraint, type: 'UNIQUENESS' })).toBe(
      `${head} (x:${quoted}) REQUIRE (x.${quoted}, x.\`y\`) IS UNIQUE`,
    );
    expect(constraintStatement({ ...constraint, type: 'NODE_KEY' })).toContain('IS NODE KEY');
    expect(constraintStatement({ ...constraint, type: 'RELATIONSHIP_KEY', entity: 'RELATIONSHIP' })).toContain(
      `()-[x:${quoted}]-() REQUIRE (x.${quoted}, x.\`y\`) IS RELATIONSHIP KEY`,
    );
    expect(constraintStatement({ ...constraint, type: 'NODE_PROPERTY_EXISTENCE' })).toContain('IS NOT NULL');
    expect(
      constraintStatement({
        ...constraint,
        type: 'NODE_PROPERTY_TYPE',
        propertyType: 'STRING | LIST<INTEGER NOT NULL>',
      }),
    ).toContain('IS :: STRING | LIST<INTEGER NOT NULL>');
    const index = { name, entity: 'NODE', labels: ['A', name], properties: ['p'], config: {} } as const;
    expect(indexStatement({ ...index, labels: ['A', name], properties: ['p'], type: 'FULLTEXT' }).statement).toBe(
      `CREATE FULLTEXT INDEX ${quoted} IF NOT EXISTS FOR (x:\`A\`|${quoted}) ON EACH [x.\`p\`] OPTIONS $options`,
    );
  });

  it('are never made from text that is no structure', () => {
    const base = {
      name: 'x',
      type: 'NODE_PROPERTY_TYPE',
      entity: 'NODE',
      label: 'A',
      properties: ['p'],
      propertyType: 'STRING',
    };
    const accepts = (constraint: object) => graphSchema.safeParse({ constraints: [constraint], indexes: [] }).success;
    expect(accepts(base)).toBe(true);
    expect(accepts({ ...base, propertyType: 'STRING MATCH (n) DETACH DELETE n' })).toBe(false);
    expect(accepts({ ...base, propertyType: 'STRING; X' })).toBe(false);
    expect(accepts({ ...base, type: 'IS UNIQUE' })).toBe(false);
    expect(accepts({ ...base, statement: 'CREATE' })).toBe(false);
    expect(accepts({ ...base, properties: [] })).toBe(false);
  });
});
