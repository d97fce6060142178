import type { Finding } from '../finding.ts';
import type { Sample } from '../system.ts';
import type { RelationshipSide } from './batch-body.ts';
import type { Connection } from './connection.ts';
import { decodeValue, type Encoded, encodeValue, sameValue } from './encode.ts';
import { checkExpression, type Expression } from './expression.ts';
import { escapeName } from './name.ts';
import { toSide } from './relationship-rows.ts';
import { inKeyOrder, type RelationshipSelection } from './relationship-selection.ts';
import { showEncoded } from './show-value.ts';
import type { Statement } from './statement.ts';
import { cypher } from './statement.ts';

/** Property → expression over `r`, `a` (where it begins) and `b`, checked; in the order of the names. */
export interface Fill {
  readonly properties: readonly string[];
  readonly expressions: readonly Expression[];
}

export function checkFill(set: { readonly [property: string]: string }): Fill {
  const properties = Object.keys(set).sort();
  return { properties, expressions: properties.map((name) => checkExpression(`set.${name}`, set[name] as string)) };
}

/** The properties that would get another value: neither null nor what stands there already. */
export function fillOf(
  { properties }: Fill,
  side: RelationshipSide,
  computed: readonly Encoded[],
): { [property: string]: Encoded } {
  const values: { [property: string]: Encoded } = Object.create(null);
  for (const [i, name] of properties.entries()) {
    const value = computed[i] ?? null;
    if (value !== null && !sameValue(value, side.properties[name] ?? null)) values[name] = value;
  }
  return values;
}

export function decodeFill(values: { readonly [property: string]: Encoded }): { [property: string]: unknown } {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, decodeValue(value)]));
}

/** A relationship as a preview or a check sees it. */
export interface SeenRelationship {
  readonly from: string;
  readonly to: string;
  readonly side: RelationshipSide;
  readonly fill: { readonly [property: string]: Encoded };
  /** Properties that are not there and that no value can be computed for, by now. */
  readonly empty: readonly string[];
  /** Whether there is a relationship of the other type between its ends, too. */
  readonly there: boolean;
}

/** The statement of `seeRelationships`; `other` = the type that is looked for beside it. */
export function seeing(selection: RelationshipSelection, { expressions }: Fill, other: string | null): Statement {
  const there = other === null ? 'false' : `EXISTS { (a)-[:${escapeName(other)}]->(b) }`;
  const keys = `a.${escapeName(selection.from.key)}, b.${escapeName(selection.to.key)}`;
  const { text } = cypher`RETURN ${keys}, properties(r), [${expressions}], ${there}`;
  return inKeyOrder(selection, false, text);
}

/** Streams the selected relationships with what would be written to them, in key order. */
export async function* seeRelationships(
  connection: Connection,
  selection: RelationshipSelection,
  fill: Fill,
  statement: Statement,
  signal: AbortSignal,
): AsyncGenerator<SeenRelationship> {
  for await (const [from, to, properties, values, there] of connection.stream(statement.text, {}, signal)) {
    const side = toSide(selection.type, properties as { [property: string]: unknown });
    const computed = (values as unknown[]).map(encodeValue);
    yield {
      from: String(from),
      to: String(to),
      side,
      fill: fillOf(fill, side, computed),
      empty: fill.properties.filter((name, i) => computed[i] === null && side.properties[name] === undefined),
      there: there === true,
    };
  }
}

/** How people read which relationship it is. */
export function nameOf(from: string, to: string): string {
  return `${from} → ${to}`;
}

export function sampleOf(collection: string, properties: readonly string[], seen: SeenRelationship): Sample {
  const shown = (value: (name: string) => Encoded | undefined) =>
    Object.fromEntries(properties.map((name) => [name, showEncoded(value(name) ?? null)]));
  return {
    collection,
    key: nameOf(seen.from, seen.to),
    before: shown((name) => seen.side.properties[name]),
    after: shown((name) => seen.fill[name] ?? seen.side.properties[name]),
  };
}

/** Relationships for which some property stays empty, as a warning: an earlier step may fill what it is computed from. */
export function emptyFinding(type: string, count: number, samples: readonly string[]): Finding[] {
  if (count === 0) return [];
  return [
    {
      check: 'values-computed',
      title: `A value can be computed for every ${type}`,
      status: 'warning',
      count,
      samples,
      advice: 'What is empty stays empty, unless an earlier step of the migration fills what it is computed from.',
    },
  ];
}
