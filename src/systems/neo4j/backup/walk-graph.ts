import { Failure } from '../../../shared/failure.ts';
import type { Fingerprint } from '../../system.ts';
import type { Connection } from '../connection.ts';
import { encodeProperties } from '../encode.ts';
import { createGraphHash, type GraphHash, type NodeRecord, type RelationshipRecord } from './graph-hash.ts';
import { type GraphSchema, readSchema } from './graph-schema.ts';

/** What is done with each part of a graph as it goes by. */
interface GraphVisitor {
  node?(node: NodeRecord): void | Promise<void>;
  relationship?(relationship: RelationshipRecord): void | Promise<void>;
  schema?(schema: GraphSchema): void | Promise<void>;
  /** Called before the first node, with the numbers of nodes and relationships. */
  begin?(records: number): void;
}

function changedMeanwhile(name: string): Failure {
  return new Failure({
    code: 'conflict',
    message: `${name}: the graph was written to while it was read.`,
    advice: 'Stop the services that write to it, then ask again.',
    retryable: true,
  });
}

/**
 * Reads the whole graph once, in one transaction and in the order in which the store holds it, hashing it on the way.
 * Neo4j has no snapshots: what is written meanwhile may be seen or not, so services must be stopped.
 */
export async function walkGraph(
  connection: Connection,
  visitor: GraphVisitor,
  signal?: AbortSignal,
): Promise<Fingerprint> {
  const graphHash: GraphHash = createGraphHash();
  try {
    await connection.survey(async (transaction, stream) => {
      const [row] = await transaction.run('RETURN COUNT { MATCH (n) } + COUNT { MATCH ()-[r]->() }');
      visitor.begin?.(Number(row?.[0]));
      const schema = await readSchema(transaction);
      graphHash.addSchema(schema);
      await visitor.schema?.(schema);
      const nodes = 'MATCH (n) RETURN id(n), labels(n), properties(n)';
      for await (const [id, labels, properties] of stream(nodes)) {
        const encoded = encodeProperties(properties as { [key: string]: unknown });
        const node = { id: Number(id), labels: [...(labels as string[])].sort(), properties: encoded };
        graphHash.addNode(node);
        await visitor.node?.(node);
      }
      const relationships = 'MATCH (a)-[r]->(b) RETURN id(a), id(b), type(r), properties(r)';
      for await (const [start, end, type, properties] of stream(relationships)) {
        const encoded = encodeProperties(properties as { [key: string]: unknown });
        const relationship = { start: Number(start), end: Number(end), type: type as string, properties: encoded };
        if (!graphHash.addRelationship(relationship)) throw changedMeanwhile(connection.place.name);
        await visitor.relationship?.(relationship);
      }
    }, signal);
    return graphHash.result();
  } finally {
    graphHash.close();
  }
}
