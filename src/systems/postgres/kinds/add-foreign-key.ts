import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type StepContext,
  type StepKind,
  type StepPreview,
} from '../../system.ts';
import { type BatchOutcome, type KindSetting, runBatch, schemaManner } from '../batch.ts';
import type { Session } from '../database.ts';
import { quoteName } from '../identifiers.ts';
import type { SchemaChange } from '../journal-body.ts';
import { type ForeignKey, findForeignKeys, needColumn, needTable, type Table } from '../table.ts';
import { previewUndo, undoBatch } from '../undo.ts';

const inputSchema = z.strictObject({
  table: z.string(),
  /** The constraint's name. */
  name: z.string(),
  column: z.string(),
  references: z.strictObject({ table: z.string(), column: z.string() }),
});
type Input = z.infer<typeof inputSchema>;

/**
 * Adds a foreign key NOT VALID (first batch: no row is read), then validates it (second batch: writers go on
 * meanwhile). NO ACTION on update and delete. One of the same meaning that is there already is taken.
 */
export function addForeignKeyKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'postgres.add-foreign-key',
    effect: 'adds',
    input: inputSchema,
    describe: ({ table, column, references }) =>
      `makes ${table}.${column} refer to ${references.table}.${references.column}`,
    preview: (input) =>
      setting.database.transact({ readOnly: true, statementTimeout: 600_000 }, (session) => preview(session, input)),
    performBatch: (input, batch, context) => performBatch(setting, input, batch, context),
    verify: (input) => setting.database.transact({ readOnly: true }, (session) => verify(session, input)),
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context, schemaManner),
  });
}

/** What stands in the database now about this foreign key. */
interface Standing {
  readonly table: Table;
  readonly target: Table;
  /** Same columns and NO ACTION or RESTRICT, under whatever name. */
  readonly equal: ForeignKey | null;
  readonly findings: readonly Finding[];
}

async function look(session: Session, input: Input): Promise<Standing> {
  const table = await needTable(session, input.table);
  const target = await needTable(session, input.references.table);
  const referenced = needColumn(target, input.references.column);
  const column = table.columns.get(input.column);
  const findings: Finding[] = [];
  if (!referenced.unique) {
    findings.push(
      refused(
        `${input.references.table}.${input.references.column} is no key, so nothing can refer to it`,
        'Refer to a column with a unique constraint.',
      ),
    );
  }
  if (column && column.cast !== referenced.cast) {
    findings.push(
      refused(
        `${input.table}.${input.column} is ${column.type}, ${input.references.table}.${input.references.column} is ${referenced.type}`,
        'Both must have the same type.',
      ),
    );
  }
  const keys = await findForeignKeys(session, table.oid, 'from');
  const targetName = (await session.rows('SELECT $1::oid::regclass::text AS name', [target.oid]))[0]?.name;
  const same = keys.filter(
    (key) =>
      key.referenced === targetName &&
      key.columns.join() === input.column &&
      key.referencedColumns.join() === input.references.column,
  );
  const harmless = (key: ForeignKey): boolean =>
    [key.onDelete, key.onUpdate].every((action) => action === 'a' || action === 'r');
  const equal = same.find(harmless) ?? null;
  const other = same.find((key) => !harmless(key));
  if (!equal && other) {
    findings.push(
      refused(
        `${input.table} has the foreign key ${other.name} already, with another action: ${other.definition}`,
        'Drop it or make it NO ACTION first.',
      ),
    );
  }
  if (!equal && keys.some((key) => key.name === input.name)) {
    findings.push(refused(`${input.table} has another foreign key called ${input.name}`, 'Choose another name.'));
  }
  return { table, target, equal, findings };
}

async function preview(session: Session, input: Input): Promise<StepPreview> {
  const { table, target, equal, findings } = await look(session, input);
  const column = table.columns.get(input.column);
  const orphans =
    column && findings.length === 0 && !equal?.validated ? await findOrphans(session, input, table, target) : [];
  return {
    count: equal ? 0 : 1,
    exact: true,
    keysHash: digestOf([input.table, input.name]),
    schemaHash: digestOf({
      column: column ? { ...column } : null,
      target: target.oid,
      standing: equal?.definition ?? null,
    }),
    samples: [],
    undoClass: 'reversible',
    locks: equal?.validated
      ? []
      : [
          `${input.table} and ${input.references.table}: nobody writes for a moment, after a wait of at most 2 s; while it is validated all go on`,
        ],
    bytes: 1000,
    findings: [...findings, ...orphans],
  };
}

