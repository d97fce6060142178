import { Failure } from '../../shared/failure.ts';
import { canonicalJson, type Json, type JsonObject } from '../../shared/json.ts';
import { constraintStatement, type GraphSchema, indexStatement, readSchema } from './backup/graph-schema.ts';
import type { Connection, GraphTransaction } from './connection.ts';
import { escapeName } from './name.ts';
import { showEncoded } from './show-value.ts';

export type Index = GraphSchema['indexes'][number];
export type Constraint = GraphSchema['constraints'][number];

/** An index, or a constraint with the index that it owns. */
export type SchemaElement = { readonly index: Index } | { readonly constraint: Constraint };

/** What stands where an element is wanted. */
export interface ElementState {
  /** It stands there under its name. */
  readonly stands: boolean;
  /** Another one that does the same bears this name; null = none. */
  readonly elsewhere: string | null;
  /** The name belongs to something else. */
  readonly nameTaken: boolean;
  /** Another one over the same stands in the way, and is not the same; its name. */
  readonly blockedBy: string | null;
}

export function nameOf(element: SchemaElement): string {
  return 'index' in element ? element.index.name : element.constraint.name;
}

export function labelsOf(element: SchemaElement): readonly string[] {
  return 'index' in element ? element.index.labels : [element.constraint.label];
}

export function propertiesOf(element: SchemaElement): readonly string[] {
  return 'index' in element ? element.index.properties : element.constraint.properties;
}

/** As it is kept in the journal, and shown. */
export function toJson(element: SchemaElement): JsonObject {
  return element as unknown as JsonObject;
}

/** What people see of it. */
export function showElement(element: SchemaElement): JsonObject {
  const { name: _, ...rest } = 'index' in element ? element.index : element.constraint;
  if (!('config' in rest)) return rest as unknown as JsonObject;
  const config = Object.fromEntries(
    Object.entries(rest.config).map(([key, value]) => [key, showEncoded(value as Json)]),
  );
  return { ...rest, config } as unknown as JsonObject;
}

/** Setting by setting, as the server keeps them: functions in capitals, numbers of a list as floats. */
function sameSetting(wanted: Json | undefined, there: Json | undefined): boolean {
  const plain = (value: Json | undefined) => canonicalJson(showEncoded(value ?? null)).toLowerCase();
  return plain(wanted) === plain(there);
}

function fits(wanted: Index, there: Index): boolean {
  return Object.entries(wanted.config).every(([key, value]) => sameSetting(value as Json, there.config[key] as Json));
}

/** Over the same labels and properties; their order matters for all but full-text. */
function coversSame(a: Index, b: Index): boolean {
  const sorted = (names: readonly string[]) => (a.type === 'FULLTEXT' ? [...names].sort() : names).join('\0');
  const labels = (names: readonly string[]) => [...names].sort().join('\0');
  return (
    a.type === b.type &&
    a.entity === b.entity &&
    labels(a.labels) === labels(b.labels) &&
    sorted(a.properties) === sorted(b.properties)
  );
}

function sameRule(a: Constraint, b: Constraint): boolean {
  const { name: _, ...one } = a;
  const { name: __, ...two } = b;
  return canonicalJson(one as unknown as Json) === canonicalJson(two as unknown as Json);
}

/** The index that a constraint owns, as far as it stands in the way of another one. */
function ownedIndex({ name, entity, label, properties }: Constraint): Index {
  return { name, type: 'RANGE', entity, labels: [label], properties, config: {} };
}

function isUnique({ type }: Constraint): boolean {
  return type.endsWith('UNIQUENESS') || type.endsWith('KEY');
}

function judgeIndex(wanted: Index, { indexes, constraints }: GraphSchema): ElementState {
  const owned = constraints.filter(isUnique).map(ownedIndex);
  const over = [...indexes, ...owned].filter((one) => coversSame(wanted, one));
  const equal = over.filter((one) => fits(wanted, one));
  const stands = indexes.some((one) => one.name === wanted.name && equal.includes(one));
  const elsewhere = stands
    ? undefined
    : equal.find(({ name }) => name !== wanted.name || !indexes.some((i) => i.name === name));
  return {
    stands,
    elsewhere: elsewhere?.name ?? null,
    nameTaken:
      !stands &&
      [...indexes, ...constraints].some(({ name }) => name === wanted.name) &&
      elsewhere?.name !== wanted.name,
    blockedBy: stands || elsewhere ? null : (over[0]?.name ?? null),
  };
}

