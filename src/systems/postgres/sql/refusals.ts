import type { Json } from '../../../shared/json.ts';
import { statementsIn } from './effect.ts';
import { invalidStatement, type Statement } from './parse.ts';
import { callsIn, fieldsOf, relationOf, type SyntaxNode, walk } from './syntax.ts';

/** Why a statement may not be carried out at all, and what to do. */
export interface Refusal {
  readonly why: string;
  readonly advice: string;
}

const OUT_OF_TRANSACTION = 'A step is one transaction with its journal: nothing in it may begin or end one.';
const OUT_OF_DATABASE = 'A step changes one database and nothing beside it: have it done by whoever runs the server.';
const SESSION = 'It would outlive the step in a connection that other steps use. Leave it out.';
const CONCURRENT = 'It cannot run in a transaction.';

const byKind: { readonly [kind: string]: Refusal } = {
  TransactionStmt: { why: 'it begins or ends a transaction', advice: OUT_OF_TRANSACTION },
  CopyStmt: {
    why: 'COPY reads or writes files, programs or a connection',
    advice: 'Use INSERT … SELECT, or postgres.insert-rows for rows from another system.',
  },
  VariableSetStmt: { why: 'it changes settings or the role', advice: SESSION },
  DiscardStmt: { why: 'it resets the session', advice: SESSION },
  PrepareStmt: { why: 'it prepares a statement', advice: SESSION },
  ExecuteStmt: { why: 'it runs a prepared statement', advice: 'Write the statement itself.' },
  DeallocateStmt: { why: 'it drops a prepared statement', advice: SESSION },
  DeclareCursorStmt: { why: 'it opens a cursor', advice: SESSION },
  FetchStmt: { why: 'it reads a cursor', advice: SESSION },
  ClosePortalStmt: { why: 'it closes a cursor', advice: SESSION },
  ListenStmt: { why: 'it listens', advice: SESSION },
  UnlistenStmt: { why: 'it listens', advice: SESSION },
  LoadStmt: { why: 'it loads a library into the server', advice: OUT_OF_DATABASE },
  CheckPointStmt: { why: 'it is about the whole server', advice: OUT_OF_DATABASE },
  DropOwnedStmt: {
    why: "it would drop all that a role owns, the bot's journal with it",
    advice: 'Name what is to be dropped.',
  },
  ReassignOwnedStmt: { why: 'it changes the owner of all that a role owns', advice: OUT_OF_DATABASE },
};
for (const kind of `AlterSystemStmt CreatedbStmt DropdbStmt AlterDatabaseStmt AlterDatabaseSetStmt AlterDatabaseRefreshCollStmt
  CreateTableSpaceStmt DropTableSpaceStmt AlterTableSpaceOptionsStmt AlterTableMoveAllStmt CreateRoleStmt AlterRoleStmt AlterRoleSetStmt DropRoleStmt
  CreateSubscriptionStmt AlterSubscriptionStmt DropSubscriptionStmt CreatePublicationStmt AlterPublicationStmt
  CreateFdwStmt AlterFdwStmt CreateForeignServerStmt AlterForeignServerStmt CreateForeignTableStmt CreateUserMappingStmt
  AlterUserMappingStmt DropUserMappingStmt ImportForeignSchemaStmt CreatePLangStmt CreateEventTrigStmt AlterEventTrigStmt SecLabelStmt`.split(
  /\s+/,
)) {
  (byKind as { [name: string]: Refusal })[kind] = {
    why: 'it reaches beyond this database, or to roles, passwords and other servers',
    advice: OUT_OF_DATABASE,
  };
}

/** Functions that leave the database, the transaction or the session, or run text that nobody has read. */
const dangerous =
  /^(dblink.*|pg_read_.*|pg_ls_.*|pg_stat_file|pg_file_.*|lo_import|lo_export|set_config|pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_rotate_logfile.*|pg_switch_wal|pg_promote|pg_wal_.*|pg_logical_.*|pg_replication_.*|pg_(create|drop|copy)_.*slot|pg_advisory_(un)?lock.*|pg_try_advisory_lock.*|pg_create_restore_point|pg_backup_.*|pg_export_snapshot|pg_log_backend_.*|pg_import_system_collations|pg_extension_config_dump|query_to_xml.*|database_to_xml.*|schema_to_xml.*|table_to_xml.*|cursor_to_xml.*|ts_stat|ts_rewrite)$/;
