import type { Json, JsonObject } from '../../../shared/json.ts';
import { type AlterPart, alterParts } from './alter-effect.ts';
import type { Remark } from './lint.ts';
import { callsIn, fieldsOf, itemsOf, stringOf, unwrap } from './syntax.ts';

const rewritten = (advice: string): Remark => ({
  check: 'table-not-rewritten',
  title: 'The server writes the whole table anew, and nobody reads or writes it meanwhile',
  advice,
});
const scanned = (advice: string): Remark => ({
  check: 'table-not-scanned',
  title: 'The server reads the whole table, and nobody writes it meanwhile',
  advice,
});
const dropColumn: Remark = {
  check: 'kept-aside',
  title: 'What is dropped is gone at once',
  advice: 'Use postgres.drop-column, which keeps the column aside until the hold is over.',
};
const dropCascade: Remark = {
  check: 'drops-named-things-only',
  title: 'CASCADE takes along whatever depends on it, unnamed',
  advice: 'Leave CASCADE out and drop what depends on it by name.',
};
const dropConstraint: Remark = {
  check: 'rule-stays',
  title: 'Without its constraint the table takes values that it refused before',
  advice: 'See that the inverse makes the very same constraint again, and that rows written since fulfil it.',
};
const cascades: Remark = {
  check: 'deletes-named-rows-only',
  title: 'The foreign key deletes or empties rows of its own when another row goes, and no journal sees it',
  advice: 'Use postgres.add-foreign-key without an action on delete, and delete rows in a step of their own.',
};
const fullColumn: Remark = {
  check: 'column-can-be-added',
  title: 'A column that may not be NULL and has no default cannot be added to a table with rows',
  advice: 'Use postgres.add-column, postgres.backfill-column and postgres.set-not-null, one after the other.',
};

/** What is to be said of an ALTER TABLE, part by part. */
export function lintAlter(node: JsonObject, changing: ReadonlySet<string>): Remark[] {
  return alterParts(node).flatMap((part) => lintPart(part, changing));
}

/** What is to be said of the constraints of a column or table that is made. */
export function lintConstraints(element: Json): Remark[] {
  const found = unwrap(element);
  const own = found?.kind === 'Constraint' ? [found.node] : [];
  return [...own, ...constraintsOf(found?.node)].some(actsOnDelete) ? [cascades] : [];
}

function lintPart(part: AlterPart, changing: ReadonlySet<string>): Remark[] {
  switch (part.does) {
    case 'AT_AddColumn':
      return lintColumn(part, changing);
    case 'AT_AddConstraint':
      return lintConstraint(part.definition?.node ?? {});
    case 'AT_SetNotNull':
      return [scanned('Use postgres.set-not-null, which lets a check prove it beforehand.')];
    case 'AT_AlterColumnType':
      return [
        rewritten('Use postgres.add-column, postgres.backfill-column and postgres.rename-column, one after the other.'),
      ];
    case 'AT_DropColumn':
      return part.cascades ? [dropColumn, dropCascade] : [dropColumn];
    case 'AT_DropConstraint':
      return part.cascades ? [dropConstraint, dropCascade] : [dropConstraint];
    case 'AT_SetTableSpace':
    case 'AT_SetLogged':
    case 'AT_SetAccessMethod':
    case 'AT_SetExpression':
      return [rewritten('Have it done in a maintenance window, by hand.')];
    default:
      return [];
  }
}

function lintColumn({ definition }: AlterPart, changing: ReadonlySet<string>): Remark[] {
  const node = definition?.node ?? {};
  const constraints = constraintsOf(node);
  const has = (type: string): boolean => constraints.some(({ contype }) => contype === `CONSTR_${type}`);
  const types = itemsOf(fieldsOf(node.typeName).names).map(stringOf);
  const serial = /^(small|big)?serial[248]?$/.test(types.at(-1) ?? '');
  const initial = constraints.find(({ contype }) => contype === 'CONSTR_DEFAULT')?.raw_expr;
  const called = initial === undefined ? [] : [...callsIn(initial).functions];
  const remarks: Remark[] = [];
  if (serial || has('IDENTITY') || has('GENERATED') || called.some((name) => changing.has(name))) {
    remarks.push(
      rewritten(
        'Use postgres.add-column without the default, and postgres.backfill-column for the rows that are there.',
      ),
    );
  }
  if (has('NOTNULL') && initial === undefined && !serial && !has('IDENTITY') && !has('GENERATED'))
    remarks.push(fullColumn);
  return [...remarks, ...constraints.flatMap(lintConstraint)];
}

function lintConstraint(node: JsonObject): Remark[] {
  const acts = actsOnDelete(node) ? [cascades] : [];
  const proven = node.skip_validation === true;
  switch (node.contype) {
    case 'CONSTR_FOREIGN':
      return proven
        ? acts
        : [scanned('Use postgres.add-foreign-key, which validates it while writers go on.'), ...acts];
    case 'CONSTR_CHECK':
      return proven ? [] : [scanned('Use postgres.add-check, which validates it while writers go on.')];
    case 'CONSTR_NOTNULL':
      return [];
    case 'CONSTR_UNIQUE':
    case 'CONSTR_PRIMARY':
    case 'CONSTR_EXCLUSION':
      return node.indexname === undefined
        ? [scanned('Use postgres.create-index with `unique`, which builds it while writers go on.')]
        : [];
    default:
      return [];
  }
}

function constraintsOf(column: JsonObject | undefined): JsonObject[] {
  return itemsOf(column?.constraints).map((item) => unwrap(item)?.node ?? {});
}

/** CASCADE, SET NULL and SET DEFAULT. */
function actsOnDelete(node: JsonObject): boolean {
  return ['c', 'n', 'd'].includes(String(node.fk_del_action)) || ['c', 'n', 'd'].includes(String(node.fk_upd_action));
}
