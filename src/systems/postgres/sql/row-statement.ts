import type { Json, JsonObject } from '../../../shared/json.ts';
import { quoteName, quoteTable } from '../identifiers.ts';
import { reparse, type Statement, type Word, wordsOf } from './parse.ts';
import { callsIn, fieldsOf, itemsOf, type RelationName, relationOf, relationsIn, sameSyntax, walk } from './syntax.ts';

/** An UPDATE or DELETE of one table, taken apart so that it can be done for some rows only. */
export interface RowStatement {
  readonly does: 'update' | 'delete';
  readonly target: RelationName;
  /** What the statement calls its table, quoted. */
  readonly alias: string;
  /** Columns that it sets, each with the text of its new value; null where that cannot be cut out. */
  readonly sets: readonly { readonly column: string; readonly expression: string | null }[];
  /** Other relations that it reads, CTEs among them. */
  readonly others: readonly RelationName[];
  /** It reads its own table elsewhere too: then it has to be done at once, for all rows. */
  readonly readsItself: boolean;
  /** `[WITH …] SELECT list FROM … WHERE and AND (its own condition) tail`. */
  select(list: string, and: string, tail: string): string;
  /** The statement for those rows for which `and` holds as well, with what it returns of each. */
  write(and: string, returning: string): string;
}

/** Why a statement cannot be done row by row, in words that go on after "because". */
export interface NotByRow {
  readonly because: string;
}

interface Cut {
  /** Up to WHERE. */
  readonly head: string;
  readonly prefix: string;
  /** What stands after FROM or USING; null = nothing. */
  readonly from: string | null;
  readonly where: string | null;
}

/**
 * Takes an UPDATE or DELETE apart by the places of its words. Whatever is put together from the parts is parsed again
 * and compared with the original, so that a wrong cut is found out and never run.
 */
export function takeApart(statement: Statement, doing: ReadonlySet<string>): RowStatement | NotByRow {
  const { kind, node, text } = statement;
  if (kind !== 'UpdateStmt' && kind !== 'DeleteStmt') return { because: 'it is no UPDATE or DELETE' };
  const obstacle = findObstacle(statement, doing);
  if (obstacle !== null) return { because: obstacle };
  const target = relationOf(fieldsOf(node.relation));
  const { aliasname } = fieldsOf(fieldsOf(node.relation).alias);
  const alias = quoteName(typeof aliasname === 'string' ? aliasname : target.name);
  const only = fieldsOf(node.relation).inh === true ? '' : 'ONLY ';
  // An alias of ours would hide the schema's name, which its conditions may use.
  const table = `${only}${quoteTable(target)}${aliasname === undefined ? '' : ` AS ${alias}`}`;
  const found = cuts(statement)
    .map((cut) => ({ cut, ...composers(cut, table) }))
    .find(({ select, write }) => isFaithful(node, kind, select, write));
  if (!found) return { because: 'its parts cannot be told apart' };
  const others = relationsIn({ ...node, relation: null });
  return {
    does: kind === 'UpdateStmt' ? 'update' : 'delete',
    target,
    alias,
    sets: kind === 'UpdateStmt' ? cutSets(node, text, found.cut) : [],
    others,
    readsItself: others.some(({ name }) => name === target.name),
    select: found.select,
    write: found.write,
  };
}

function findObstacle({ kind, node }: Statement, doing: ReadonlySet<string>): string | null {
  if (node.returningClause !== undefined) return 'it has RETURNING, which nobody reads here: leave that out';
  const calls = callsIn({ [kind]: node });
  const called = [...calls.functions, ...calls.operators].find((name) => doing.has(name));
  if (called !== undefined) return `it calls ${called}, which may do something of its own`;
  let obstacle: string | null = null;
  walk(node, (_fields, inner) => {
    if (inner === 'CurrentOfExpr') obstacle = 'it is about the row of a cursor';
    if (inner !== null && /^(Insert|Update|Delete|Merge)Stmt$/.test(inner))
      obstacle = 'another statement within it writes';
    return obstacle === null;
  });
  return obstacle;
}

