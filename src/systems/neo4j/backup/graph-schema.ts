import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import type { Connection, GraphTransaction, Parameters } from '../connection.ts';
import { decodeProperties, type Encoded, encodeProperties } from '../encode.ts';
import { escapeName, isInternalName } from '../name.ts';

const name = z.string().min(1);
const entity = z.enum(['NODE', 'RELATIONSHIP']);
const PROPERTY_TYPE = /^[A-Z][A-Z ]*(<[A-Z ]+>)?( NOT NULL)?( \| [A-Z][A-Z ]*(<[A-Z ]+>)?( NOT NULL)?)*$/;

const constraint = z.strictObject({
  name,
  type: z.enum([
    'UNIQUENESS',
    'RELATIONSHIP_UNIQUENESS',
    'NODE_KEY',
    'RELATIONSHIP_KEY',
    'NODE_PROPERTY_EXISTENCE',
    'RELATIONSHIP_PROPERTY_EXISTENCE',
    'NODE_PROPERTY_TYPE',
    'RELATIONSHIP_PROPERTY_TYPE',
  ]),
  entity,
  label: name,
  properties: z.array(name).min(1),
  propertyType: z.string().regex(PROPERTY_TYPE).nullable(),
});

const index = z.strictObject({
  name,
  type: z.enum(['RANGE', 'TEXT', 'POINT', 'FULLTEXT', 'VECTOR', 'LOOKUP']),
  entity,
  /** Labels or types; several only for fulltext, none for lookup. */
  labels: z.array(name),
  properties: z.array(name),
  /** Encoded settings: dimensions, similarity function, analyzer, bounds. */
  config: z.record(z.string(), z.json()),
});

/** Constraints and the indexes that no constraint owns, as structure: statements are made from it, never stored. */
export const graphSchema = z.strictObject({ constraints: z.array(constraint), indexes: z.array(index) });
export type GraphSchema = z.infer<typeof graphSchema>;
type Constraint = z.infer<typeof constraint>;
type Index = z.infer<typeof index>;

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

/** The bot's own: in backups, but in no fingerprint. */
export function isInternalElement(element: Constraint | Index): boolean {
  return isInternalName(element.name) || isInternalName('label' in element ? element.label : (element.labels[0] ?? ''));
}

/** Reads the whole schema. A kind of index or constraint that is not known here is refused, not left out. */
export async function readSchema(transaction: GraphTransaction): Promise<GraphSchema> {
  const constraints = await transaction.run(
    `SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes, properties, propertyType
     RETURN name, type, entityType, labelsOrTypes, properties, propertyType`,
  );
  const indexes = await transaction.run(
    `SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, options, owningConstraint
     WHERE owningConstraint IS NULL RETURN name, type, entityType, labelsOrTypes, properties, options`,
  );
  const found = {
    constraints: constraints.map(([name_, type, entity_, labels, properties, propertyType]) => ({
      name: name_,
      type,
      entity: entity_,
      label: (labels as string[])[0],
      properties,
      propertyType: propertyType ?? null,
    })),
    indexes: indexes.map(([name_, type, entity_, labels, properties, options]) => ({
      name: name_,
      type,
      entity: entity_,
      labels: labels ?? [],
      properties: properties ?? [],
      config: { ...encodeProperties((options as { indexConfig?: { [key: string]: unknown } }).indexConfig ?? {}) },
    })),
  };
  const parsed = graphSchema.safeParse(found);
  if (!parsed.success) {
    throw new Failure({
      code: 'step-failed',
      message: `The schema has an index or constraint that this version cannot carry: ${parsed.error.issues[0]?.path.join('.')}.`,
      advice: 'Drop it or back up with the tools of the server.',
    });
  }
  return { constraints: parsed.data.constraints.sort(byName), indexes: parsed.data.indexes.sort(byName) };
}

function pattern(entity_: 'NODE' | 'RELATIONSHIP', labels: readonly string[]): string {
  const names = labels.length === 0 ? '' : `:${labels.map(escapeName).join('|')}`;
  return entity_ === 'NODE' ? `(x${names})` : `()-[x${names}]-()`;
}

function propertyList(properties: readonly string[]): string {
  return properties.map((property) => `x.${escapeName(property)}`).join(', ');
}

/** The statement that makes a constraint anew. */
export function constraintStatement({
  name: named,
  type,
  entity: entity_,
  label,
  properties,
  propertyType,
}: Constraint): string {
  const what = type.endsWith('UNIQUENESS')
    ? 'IS UNIQUE'
    : type.endsWith('KEY')
      ? `IS ${entity_} KEY`
      : type.endsWith('EXISTENCE')
        ? 'IS NOT NULL'
        : `IS :: ${propertyType}`;
  return `CREATE CONSTRAINT ${escapeName(named)} IF NOT EXISTS FOR ${pattern(entity_, [label])} REQUIRE (${propertyList(properties)}) ${what}`;
}

/** The statement that makes an index anew, with its settings as a parameter. */
export function indexStatement(index_: Index): { statement: string; parameters: Parameters } {
  const { name: named, type, entity: entity_, labels, properties } = index_;
  const head = `CREATE ${type} INDEX ${escapeName(named)} IF NOT EXISTS FOR ${pattern(entity_, labels)} ON`;
  if (type === 'LOOKUP') {
    return { statement: `${head} EACH ${entity_ === 'NODE' ? 'labels' : 'type'}(x)`, parameters: {} };
  }
  const on = type === 'FULLTEXT' ? `EACH [${propertyList(properties)}]` : `(${propertyList(properties)})`;
  if (type === 'RANGE' || type === 'TEXT') return { statement: `${head} ${on}`, parameters: {} };
  const config = decodeProperties(index_.config as { [key: string]: Encoded });
  return { statement: `${head} ${on} OPTIONS $options`, parameters: { options: { indexConfig: config } } };
}

/** Drops what is there but for the fence's constraint, and lookup indexes that the backup has too. */
export async function dropSchema(connection: Connection, keep: GraphSchema): Promise<void> {
  const there = await connection.read(readSchema);
  for (const { name: named } of there.constraints) {
    if (named !== '_tas_fence_environment') await connection.command(`DROP CONSTRAINT ${escapeName(named)} IF EXISTS`);
  }
  for (const { name: named, type, entity: entity_ } of there.indexes) {
    const same = keep.indexes.some((one) => one.name === named && one.type === type && one.entity === entity_);
    if (type !== 'LOOKUP' || !same) await connection.command(`DROP INDEX ${escapeName(named)} IF EXISTS`);
  }
}

/** Makes the schema and waits until every index is online. */
export async function createSchema(connection: Connection, schema: GraphSchema): Promise<void> {
  for (const one of schema.constraints) await connection.command(constraintStatement(one));
  for (const one of schema.indexes) {
    const { statement, parameters } = indexStatement(one);
    await connection.command(statement, parameters);
  }
  await connection.command('CALL db.awaitIndexes(3600)');
}
