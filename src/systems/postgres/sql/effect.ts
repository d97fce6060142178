import type { JsonObject } from '../../../shared/json.ts';
import type { Effect } from '../../system.ts';
import { alterEffect } from './alter-effect.ts';
import { callsIn, itemsOf, type SyntaxNode, walk } from './syntax.ts';

/** What a statement does, as far as its text tells. */
export interface Judgement {
  readonly effect: Effect;
  /** Why nobody can tell what it does, or take it back by another statement; null = it can be told. */
  readonly opaque: string | null;
}

const order: readonly Effect[] = ['reads', 'adds', 'changes', 'destroys'];

export function strongerEffect(a: Effect, b: Effect): Effect {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}

const is = (effect: Effect) => (): Judgement => ({ effect, opaque: null });
const hides = (why: string) => (): Judgement => ({ effect: 'destroys', opaque: why });

/** Statements that are known. What is not here is not known: it destroys, for good. */
const judges: { readonly [kind: string]: (node: JsonObject) => Judgement } = {
  SelectStmt: is('reads'),
  VariableShowStmt: is('reads'),
  ConstraintsSetStmt: is('reads'),
  ExplainStmt: is('reads'),
  InsertStmt: ({ onConflictClause }) => {
    const action = (onConflictClause as JsonObject | undefined)?.action;
    return { effect: action === 'ONCONFLICT_UPDATE' ? 'changes' : 'adds', opaque: null };
  },
  UpdateStmt: is('changes'),
  MergeStmt: ({ mergeWhenClauses }) => {
    const deletes = itemsOf(mergeWhenClauses).some((clause) => JSON.stringify(clause).includes('"CMD_DELETE"'));
    return { effect: deletes ? 'destroys' : 'changes', opaque: null };
  },
  DeleteStmt: is('destroys'),
  TruncateStmt: is('destroys'),
  DropStmt: is('destroys'),
  AlterTableStmt: alterEffect,
  RenameStmt: is('changes'),
  CommentStmt: is('changes'),
  AlterSeqStmt: is('changes'),
  AlterObjectSchemaStmt: is('changes'),
  AlterStatsStmt: is('changes'),
  RefreshMatViewStmt: is('changes'),
  ReindexStmt: is('changes'),
  ClusterStmt: is('changes'),
  LockStmt: is('changes'),
  VacuumStmt: is('changes'),
  CreateStmt: is('adds'),
  CreateTableAsStmt: is('adds'),
  CreateSchemaStmt: is('adds'),
  CreateSeqStmt: is('adds'),
  CreateEnumStmt: is('adds'),
  CreateRangeStmt: is('adds'),
  CreateDomainStmt: is('adds'),
  CompositeTypeStmt: is('adds'),
  CreateStatsStmt: is('adds'),
  IndexStmt: is('adds'),
  ViewStmt: ({ replace }) => ({ effect: replace === true ? 'changes' : 'adds', opaque: null }),
  AlterEnumStmt: ({ oldVal }) =>
    oldVal === undefined
      ? { effect: 'adds', opaque: 'no statement takes a value of an enumeration away again' }
      : { effect: 'changes', opaque: null },
  DoStmt: hides('what a DO block does stands in its own language'),
  CallStmt: hides('what a procedure does stands in its own language'),
  GrantStmt: hides('rights that stood before are not written down'),
  GrantRoleStmt: hides('rights that stood before are not written down'),
  AlterDefaultPrivilegesStmt: hides('rights that stood before are not written down'),
  AlterOwnerStmt: hides('rights that stood before are not written down'),
  CreateFunctionStmt: hides('what a function does stands in its own language'),
  AlterFunctionStmt: hides('what a function does stands in its own language'),
  CreateTrigStmt: hides('a trigger does more than any later statement says'),
  RuleStmt: hides('a rule changes what later statements do'),
  CreateExtensionStmt: hides('what an extension brings is not known'),
  NotifyStmt: hides('what listeners do is not known'),
};

/** Kinds within which other statements stand that are not carried out now. */
const dormant = new Set(['CreateFunctionStmt', 'AlterFunctionStmt', 'RuleStmt', 'ViewStmt']);

/** Statements within a statement that are carried out with it (CTEs, the query of CREATE TABLE AS), itself first. */
export function statementsIn({ kind, node }: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  walk({ [kind]: node }, (fields, at) => {
    if (at === null || !at.endsWith('Stmt')) return true;
    found.push({ kind: at, node: fields });
    return !dormant.has(at);
  });
  return found;
}

/**
 * What a statement does, the strongest of what stands in it. `volatile` = functions and operators that the server calls
 * volatile, or does not know: what calls one could do anything.
 */
export function judge(statement: SyntaxNode, volatile: ReadonlySet<string>): Judgement {
  const parts = statementsIn(statement);
  const judged = parts.map(({ kind, node }) => judges[kind]?.(node) ?? unknown(kind));
  const calls = callsIn({ [statement.kind]: statement.node });
  const called = [...calls.functions, ...calls.operators].find((name) => volatile.has(name));
  if (called !== undefined) {
    judged.push({
      effect: 'destroys',
      opaque: `what the function ${called} does is not known: it is volatile, or not there`,
    });
  }
  const effect = judged.map((one) => one.effect).reduce(strongerEffect, selectEffect(statement));
  return { effect, opaque: judged.find(({ opaque }) => opaque !== null)?.opaque ?? null };
}

function unknown(kind: string): Judgement {
  return { effect: 'destroys', opaque: `what ${kind.replace(/Stmt$/, '')} does is not known here` };
}

/** SELECT … INTO makes a table; SELECT … FOR UPDATE locks rows. Both may stand in one half of a UNION. */
function selectEffect({ kind, node }: SyntaxNode): Effect {
  let effect: Effect = 'reads';
  walk({ [kind]: node }, (fields) => {
    if (fields.intoClause !== undefined) effect = strongerEffect(effect, 'adds');
    if (itemsOf(fields.lockingClause).length > 0) effect = strongerEffect(effect, 'changes');
    return true;
  });
  return effect;
}
