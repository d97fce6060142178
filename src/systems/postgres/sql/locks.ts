import type { JsonObject } from '../../../shared/json.ts';
import { alterParts } from './alter-effect.ts';
import { emptiedTables, subjectOf } from './lint.ts';
import type { Statement } from './parse.ts';
import { fieldsOf, itemsOf, relationOf, sayRelation, unwrap } from './syntax.ts';

type Strength = 'all' | 'writers' | 'schema';

const words: { readonly [strength in Strength]: string } = {
  all: 'nobody reads or writes it until the transaction ends',
  writers: 'nobody writes it until the transaction ends; reading goes on',
  schema: 'other changes of its schema wait; reading and writing go on',
};
const ranks: readonly Strength[] = ['schema', 'writers', 'all'];

/** Parts of ALTER TABLE that let readers and writers on, and those that let readers on. */
const mild = new Set([
  'AT_ValidateConstraint',
  'AT_SetStatistics',
  'AT_ClusterOn',
  'AT_DropCluster',
  'AT_AttachPartition',
]);
const middling = new Set(['AT_EnableTrig', 'AT_DisableTrig', 'AT_EnableTrigAll', 'AT_EnableTrigUser']);

/** What the statements lock, in words, a line a table. Rows that are written stay locked until the transaction ends. */
export function locksOf(statements: readonly Statement[]): string[] {
  const tables = new Map<string, Strength>();
  const rows = new Set<string>();
  const others: string[] = [];
  const add = (table: string, strength: Strength): void => {
    const known = tables.get(table);
    if (known === undefined || ranks.indexOf(known) < ranks.indexOf(strength)) tables.set(table, strength);
  };
  for (const statement of statements) {
    const subject = subjectOf(statement);
    if (/^(Insert|Update|Delete|Merge)Stmt$/.test(statement.kind)) rows.add(subject);
    else if (!lockTables(statement, subject, add)) {
      others.push(`line ${statement.line}: what it locks is not known beforehand`);
    }
  }
  return [
    ...[...tables].map(([table, strength]) => `${table}: ${words[strength]}`),
    ...[...rows]
      .filter((table) => !tables.has(table))
      .map((table) => `${table}: the rows that it writes, until the transaction ends`),
    ...others,
  ];
}

/** False where nobody can tell. */
function lockTables(
  { kind, node }: Statement,
  subject: string,
  add: (table: string, strength: Strength) => void,
): boolean {
  switch (kind) {
    case 'AlterTableStmt':
      lockAltered(node, subject, add);
      return true;
    case 'IndexStmt':
      add(subject, 'writers');
      return true;
    case 'CreateStmt':
      for (const table of referencedTables(node)) add(table, 'writers');
      return true;
    case 'TruncateStmt':
    case 'DropStmt':
      for (const table of emptiedTables({ kind, node })) add(table.replaceAll('"', ''), 'all');
      return true;
    case 'RenameStmt':
    case 'AlterObjectSchemaStmt':
    case 'ClusterStmt':
    case 'ReindexStmt':
    case 'RefreshMatViewStmt':
      if (subject !== '') add(subject, 'all');
      return true;
    case 'LockStmt':
      for (const item of itemsOf(node.relations)) add(sayRelation(relationOf(unwrap(item)?.node ?? {})), 'all');
      return true;
    case 'VacuumStmt':
    case 'CommentStmt':
      return true;
    default:
      return /^(Select|Create(Schema|Seq|Enum|Range|Domain|TableAs|Stats)|CompositeType|View|AlterSeq|AlterEnum|VariableShow|ConstraintsSet|Explain|AlterStats)(Stmt)?$/.test(
        kind,
      );
  }
}

function lockAltered(node: JsonObject, subject: string, add: (table: string, strength: Strength) => void): void {
  for (const { does, definition } of alterParts(node)) {
    const referenced = does === 'AT_AddConstraint' ? tableOf(definition?.node) : null;
    if (referenced !== null) add(referenced, 'writers');
    const foreign = definition?.node.contype === 'CONSTR_FOREIGN';
    add(subject, mild.has(does) ? 'schema' : foreign || middling.has(does) ? 'writers' : 'all');
    for (const constraint of itemsOf(definition?.node.constraints)) {
      const other = tableOf(unwrap(constraint)?.node);
      if (other !== null) add(other, 'writers');
    }
  }
}

/** The table that a foreign key refers to; null for other constraints. */
function tableOf(constraint: JsonObject | undefined): string | null {
  const table = fieldsOf(constraint?.pktable);
  return typeof table.relname === 'string' ? sayRelation(relationOf(table)) : null;
}

function referencedTables(node: JsonObject): string[] {
  const elements = itemsOf(node.tableElts).map((item) => unwrap(item)?.node ?? {});
  const constraints = elements.flatMap((element) => [
    element,
    ...itemsOf(element.constraints).map((item) => unwrap(item)?.node ?? {}),
  ]);
  return constraints.flatMap((constraint) => tableOf(constraint) ?? []);
}
