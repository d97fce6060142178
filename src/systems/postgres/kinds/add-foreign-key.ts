import { z } from 'zod';
import type { Finding } from '../../finding.ts';
import type { StepKind } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import { addNotValid, validateConstraint } from '../constraints.ts';
import type { Session } from '../database.ts';
import { quoteName } from '../identifiers.ts';
import {
  defineSchemaKind,
  inTheWay,
  refuseFailed,
  type SchemaLook,
  type SchemaOutcome,
  standing,
} from '../schema-kind.ts';
import { type ForeignKey, findForeignKeys, needColumn, needTable, type Table } from '../table.ts';

const inputSchema = z.strictObject({
  table: z.string().describe('The table that refers, as `table` or `schema.table`'),
  name: z.string().describe("The constraint's name"),
  column: z.string().describe('The column that refers'),
  references: z
    .strictObject({ table: z.string(), column: z.string() })
    .describe('What it refers to: a column with a unique constraint'),
});
type Input = z.infer<typeof inputSchema>;

/**
 * Adds a foreign key NOT VALID (first batch: no row is read), then validates it (second batch: writers go on
 * meanwhile). NO ACTION on update and delete. One of the same meaning that is there already is taken.
 */
export function addForeignKeyKind(setting: KindSetting): StepKind {
  return defineSchemaKind<Input>(setting, {
    name: 'postgres.add-foreign-key',
    effect: 'adds',
    input: inputSchema,
    describe: ({ table, column, references }) =>
      `makes ${table}.${column} refer to ${references.table}.${references.column}`,
    table: ({ table }) => table,
    locks: ({ table, references }) => [table, references.table],
    rights: ({ table, references }) => [
      { table, rights: ['OWN', 'SELECT'] },
      { table: references.table, rights: ['REFERENCES', 'SELECT'] },
    ],
    look,
    perform: (session, input, batch) => perform(session, input, batch.cursor === 'validate'),
    async verify(session, input) {
      const { equal } = await compare(session, input);
      const title = `${input.table}.${input.column} refers to ${input.references.table}.${input.references.column}, validated`;
      return [standing('foreign-key-valid', title, equal?.validated === true)];
    },
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

async function compare(session: Session, input: Input): Promise<Standing> {
  const table = await needTable(session, input.table);
  const target = await needTable(session, input.references.table);
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
  const findings = compareColumns(input, table, target);
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

function compareColumns(input: Input, table: Table, target: Table): Finding[] {
  const { references } = input;
  const referenced = needColumn(target, references.column);
  const column = table.columns.get(input.column);
  const findings: Finding[] = [];
  if (!referenced.unique) {
    findings.push(
      refused(
        `${references.table}.${references.column} is no key, so nothing can refer to it`,
        'Refer to a column with a unique constraint.',
      ),
    );
  }
  if (column && column.cast !== referenced.cast) {
    findings.push(
      refused(
        `${input.table}.${input.column} is ${column.type}, ${references.table}.${references.column} is ${referenced.type}`,
        'Both must have the same type.',
      ),
    );
  }
  return findings;
}

async function look(session: Session, input: Input): Promise<SchemaLook> {
  const { table, target, equal, findings } = await compare(session, input);
  const column = table.columns.get(input.column);
  const orphans =
    column && findings.length === 0 && !equal?.validated ? await findOrphans(session, input, table, target) : [];
  return {
    count: equal ? 0 : 1,
    key: [input.table, input.name],
    relied: { column: column ? { ...column } : null, target: target.oid, standing: equal?.definition ?? null },
    locks: [
      `${input.table} and ${input.references.table}: nobody writes for a moment, after a wait of at most 2 s; while it is validated all go on`,
    ],
    findings: [...findings, ...orphans],
  };
}

async function perform(session: Session, input: Input, validating: boolean): Promise<SchemaOutcome> {
  const { table, target, equal, findings } = await compare(session, input);
  refuseFailed(findings);
  if (validating) {
    return { changes: [await validateConstraint(session, table, equal?.name ?? input.name)], cursor: null, done: 0 };
  }
  needColumn(table, input.column);
  if (equal) {
    const taken = { did: 'add-constraint' as const, name: equal.name, definition: equal.definition, existed: true };
    return { changes: [taken], cursor: 'validate', done: 0 };
  }
  const definition = `FOREIGN KEY (${quoteName(input.column)}) REFERENCES ${target.sql} (${quoteName(input.references.column)})`;
  return { changes: [await addNotValid(session, table, input.name, definition)], cursor: 'validate', done: 1 };
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
  return inTheWay('foreign-key-possible', title, advice);
}
