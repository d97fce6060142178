import { jest } from '@jest/globals';
import { createLogger } from '../../../src/shared/logger.ts';
import { Secret } from '../../../src/shared/secret.ts';
import { createNeo4jSystem } from '../../../src/systems/neo4j/neo4j-system.ts';
import { liveStores } from '../../live-stores.ts';
import type { ContractSubject } from '../contract-subject.ts';
import { describeSystemContract } from '../system-contract.ts';
import { type FreshGraph, freshGraph } from './fresh-graph.ts';

jest.setTimeout(120_000);

const SEED = [
  'CREATE CONSTRAINT user_id FOR (n:User) REQUIRE n.id IS UNIQUE',
  'CREATE CONSTRAINT person_id FOR (n:Person) REQUIRE n.id IS UNIQUE',
  'CREATE INDEX notebook_at FOR (n:Notebook) ON (n.at)',
  'CREATE CONSTRAINT space_id FOR (n:Space) REQUIRE n.id IS UNIQUE',
  "UNWIND range(1, 5) AS i CREATE (:User {id: 'u' + i, email: 'user' + i + '@example.com', home: 'space_' + i})",
  "MATCH (u:User {id: 'u1'}) CREATE (:Notebook {id: 'n1', at: datetime()})-[:OWNED_BY {since: date()}]->(u)",
  "CREATE (b:Book {id: 'b1'}) WITH b UNWIND range(1, 5) AS i CREATE (:Page {id: 'p' + i, No: i, draft: 'text'})-[:PART_OF {i: i}]->(b)",
];

const ends = { from: { label: 'Page', key: 'id' }, to: { label: 'Book', key: 'id' } };

function refused(graph: FreshGraph): NonNullable<ContractSubject['refused']> {
  const { neo4j } = liveStores();
  const make = (url: string) => {
    const password = new Secret('open-sesame-77');
    return createNeo4jSystem({
      name: 'graph',
      url,
      user: neo4j.user,
      password,
      seal: graph.seal,
      logger: createLogger('silent'),
    });
  };
  return {
    password: 'open-sesame-77',
    wrongPassword: () => make(neo4j.url),
    unreachable: () => make('bolt://127.0.0.1:9'),
  };
}

async function makeSubject(): Promise<ContractSubject> {
  const graph = await freshGraph('journal-schema');
  for (const statement of SEED) await graph.query(statement);
  const fields = ['email'];
  return {
    system: graph.system,
    reopen: async () => graph.another(),
    examples: [
      {
        kind: 'neo4j.set-properties',
        input: { label: 'User', key: 'id', where: 'n.tenant IS NULL', set: { tenant: "'tenant_' + $sequence" } },
        count: 5,
        edit: {
          field: 'tenant',
          apply: async () => void (await graph.query("MATCH (n:User {id: 'u3'}) SET n.tenant = 'mine'")),
        },
      },
      {
        kind: 'neo4j.create-nodes',
        input: {
          label: 'Space',
          key: 'id',
          for: { label: 'User', key: 'id', where: 'n.home IS NOT NULL' },
          properties: { id: 'n.home', name: "'Space of ' + n.id" },
          relationship: { type: 'OWNS', direction: 'from-source' },
        },
        count: 5,
        edit: {
          field: 'name',
          apply: async () => void (await graph.query("MATCH (n:Space {id: 'space_2'}) SET n.name = 'renamed'")),
        },
      },
      {
        kind: 'neo4j.create-constraint',
        input: { name: 'unique_email', label: 'User', property: 'email', type: 'unique' },
        count: 1,
        ofSchema: true,
      },
      {
        kind: 'neo4j.rename-property',
        input: { label: 'Page', key: 'id', from: 'No', to: 'number' },
        count: 5,
      },
      {
        kind: 'neo4j.remove-property',
        input: { label: 'Page', key: 'id', property: 'draft' },
        count: 5,
        edit: {
          field: 'draft',
          apply: async () => void (await graph.query("MATCH (n:Page {id: 'p3'}) SET n.draft = 'anew'")),
        },
      },
      {
        kind: 'neo4j.set-relationship-properties',
        input: { type: 'PART_OF', ...ends, set: { order: 'r.i * 10' } },
        count: 5,
        edit: {
          field: 'order',
          apply: async () => void (await graph.query("MATCH (:Page {id: 'p3'})-[r]->() SET r.order = 31")),
        },
      },
      {
        kind: 'neo4j.retype-relationships',
        input: { from: 'PART_OF', to: 'BELONGS_TO', ends, set: { weight: '1' } },
        count: 5,
      },
      {
        kind: 'neo4j.copy-nodes',
        input: { from: { label: 'User', key: 'id' }, to: { label: 'Person', key: 'id' }, stamp: { from: "'User'" } },
        count: 5,
        edit: {
          field: 'email',
          apply: async () => void (await graph.query("MATCH (n:Person {id: 'u3'}) SET n.email = 'mine'")),
        },
      },
      { kind: 'neo4j.delete-nodes', input: { label: 'User', key: 'id', where: 'true' }, count: 5 },
      {
        kind: 'neo4j.create-index',
        input: { name: 'user_home', label: 'User', properties: ['home'] },
        count: 1,
        ofSchema: true,
      },
      { kind: 'neo4j.drop-index', input: { name: 'notebook_at' }, count: 1, ofSchema: true },
      { kind: 'neo4j.drop-constraint', input: { name: 'person_id' }, count: 1, ofSchema: true },
      {
        kind: 'neo4j.cypher',
        input: {
          statement: "MATCH (n:User) WHERE n.id IN $keys SET n.greeting = 'Hello ' + n.id",
          inverse: 'MATCH (n:User) WHERE n.id IN $keys REMOVE n.greeting',
          batchBy: { label: 'User', key: 'id', where: 'n.greeting IS NULL' },
        },
        count: 5,
      },
    ],
    reading: {
      lookup: { collection: 'User', by: 'id', fields },
      scan: { collection: 'User', key: 'id', fields },
      keys: ['u1', 'u2', 'u3', 'u4', 'u5'],
      where: { text: "n.email STARTS WITH 'user4'", keys: ['u4'] },
    },
    statements: {
      finds: { text: 'MATCH (n:User) RETURN n.id AS id, n', count: 5 },
      findsNothing: 'MATCH (n:User) WHERE n.email IS NULL RETURN n.id AS id',
      unreadable: 'MATCH (n:User RETURN n',
      writes: 'MATCH (n:User) SET n.seen = true RETURN n',
    },
    async change() {
      await graph.query("MATCH (n:User {id: 'u5'}) SET n.email = 'other@example.com'");
      await graph.query("MATCH (n:Notebook) DETACH DELETE n CREATE (:Notebook {id: 'n2'})");
    },
    refused: refused(graph),
    close: () => graph.close(),
  };
}

describeSystemContract('neo4j', makeSubject);
