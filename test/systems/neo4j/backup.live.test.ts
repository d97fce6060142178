import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from '../../../src/shared/json.ts';
import { decodeProperties, encodeProperties } from '../../../src/systems/neo4j/encode.ts';
import type { BackupContext, BackupPart } from '../../../src/systems/system.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';

jest.setTimeout(120_000);

let graph: FreshGraph;
let folder: string;

beforeAll(async () => {
  graph = await freshGraph();
});
afterAll(() => graph.close());
beforeEach(async () => {
  await wipe(graph.connection);
  folder = await mkdtemp(join(tmpdir(), 'tas-neo4j-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const context: BackupContext = {
  objectsFolder: '/nonexistent',
  signal: new AbortController().signal,
  progress: () => {},
};

function backUp(): Promise<BackupPart> {
  return graph.system.backup?.(folder, context) as Promise<BackupPart>;
}

const EVERY_TYPE = `CREATE (:Every {yes: true, int: 9223372036854775807, min: -9223372036854775808, float: 1.0, tiny: 5e-324, zero: -0.0,
  nan: 0.0/0.0, inf: 1.0/0.0, text: 'a\\r\\n\\t"\\'\\\\ é 😀', empty: '', date: date('-999999999-01-01'), time: time('12:00:00.000000001+18:00'),
  localtime: localtime('23:59:59.999999999'), utc: datetime('2024-02-29T12:00:00Z'), offset: datetime('2024-02-29T12:00:00.1-03:30'),
  zoned: datetime('2024-10-27T02:30:00+01:00[Europe/Berlin]'), old: datetime('1850-01-01T00:00[Europe/Berlin]'),
  localdatetime: localdatetime('+12345-01-01T00:00'), duration: duration({months: -14, days: 3, seconds: 9223372036854775807}),
  p2: point({x: -0.0, y: 1e300}), p3: point({x: 1, y: 2, z: 3}), wgs: point({longitude: 1, latitude: 2}),
  wgs3: point({longitude: 1, latitude: 2, height: 3}), ints: [1, 2], floats: [1.0, 2.0], texts: ['a', ''], flags: [true, false],
  dates: [date('2024-01-01')], points: [point({x: 1, y: 2})], durations: [duration('P1D')], nothing: [], labels: 'x', id: 'y', \`__proto__\`: 'z'})`;

const HOSTILE = [
  'a`b',
  'a\\u0060) DETACH DELETE n //',
  "it's",
  'a"b',
  'x:Y',
  'a\nb',
  '``',
  '\\',
  'labels',
  '$x',
  '{',
  '😀',
];

const SCHEMA = [
  'CREATE CONSTRAINT one FOR (n:User) REQUIRE n.id IS UNIQUE',
  'CREATE CONSTRAINT two FOR (n:`a``b`) REQUIRE (n.x, n.`y``z`) IS UNIQUE',
  'CREATE CONSTRAINT three FOR ()-[r:OWNS]-() REQUIRE r.id IS UNIQUE',
  'CREATE INDEX four FOR (n:User) ON (n.name, n.created_at)',
  'CREATE INDEX five FOR ()-[r:OWNS]-() ON (r.since)',
  'CREATE TEXT INDEX six FOR (n:User) ON (n.email)',
  `CREATE POINT INDEX seven FOR (n:User) ON (n.at) OPTIONS {indexConfig: {\`spatial.cartesian.min\`: [-100.0, -100.0], \`spatial.cartesian.max\`: [100.0, 100.0]}}`,
  `CREATE FULLTEXT INDEX eight FOR (n:User|Document) ON EACH [n.name, n.\`a b\`] OPTIONS {indexConfig: {\`fulltext.analyzer\`: 'german'}}`,
  `CREATE VECTOR INDEX nine FOR (n:Chunk) ON (n.embedding) OPTIONS {indexConfig: {\`vector.dimensions\`: 3, \`vector.similarity_function\`: 'cosine'}}`,
  'CREATE INDEX `odd`` name\\u005C` FOR (n:X) ON (n.y)',
];

async function fill(): Promise<void> {
  for (const statement of SCHEMA) await graph.query(statement);
  await graph.query(EVERY_TYPE);
  await graph.query('MATCH (n:Every) SET n.bytes = $bytes, n.none = $none', {
    bytes: new Int8Array([0, -1, 127]),
    none: new Int8Array(),
  });
  await graph.query(
    "CREATE (:User:Admin {id: 'u1', at: point({x: 1, y: 2})}), (), (:User {id: 'u2'}), (:Chunk {embedding: [1.0, 2.0, 3.0]})",
  );
  await graph.query(
    "MATCH (a:User {id: 'u1'}), (b:User {id: 'u2'}) CREATE (a)-[:OWNS {id: 1, since: date()}]->(b), (a)-[:OWNS]->(b), (a)-[:SELF]->(a)",
  );
  for (const name of HOSTILE) {
    await graph.query(
      'CALL apoc.create.node([$name, $other], {}) YIELD node SET node += $properties WITH node CALL apoc.create.relationship(node, $name, $properties, node) YIELD rel RETURN rel',
      { name, other: `${name}!`, properties: { [name]: name } },
    );
  }
}

async function schemaOf(): Promise<unknown> {
  const indexes = await graph.query(
    'SHOW INDEXES YIELD name, state, type, labelsOrTypes, properties, options WHERE NOT name STARTS WITH "_tas" RETURN name, state, type, labelsOrTypes, properties, options.indexConfig ORDER BY name',
  );
  const constraints = await graph.query(
    'SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties WHERE NOT name STARTS WITH "_tas" RETURN name, type, labelsOrTypes, properties ORDER BY name',
  );
  return { indexes, constraints };
}

describe('the typed export', () => {
  it('gives back every type, name, relationship, constraint and index as it was', async () => {
    await fill();
    const everything =
      'MATCH (n) OPTIONAL MATCH (n)-[r]->(m) RETURN labels(n), properties(n), type(r), properties(r), labels(m)';
    const textOf = async () =>
      (await graph.query(everything)).map((row) => canonicalJson(encodeProperties({ row }))).sort();
    const [content, schema, fingerprint] = [await textOf(), await schemaOf(), await graph.system.fingerprint?.()];
    const part = await backUp();
    expect(part).toMatchObject({ format: 'neo4j-typed-export/1', fingerprint });
    expect(part.fingerprint.counts).toMatchObject({ User: 2, Admin: 1, '(no label)': 1, '-[OWNS]->': 2, 'a`b': 1 });
    await wipe(graph.connection);
    await graph.query("CREATE (:Other {id: 'o'})-[:R]->(:Other)");
    await graph.query('CREATE INDEX four FOR (n:Other) ON (n.id)');
    expect(await graph.system.restore?.(part, folder, context)).toEqual(fingerprint);
    expect(await textOf()).toEqual(content);
    expect(await schemaOf()).toEqual(schema);
    expect(content.some((text) => text.includes('__proto__'))).toBe(true);
    expect(content).toHaveLength(HOSTILE.length + 7);
  });

  it('carries any property through the database without loss', async () => {
    const int = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const part = (max: number, min = 0) => fc.integer({ min, max });
    const clock = [part(23), part(59), part(59), part(999_999_999)] as const;
    const day = [part(9999, -9999), part(12, 1), part(28, 1)] as const;
    const offset = part(64_800, -64_800);
    const zone = fc.constantFrom('Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Etc/UTC');
    const encoded = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      int.map((i) => ({ i: String(i) })),
      fc
        .double()
        .map((f) => (Number.isFinite(f) && !Object.is(f, -0) ? f : { f: Object.is(f, -0) ? '-0' : String(f) })),
      fc.tuple(...day).map((date) => ({ date })),
      fc.tuple(...clock).map((localtime) => ({ localtime })),
      fc.tuple(...clock, offset).map((time) => ({ time })),
      fc.tuple(...day, ...clock).map((localdatetime) => ({ localdatetime })),
      fc.tuple(...day, ...clock, offset, fc.constant(null)).map((datetime) => ({ datetime })),
      fc
        .tuple(part(2100, 1990), part(12, 1), part(28, 1), ...clock, fc.constant(null), zone)
        .map((datetime) => ({ datetime })),
      fc.array(int, { maxLength: 4 }).map((list) => list.map((i) => ({ i: String(i) }))),
      fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ b: Buffer.from(bytes).toString('base64') })),
      fc
        .tuple(fc.integer(), fc.integer({ min: 0, max: 999_999_999 }))
        .map(([a, n]) => ({ duration: [a, -a, a, n].map(String) })),
    );
    const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((name) => !name.includes('\0'));
    const node = fc.dictionary(names, encoded, { maxKeys: 6 });
    await fc.assert(
      fc.asyncProperty(node, async (properties) => {
        const sent = decodeProperties(properties as never);
        const [[stored]] = (await graph.query(
          'CREATE (n) SET n = $sent WITH n, properties(n) AS stored DELETE n RETURN stored',
          { sent },
        )) as [[object]];
        const first = encodeProperties({ ...stored });
        const [[again]] = (await graph.query('RETURN $sent', { sent: decodeProperties(first) })) as [[object]];
        expect(canonicalJson(encodeProperties({ ...again }))).toBe(canonicalJson(first));
        // A zoned time gets its offset from the server; everything else comes back as it was sent.
        const plain = (of: object) =>
          canonicalJson(Object.fromEntries(Object.entries(of).filter(([, value]) => !value?.datetime?.[8])));
        expect(plain(first)).toBe(plain(properties));
      }),
      { numRuns: 25 },
    );
  });

  it('has one fingerprint for one content, whatever the order and the internal ids, and another for any change', async () => {
    const make = async (order: string) => {
      await wipe(graph.connection, 'journal-schema');
      await graph.query(`UNWIND ${order} AS i CREATE (:N {i: i})`);
      await graph.query('MATCH (a:N), (b:N) WHERE b.i = a.i + 1 CREATE (a)-[:NEXT]->(b)');
      return (await graph.system.fingerprint?.())?.hash;
    };
    const hash = await make('[1, 2, 3, 4]');
    expect(await make('[4, 2, 3, 1]')).toBe(hash);
    const changes = [
      'MATCH (n:N {i: 1}) SET n.i = 1.0',
      'MATCH (n:N {i: 2}) SET n:M',
      "MATCH (:N {i: 3})-[r]->() SET r.x = ''",
      'MATCH (a:N {i: 3})-[r]->(b) DELETE r CREATE (b)-[:NEXT]->(a)',
      'CREATE INDEX later FOR (n:N) ON (n.i)',
    ];
    const seen = new Set([hash]);
    for (const change of changes) {
      await graph.query(change);
      seen.add((await graph.system.fingerprint?.())?.hash);
    }
    expect(seen.size).toBe(changes.length + 1);
  });

  it('keeps the journal, so that a run can be undone after a restore, and never lowers a fence', async () => {
    await graph.query("UNWIND range(1, 5) AS i CREATE (:User {id: 'u' + i})");
    const before = await graph.system.fingerprint?.();
    const kind = kindOf(graph.system, 'neo4j.set-properties');
    const step = { label: 'User', key: 'id', where: 'n.t IS NULL', set: { t: "'t' + $sequence" } };
    await perform(kind, step, contextOf('r1'));
    const part = await backUp();
    await graph.system.advanceFence?.({ environment: 'test', token: 8 });
    await graph.query('MATCH (n:User) DELETE n');
    await graph.system.restore?.(part, folder, context);
    expect(await graph.query('MATCH (f:_TasFence) RETURN f.environment, f.token')).toEqual([['test', 8n]]);
    await expect(undo(kind, step, undoOf('b0', 'r1'))).rejects.toMatchObject({ code: 'fenced' });
    const fence = { environment: 'test', token: 9 };
    expect(await undo(kind, step, undoOf('b1', 'r1', { fence }))).toMatchObject({ done: 5, kept: 0, missing: 0 });
    expect(await graph.system.fingerprint?.()).toEqual(before);
  });

  it('restores to the same end after being stopped halfway, and says when the disk holds something else', async () => {
    await graph.query("UNWIND range(1, 9000) AS i CREATE (:User {id: 'u' + i})");
    await graph.query("MATCH (a:User {id: 'u1'}), (b:User) CREATE (a)-[:KNOWS]->(b)");
    const part = await backUp();
    const stop = new AbortController();
    const stopping = { ...context, signal: stop.signal, progress: (done: number) => done > 5000 && stop.abort() };
    await expect(graph.system.restore?.(part, folder, stopping)).rejects.toMatchObject({ code: 'cancelled' });
    expect(await graph.query('MATCH (n:User) RETURN count(n)')).not.toEqual([[9000n]]);
    expect(await graph.another().restore?.(part, folder, context)).toEqual(part.fingerprint);
    expect(part.fingerprint.counts).toEqual({ User: 9000, '-[KNOWS]->': 9000 });
  });

  it('refuses a backup whose statements or values were forged, with right checksums, before it touches anything', async () => {
    await graph.query("CREATE (:User {id: 'u1'})");
    await graph.query('CREATE CONSTRAINT one FOR (n:User) REQUIRE n.id IS UNIQUE');
    const part = await backUp();
    const before = await graph.system.fingerprint?.();
    const path = join(folder, 'schema.json');
    const original = await readFile(path, 'utf8');
    const { createHash } = await import('node:crypto');
    for (const forged of [
      original.replace('"UNIQUENESS"', '"X; MATCH (n) DETACH DELETE n"'),
      original.replace('"id"', '"other"'),
      '{}',
    ]) {
      expect(forged).not.toBe(original);
      await writeFile(path, forged);
      const sha256 = createHash('sha256').update(forged).digest('hex');
      const files = part.files.map((file) =>
        file.path === 'schema.json' ? { ...file, bytes: Buffer.byteLength(forged), sha256 } : file,
      );
      const attempt = graph.system.restore?.({ ...part, files }, folder, context);
      await expect(attempt).rejects.toMatchObject({ code: 'corrupt-backup' });
    }
    const outside = part.files.map((file) => ({ ...file, path: `../${file.path}` }));
    await expect(graph.system.restore?.({ ...part, files: outside }, folder, context)).rejects.toMatchObject({
      code: 'corrupt-backup',
    });
    expect(await graph.system.fingerprint?.()).toEqual(before);
  });

  it('refuses to back up what it could not give back', async () => {
    await graph.query("CREATE (:User {at: datetime({year: 300000, timezone: 'Europe/Berlin'})})");
    await expect(backUp()).rejects.toMatchObject({
      code: 'step-failed',
      message: expect.stringContaining('zoned time'),
    });
  });

  it('writes only into its folder and fails on a full or foreign one', async () => {
    await graph.query("CREATE (:User {id: 'u1'})");
    await backUp();
    expect((await readdir(folder)).sort()).toEqual(['nodes.ndjson.zst', 'relationships.ndjson.zst', 'schema.json']);
    await expect(backUp()).rejects.toThrow(/EEXIST/);
  });
});
