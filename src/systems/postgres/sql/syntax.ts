import type { Json, JsonObject } from '../../../shared/json.ts';

/** Of the parser's tree: a node's kind stands as the only key above it (`{ UpdateStmt: { … } }`). */
export interface SyntaxNode {
  readonly kind: string;
  readonly node: JsonObject;
}

/** The fields of a node; empty for what is none. */
export function fieldsOf(value: Json | undefined): JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** A list's items; empty for what is none. */
export function itemsOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** `{ Kind: { … } }` taken apart; null for what is no such node. */
export function unwrap(value: Json | undefined): SyntaxNode | null {
  const [entry, ...rest] = Object.entries(fieldsOf(value));
  if (!entry || rest.length > 0 || !/^[A-Z]/.test(entry[0])) return null;
  return { kind: entry[0], node: fieldsOf(entry[1]) };
}

/** The text of a `String` node. */
export function stringOf(value: Json | undefined): string {
  const found = unwrap(value);
  return found?.kind === 'String' && typeof found.node.sval === 'string' ? found.node.sval : '';
}

/** Goes through every object of a tree, the root first. `visit` answers false where it shall not go deeper. */
export function walk(value: Json | undefined, visit: (fields: JsonObject, kind: string | null) => boolean): void {
  walkUnder(value, null, visit);
}

function walkUnder(
  value: Json | undefined,
  kind: string | null,
  visit: (fields: JsonObject, kind: string | null) => boolean,
): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) walkUnder(item, null, visit);
    return;
  }
  if (value === null || value === undefined || typeof value !== 'object') return;
  const inner = unwrap(value);
  if (inner) {
    walkUnder(inner.node, inner.kind, visit);
    return;
  }
  if (!visit(value as JsonObject, kind)) return;
  for (const field of Object.values(value as JsonObject)) walkUnder(field, null, visit);
}

/** Whether two trees are the same, wherever in their texts they stand. */
export function sameSyntax(a: Json | undefined, b: Json | undefined): boolean {
  return JSON.stringify(withoutPlaces(a ?? null)) === JSON.stringify(withoutPlaces(b ?? null));
}

function withoutPlaces(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutPlaces);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value as JsonObject).filter(
    ([key]) => !/^(stmt_)?loc(ation)?$|^stmt_len$|^list_(start|end)$/.test(key),
  );
  return Object.fromEntries(entries.map(([key, field]) => [key, withoutPlaces(field)]).sort());
}

/** A relation as a statement names it. */
export interface RelationName {
  /** Null = by the search path. */
  readonly schema: string | null;
  readonly name: string;
}

/** Every relation that a tree names, names of CTEs among them. */
export function relationsIn(value: Json | undefined): RelationName[] {
  const found: RelationName[] = [];
  walk(value, (fields) => {
    if (typeof fields.relname === 'string') found.push(relationOf(fields));
    return true;
  });
  return found;
}

export function relationOf(rangeVar: JsonObject): RelationName {
  return {
    schema: typeof rangeVar.schemaname === 'string' ? rangeVar.schemaname : null,
    name: typeof rangeVar.relname === 'string' ? rangeVar.relname : '',
  };
}

/** As people write it. */
export function sayRelation({ schema, name }: RelationName): string {
  return schema === null ? name : `${schema}.${name}`;
}

/** Names of functions that a tree calls, without their schemas, and of operators, by symbol. */
export function callsIn(value: Json | undefined): { readonly functions: Set<string>; readonly operators: Set<string> } {
  const functions = new Set<string>();
  const operators = new Set<string>();
  walk(value, (fields, kind) => {
    const called = itemsOf(fields.funcname);
    if (called.length > 0) functions.add(stringOf(called.at(-1)));
    const symbols = itemsOf(kind === 'A_Expr' ? fields.name : kind === 'SubLink' ? fields.operName : undefined);
    if (symbols.length > 0) operators.add(stringOf(symbols.at(-1)));
    return true;
  });
  return { functions, operators };
}