function judgeConstraint(wanted: Constraint, { indexes, constraints }: GraphSchema): ElementState {
  const equal = constraints.filter((one) => sameRule(wanted, one));
  const stands = equal.some(({ name }) => name === wanted.name);
  const elsewhere = stands ? null : (equal[0]?.name ?? null);
  const plain = isUnique(wanted) ? indexes.find((one) => coversSame(ownedIndex(wanted), one)) : undefined;
  return {
    stands,
    elsewhere,
    nameTaken: !stands && [...indexes, ...constraints].some(({ name }) => name === wanted.name),
    blockedBy: stands || elsewhere !== null ? null : (plain?.name ?? null),
  };
}

/** What stands there now. */
export async function readElementState(transaction: GraphTransaction, wanted: SchemaElement): Promise<ElementState> {
  const schema = await readSchema(transaction);
  return 'index' in wanted ? judgeIndex(wanted.index, schema) : judgeConstraint(wanted.constraint, schema);
}

/** The index or constraint of this name; null = there is none. An index that a constraint owns is the constraint. */
export async function readElement(transaction: GraphTransaction, name: string): Promise<SchemaElement | null> {
  const { indexes, constraints } = await readSchema(transaction);
  const constraint = constraints.find((one) => one.name === name);
  if (constraint) return { constraint };
  const index = indexes.find((one) => one.name === name);
  return index ? { index } : null;
}

/** How many values stand in more than one record, where that is against the constraint. */
export async function countDuplicates(transaction: GraphTransaction, constraint: Constraint): Promise<number> {
  if (!isUnique(constraint)) return 0;
  const { entity, label, properties } = constraint;
  const values = properties.map((property) => `x.${escapeName(property)}`);
  const pattern = entity === 'NODE' ? `(x:${escapeName(label)})` : `()-[x:${escapeName(label)}]->()`;
  const [row] = await transaction.run(
    `MATCH ${pattern} WHERE ${values.map((value) => `${value} IS NOT NULL`).join(' AND ')}
     WITH ${values.map((value, i) => `${value} AS v${i}`).join(', ')}, count(*) AS times WHERE times > 1 RETURN count(*)`,
  );
  return Number(row?.[0] ?? 0);
}

/** What the server says when another process was quicker is no failure where the outcome is the wanted one. */
async function unlessReached<T>(
  work: Promise<T>,
  connection: Connection,
  element: SchemaElement,
  reached: (state: ElementState) => boolean,
): Promise<void> {
  await work.catch(async (error: unknown) => {
    const state = await connection.read((transaction) => readElementState(transaction, element));
    if (!reached(state)) throw error;
  });
}

function asDuplicates(error: unknown, name: string): unknown {
  const code = String((error as { cause?: { message?: unknown } }).cause?.message);
  if (!code.endsWith('ConstraintCreationFailed')) return error;
  return new Failure({
    code: 'precondition-failed',
    message: `Values stand in more than one record by now, so the constraint ${name} cannot be made.`,
    advice: 'Ask again: the plan counts the duplicates. Nothing was changed.',
  });
}

/** Makes it, unless something of the name is there. Indexes are filled afterwards; see `awaitOnline`. */
export async function makeElement(connection: Connection, element: SchemaElement): Promise<void> {
  const { statement, parameters } =
    'index' in element
      ? indexStatement(element.index)
      : { statement: constraintStatement(element.constraint), parameters: {} };
  const making = connection.command(statement, parameters).catch((error: unknown) => {
    throw asDuplicates(error, nameOf(element));
  });
  await unlessReached(making, connection, element, ({ stands, elsewhere }) => stands || elsewhere !== null);
}

/** Drops it if it is still what it was: what somebody else made of the name stays. */
export async function dropElement(connection: Connection, element: SchemaElement): Promise<void> {
  const { stands } = await connection.read((transaction) => readElementState(transaction, element));
  if (!stands) return;
  const what = 'index' in element ? 'INDEX' : 'CONSTRAINT';
  const dropping = connection.command(`DROP ${what} ${escapeName(nameOf(element))} IF EXISTS`);
  await unlessReached(dropping, connection, element, (state) => !state.stands);
}
