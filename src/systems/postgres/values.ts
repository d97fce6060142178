import type { Json } from '../../shared/json.ts';
import { quoteName } from './identifiers.ts';
import type { Column } from './table.ts';

/** A JSON value as the text that the column's type reads. Null stays null. */
export function toText(value: Json | undefined, column: Pick<Column, 'typeName'>): string | null {
  if (column.typeName === 'json' || column.typeName === 'jsonb') {
    return value === undefined || value === null ? null : JSON.stringify(value);
  }
  if (value === undefined || value === null) return null;
  if (Array.isArray(value) && column.typeName.startsWith('_')) return toArrayText(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function toArrayText(values: readonly Json[]): string {
  const items = values.map((item) => {
    if (item === null) return 'NULL';
    if (Array.isArray(item)) return toArrayText(item);
    const text = typeof item === 'object' ? JSON.stringify(item) : String(item);
    return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  });
  return `{${items.join(',')}}`;
}

/** An expression that gives a column as JSON text; numbers that JavaScript cannot hold come as texts. */
export function jsonOf(column: Column, place: string): string {
  const name = `${place}.${quoteName(column.name)}`;
  if (column.typeName === 'int8' || column.typeName === 'numeric') {
    return `CASE WHEN ${name} = trunc(${name}) AND abs(${name}) <= 9007199254740991
      THEN to_json(${name}) ELSE to_json(${name}::text) END::text`;
  }
  return `to_json(${name})::text`;
}