/** The same, in the text of blocks in other languages. */
const dangerousWords =
  /\b(dblink\w*|pg_read_\w+|pg_ls_\w+|pg_file_\w+|lo_import|lo_export|set_config|pg_terminate_backend|tas_journal|tas_kept_\w+|session_replication_role|alter\s+system|set\s+(session|role)|to\s+program|from\s+program)\b/i;
const ours = /^(tas_journal$|tas_kept_|_tas_)/;

/** Null where the statement may be carried out. */
export function findRefusal(statement: SyntaxNode): Refusal | null {
  for (const part of statementsIn(statement)) {
    const refused = byKind[part.kind] ?? refuseOne(part);
    if (refused) return refused;
  }
  const called = [...callsIn({ [statement.kind]: statement.node }).functions].find((name) =>
    dangerous.test(name.toLowerCase()),
  );
  if (called !== undefined) {
    return { why: `the function ${called} reaches out of the database or the transaction`, advice: OUT_OF_DATABASE };
  }
  return refuseTexts(statement);
}

/** Throws `invalid-statement` for the first statement that may not be carried out. */
export function refuseForbidden(parameter: string, statements: readonly Statement[]): void {
  for (const statement of statements) {
    const refused = findRefusal(statement);
    if (!refused) continue;
    throw invalidStatement(parameter, statement, refused.why, refused.advice);
  }
}

function refuseOne({ kind, node }: SyntaxNode): Refusal | null {
  if (kind === 'VacuumStmt' && node.is_vacuumcmd === true) {
    return { why: 'VACUUM cannot run in a transaction', advice: 'Autovacuum does it; or have it run by hand.' };
  }
  if (kind === 'IndexStmt' && node.concurrent === true) {
    return {
      why: 'CREATE INDEX CONCURRENTLY cannot run in a transaction',
      advice: 'Use the step kind postgres.create-index.',
    };
  }
  const concurrent = node.concurrent === true && kind !== 'RefreshMatViewStmt';
  if (concurrent || JSON.stringify(node.params ?? null).includes('"concurrently"') || detachesConcurrently(node)) {
    return { why: 'CONCURRENTLY cannot stand in a transaction', advice: CONCURRENT };
  }
  if (isTemporary(node)) {
    return {
      why: 'it makes a temporary table, which outlives the step',
      advice: `${SESSION} ON COMMIT DROP lets it go.`,
    };
  }
  const relation = relationOf(fieldsOf(node.relation));
  const target = kind === 'SelectStmt' ? [] : [relation];
  const catalog = target.some(
    ({ schema, name }) =>
      schema === 'pg_catalog' || schema === 'information_schema' || (schema === null && /^pg_/.test(name)),
  );
  return catalog ? { why: "it changes the server's own catalog", advice: OUT_OF_DATABASE } : null;
}

function detachesConcurrently(node: Json): boolean {
  let found = false;
  walk(node, (fields, kind) => {
    found ||= kind === 'PartitionCmd' && fields.concurrent === true;
    return !found;
  });
  return found;
}

/** CREATE TEMP TABLE, CREATE TEMP TABLE AS, SELECT … INTO TEMP, temporary views and sequences. */
function isTemporary(node: Json): boolean {
  let found = false;
  walk(node, (fields) => {
    const kept = fields.oncommit !== 'ONCOMMIT_DROP' && fields.onCommit !== 'ONCOMMIT_DROP';
    for (const name of ['relation', 'rel', 'view', 'sequence']) {
      found ||= kept && fieldsOf(fields[name]).relpersistence === 't';
    }
    return !found;
  });
  return found;
}

function refuseTexts({ kind, node }: SyntaxNode): Refusal | null {
  let found: Refusal | null = null;
  const look = (text: string): void => {
    if (ours.test(text))
      found = {
        why: `${text.slice(0, 63)} belongs to the bot`,
        advice: 'Leave the journal and what is kept aside alone.',
      };
    const word = /^(DoStmt|CreateFunctionStmt|CallStmt)$/.test(kind) ? dangerousWords.exec(text)?.[0] : undefined;
    if (word !== undefined) found ??= { why: `the words “${word}” stand in its text`, advice: OUT_OF_DATABASE };
  };
  walk({ [kind]: node }, (fields) => {
    for (const value of Object.values(fields)) if (typeof value === 'string') look(value);
    return found === null;
  });
  return found;
}
