import type { JsonObject } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { lintAlter, lintConstraints } from './lint-alter.ts';
import { type Statement, shorten } from './parse.ts';
import { fieldsOf, itemsOf, relationOf, sayRelation, stringOf } from './syntax.ts';

/** One thing about a statement that people should know, without its place. */
export interface Remark {
  readonly check: string;
  readonly title: string;
  /** Which step kind does it better, or what to see to. */
  readonly advice: string;
}

const noWhere: Remark = {
  check: 'where-is-given',
  title: 'A statement without WHERE is about every row',
  advice: 'Say WHERE which rows are meant; postgres.backfill-column fills columns batch by batch.',
};
const dropTable: Remark = {
  check: 'kept-aside',
  title: 'What is dropped is gone at once',
  advice: 'Use postgres.drop-table, which keeps the table aside until the hold is over.',
};
const dropped: Remark = {
  check: 'kept-aside',
  title: 'What is dropped is gone at once',
  advice: 'See that its inverse makes the very same again.',
};
const cascade: Remark = {
  check: 'drops-named-things-only',
  title: 'CASCADE takes along whatever depends on it, unnamed',
  advice: 'Leave CASCADE out and drop what depends on it by name.',
};
const truncates: Remark = {
  check: 'rows-are-journaled',
  title: 'TRUNCATE removes every row, and no journal has them',
  advice: 'Use a DELETE of that one table, whose rows are journaled and come back, or postgres.drop-table.',
};
const blocksWriters: Remark = {
  check: 'writers-go-on',
  title: 'An index that is built in a transaction stops all writers of the table',
  advice: 'Use postgres.create-index, which builds it while they go on.',
};
const rewrites: Remark = {
  check: 'table-not-rewritten',
  title: 'The server writes the whole table or index anew, and nobody reads or writes it meanwhile',
  advice: 'Have it done in a maintenance window, by hand.',
};
const renames: Remark = {
  check: 'old-name-goes-on',
  title: 'Services that still use the old name fail at once',
  advice: 'Use postgres.rename-column, under which both names hold until the hold is over.',
};
const locks: Remark = {
  check: 'writers-go-on',
  title: 'A table is locked by name until the transaction ends',
  advice: 'Leave LOCK out: each step kind takes the locks that it needs.',
};

/** What is to be said of one statement. `changing` = functions of which each call gives another value. */
export function remarksOn({ kind, node }: Pick<Statement, 'kind' | 'node'>, changing: ReadonlySet<string>): Remark[] {
  switch (kind) {
    case 'UpdateStmt':
    case 'DeleteStmt':
      return node.whereClause === undefined ? [noWhere] : [];
    case 'TruncateStmt':
      return node.behavior === 'DROP_CASCADE' ? [truncates, cascade] : [truncates];
    case 'DropStmt':
      return remarksOnDrop(node);
    case 'IndexStmt':
      return node.concurrent === true ? [] : [blocksWriters];
    case 'AlterTableStmt':
      return lintAlter(node, changing);
    case 'CreateStmt':
      return itemsOf(node.tableElts).flatMap((element) => lintConstraints(element));
    case 'RenameStmt':
      return node.renameType === 'OBJECT_COLUMN' || node.renameType === 'OBJECT_TABLE' ? [renames] : [];
    case 'ClusterStmt':
    case 'ReindexStmt':
      return [rewrites];
    case 'RefreshMatViewStmt':
      return node.concurrent === true ? [] : [rewrites];
    case 'LockStmt':
      return [locks];
    default:
      return [];
  }
}

/** Warnings over all statements, those of the same sort together; samples say line, table and statement. */
export function lint(statements: readonly Statement[], changing: ReadonlySet<string>): Finding[] {
  const found = new Map<string, { remark: Remark; samples: string[] }>();
  for (const statement of statements) {
    for (const remark of remarksOn(statement, changing)) {
      const name = `${remark.check} ${remark.title} ${remark.advice}`;
      const entry = found.get(name) ?? { remark, samples: [] };
      entry.samples.push(`line ${statement.line}: ${shorten(statement.text)}`);
      found.set(name, entry);
    }
  }
  return [...found.values()].map(({ remark, samples }) => ({
    ...remark,
    status: 'warning' as const,
    count: samples.length,
    samples: samples.slice(0, 5),
  }));
}

/** The table that a statement is about, as people write it; empty where it is about none or several. */
export function subjectOf({ node }: Pick<Statement, 'node'>): string {
  const relation = relationOf(fieldsOf(node.relation));
  return relation.name === '' ? '' : sayRelation(relation);
}

function remarksOnDrop(node: JsonObject): Remark[] {
  const cascades = node.behavior === 'DROP_CASCADE' ? [cascade] : [];
  const what = String(node.removeType);
  if (what === 'OBJECT_TABLE') return [dropTable, ...cascades];
  // What these hold is made again by a statement.
  const light = ['OBJECT_INDEX', 'OBJECT_VIEW', 'OBJECT_TRIGGER', 'OBJECT_FUNCTION', 'OBJECT_PROCEDURE'];
  return [...(light.includes(what) ? [] : [dropped]), ...cascades];
}

/** Names of the tables that DROP TABLE or TRUNCATE empties. */
export function emptiedTables({ kind, node }: Pick<Statement, 'kind' | 'node'>): string[] {
  if (kind === 'TruncateStmt') {
    return itemsOf(node.relations).map((item) => sayQuoted(relationOf(fieldsOf(fieldsOf(item).RangeVar))));
  }
  if (kind !== 'DropStmt' || node.removeType !== 'OBJECT_TABLE') return [];
  return itemsOf(node.objects).map((item) => {
    const names = itemsOf(fieldsOf(fieldsOf(item).List).items).map(stringOf);
    return sayQuoted({ schema: names.length > 1 ? (names.at(-2) ?? null) : null, name: names.at(-1) ?? '' });
  });
}

function sayQuoted({ schema, name }: { schema: string | null; name: string }): string {
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  return schema === null ? quote(name) : `${quote(schema)}.${quote(name)}`;
}