async function performBatch(
  setting: KindSetting,
  input: Input,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  return runBatch(setting, context, batch, schemaManner, async (session): Promise<BatchOutcome<BatchResult>> => {
    const { table, target, equal, findings } = await look(session, input);
    const [finding] = findings;
    if (finding)
      throw new Failure({ code: 'precondition-failed', message: `${finding.title}.`, advice: finding.advice ?? '' });
    const validating = batch.cursor === 'validate';
    const change = validating ? await validate(session, table, equal) : await add(session, input, table, target, equal);
    return {
      body: { version: 1, table: input.table, keyColumn: null, changes: [change], conflicts: [] },
      result: {
        cursor: validating ? null : 'validate',
        done: change.did === 'add-constraint' && !change.existed ? 1 : 0,
      },
    };
  });
}

async function add(
  session: Session,
  input: Input,
  table: Table,
  target: Table,
  equal: ForeignKey | null,
): Promise<SchemaChange> {
  needColumn(table, input.column);
  const definition = `FOREIGN KEY (${quoteName(input.column)}) REFERENCES ${target.sql} (${quoteName(input.references.column)}) NOT VALID`;
  if (equal) return { did: 'add-constraint', name: equal.name, definition: equal.definition, existed: true };
  await session.rows(`ALTER TABLE ${table.sql} ADD CONSTRAINT ${quoteName(input.name)} ${definition}`, []);
  const made = (await findForeignKeys(session, table.oid, 'from')).find((key) => key.name === input.name);
  return { did: 'add-constraint', name: input.name, definition: made?.definition ?? definition, existed: false };
}

async function validate(session: Session, table: Table, equal: ForeignKey | null): Promise<SchemaChange> {
  if (!equal) {
    throw new Failure({
      code: 'conflict',
      message: `The foreign key of ${table.name} is gone since it was added.`,
      advice: 'Undo the step, then ask again.',
    });
  }
  if (!equal.validated) {
    await session.rows(`ALTER TABLE ${table.sql} VALIDATE CONSTRAINT ${quoteName(equal.name)}`, []);
  }
  return { did: 'validate', name: equal.name, existed: equal.validated };
}

async function verify(session: Session, input: Input): Promise<Finding[]> {
  const { equal } = await look(session, input);
  const good = equal?.validated === true;
  const title = `${input.table}.${input.column} refers to ${input.references.table}.${input.references.column}, validated`;
  return [{ check: 'foreign-key-valid', title, status: good ? 'passed' : 'failed', count: good ? 0 : 1, samples: [] }];
}

async function findOrphans(session: Session, input: Input, table: Table, target: Table): Promise<Finding[]> {
  const [own, theirs] = [quoteName(input.column), quoteName(input.references.column)];
  const place = `FROM ${table.sql} r WHERE r.${own} IS NOT NULL AND NOT EXISTS (SELECT FROM ${target.sql} t WHERE t.${theirs} = r.${own})`;
  const [row] = await session.rows(`SELECT count(*) AS n ${place}`, []);
  const count = Number(row?.n ?? 0);
  if (count === 0) return [];
  const samples = await session.rows(`SELECT DISTINCT r.${own}::text AS v ${place} ORDER BY 1 LIMIT 5`, []);
  return [
    {
      check: 'no-orphans',
      title: `${input.table}.${input.column} holds values that ${input.references.table} does not`,
      status: 'failed',
      count,
      samples: samples.map((sample) => sample.v ?? ''),
      advice: `Add the missing rows to ${input.references.table}, or empty the field in these.`,
    },
  ];
}

function refused(title: string, advice: string): Finding {
  return { check: 'foreign-key-possible', title, status: 'failed', count: 1, samples: [], advice };
}