/** Ways to cut it: FROM may also be a word of an expression (`IS DISTINCT FROM`). */
function cuts({ kind, node, text }: Statement): Cut[] {
  const words = wordsOf(text).filter(({ depth }) => depth === 0);
  const begin = words.find(({ word }) => word === (kind === 'UpdateStmt' ? 'UPDATE' : 'DELETE'));
  if (!begin) return [];
  const prefix = text.slice(0, begin.at);
  const where = node.whereClause === undefined ? null : words.find(({ word }) => word === 'WHERE');
  if (where === undefined) return [];
  const head = where === null ? text : text.slice(0, where.at);
  const condition = where === null ? null : text.slice(where.end);
  const lists = itemsOf(kind === 'UpdateStmt' ? node.fromClause : node.usingClause);
  if (lists.length === 0) return [{ head, prefix, from: null, where: condition }];
  const opener = kind === 'UpdateStmt' ? 'FROM' : 'USING';
  return words
    .filter(({ word, at }) => word === opener && at > begin.at && at < head.length)
    .map(({ end }) => ({ head, prefix, from: head.slice(end), where: condition }));
}

function composers({ head, prefix, from, where }: Cut, table: string): Pick<RowStatement, 'select' | 'write'> {
  // On lines of their own: a part may end in a comment.
  const both = (and: string): string => (where === null ? `WHERE ${and}` : `WHERE ${and} AND (\n${where}\n)`);
  return {
    select: (list, and, tail) =>
      `${prefix}\nSELECT ${list} FROM ${table}${from === null ? '' : `,\n${from}`}\n${both(and)} ${tail}`,
    write: (and, returning) => `${head}\n${both(and)} RETURNING ${returning}`,
  };
}

function isFaithful(
  node: JsonObject,
  kind: string,
  select: RowStatement['select'],
  write: RowStatement['write'],
): boolean {
  const [selected, written] = [reparse(select('1', '1 = ANY($1)', '')), reparse(write('1 = ANY($1)', '1'))];
  if (selected?.kind !== 'SelectStmt' || written?.kind !== kind) return false;
  const conditionOf = (found: JsonObject): Json => {
    const whole = fieldsOf(fieldsOf(found.whereClause).BoolExpr);
    return node.whereClause === undefined ? null : (itemsOf(whole.args)[1] ?? null);
  };
  const lists = node.fromClause ?? node.usingClause ?? [];
  const { whereClause: _ours, returningClause: _returned, ...rest } = written.node;
  const { whereClause, ...original } = node;
  return (
    sameSyntax(conditionOf(selected.node), whereClause) &&
    sameSyntax(conditionOf(written.node), whereClause) &&
    sameSyntax(itemsOf(selected.node.fromClause).slice(1), lists) &&
    sameSyntax(selected.node.withClause, node.withClause) &&
    sameSyntax(rest, original)
  );
}

/** The texts of the new values, so that a preview can compute them. */
function cutSets(node: JsonObject, text: string, { head, from }: Cut): RowStatement['sets'] {
  const targets = itemsOf(node.targetList).map((item) => fieldsOf(fieldsOf(item).ResTarget));
  const words = wordsOf(text).filter(({ depth, at }) => depth === 0 && at < head.length);
  const begin = words.find(({ word }) => word === 'SET');
  const until = from === null ? head.length : head.length - from.length - 'FROM'.length;
  const inside = begin ? words.filter(({ at }) => at >= begin.end && at < until) : [];
  const parts = splitAt(inside, ',').map((part) => {
    const [first] = splitAt(part, '=');
    const [from_, last] = [part[first?.length ?? 0]?.end, part.at(-1)?.end];
    return from_ === undefined || last === undefined ? '' : text.slice(from_, last).trim();
  });
  return targets.map((target, index) => {
    const expression = parts.length === targets.length ? (parts[index] ?? '') : '';
    const column = String(target.name);
    const isDefault = 'SetToDefault' in fieldsOf(target.val);
    const plain = itemsOf(target.indirection).length === 0 && expression !== '' && !isDefault;
    const again = plain ? reparse(`SELECT (\n${expression}\n)`) : null;
    const value = fieldsOf(fieldsOf(itemsOf(again?.node.targetList)[0]).ResTarget).val;
    return { column, expression: again && sameSyntax(value, target.val) ? expression : null };
  });
}

function splitAt(words: readonly Word[], sign: string): Word[][] {
  const parts: Word[][] = [[]];
  for (const word of words) {
    if (word.word === sign) parts.push([]);
    else parts.at(-1)?.push(word);
  }
  return parts;
}
