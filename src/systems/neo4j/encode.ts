import neo4j from 'neo4j-driver';
import { canonicalJson, type Json } from '../../shared/json.ts';

/**
 * Neo4j values as JSON without loss. null, booleans, strings, finite floats and lists stand for themselves; everything
 * else is an object with one key, its tag. Equal values, and only those, have equal canonical JSON (1 ≠ 1.0, NaN = NaN).
 */
export type Encoded = Json;

const { Date: GraphDate, DateTime, Duration, LocalDateTime, LocalTime, Point, Time } = neo4j.types;

/** A value that the driver could not read (a zoned time outside of what JavaScript knows) or that has no form here. */
export class UnknownValueError extends Error {}

function encodeFloat(value: number): Json {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  return { f: Object.is(value, -0) ? '-0' : String(value) };
}

/** The driver stands such an object, which throws at any touch, in for a value that it could not read. */
function isBroken(value: object): boolean {
  try {
    return neo4j.isDate(value) && false;
  } catch {
    return true;
  }
}

function outOfReach(): never {
  throw new UnknownValueError('a zoned time lies outside of the years or zones that can be carried');
}

function int(value: unknown): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new UnknownValueError('a temporal value is out of range');
  return number;
}

function encodeTemporal(value: object): Json | undefined {
  if (neo4j.isDate(value)) return { date: [int(value.year), int(value.month), int(value.day)] };
  if (neo4j.isLocalTime(value)) {
    return { localtime: [int(value.hour), int(value.minute), int(value.second), int(value.nanosecond)] };
  }
  if (neo4j.isTime(value)) {
    const { hour, minute, second, nanosecond, timeZoneOffsetSeconds } = value;
    return { time: [int(hour), int(minute), int(second), int(nanosecond), int(timeZoneOffsetSeconds)] };
  }
  if (neo4j.isDuration(value)) {
    return { duration: [value.months, value.days, value.seconds, value.nanoseconds].map(String) };
  }
  if (!neo4j.isDateTime(value) && !neo4j.isLocalDateTime(value)) return undefined;
  const { year, month, day, hour, minute, second, nanosecond } = value;
  const local = [year, month, day, hour, minute, second, nanosecond].map(int);
  if (neo4j.isLocalDateTime(value)) return { localdatetime: local };
  const { timeZoneOffsetSeconds: offset, timeZoneId: zone } = value;
  return { datetime: [...local, offset === undefined || offset === null ? null : int(offset), zone ?? null] };
}

/** A plain object, of any realm. */
export function isMap(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function encodeObject(value: object): Json {
  if (Array.isArray(value)) return value.map(encodeValue);
  if (ArrayBuffer.isView(value)) {
    return { b: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  }
  if (neo4j.isPoint(value)) {
    const axes = value.z === undefined || value.z === null ? [value.x, value.y] : [value.x, value.y, value.z];
    return { p: [int(value.srid), ...axes.map(Number).map(encodeFloat)] };
  }
  const temporal = encodeTemporal(value);
  if (temporal !== undefined) return temporal;
  if (!isMap(value)) {
    throw new UnknownValueError('a value has a type that cannot be carried');
  }
  return { m: encodeProperties(value as { [key: string]: unknown }) };
}

/** From the driver (integers as bigint) to JSON; throws `UnknownValueError` for what the driver could not read. */
export function encodeValue(value: unknown): Encoded {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return { i: value.toString() };
  if (typeof value === 'number') return encodeFloat(value);
  if (typeof value === 'object') return isBroken(value) ? outOfReach() : encodeObject(value);
  throw new UnknownValueError('a value has a type that cannot be carried');
}

/** Whether both stand for one and the same value. */
export function sameValue(a: Encoded, b: Encoded): boolean {
  if (a === b) return true;
  // Most values are text or absent, and need no canonical form.
  return typeof a === 'object' && typeof b === 'object' && canonicalJson(a) === canonicalJson(b);
}

/** Each value of a map encoded. */
export function encodeProperties(properties: { readonly [key: string]: unknown }): { [key: string]: Encoded } {
  // No prototype: a property may be called `__proto__`.
  const encoded: { [key: string]: Encoded } = Object.create(null);
  for (const [key, value] of Object.entries(properties)) encoded[key] = encodeValue(value);
  return encoded;
}

function malformed(): never {
  throw new UnknownValueError('an encoded value is malformed');
}

function decodeFloat(encoded: Json): number {
  if (typeof encoded === 'number') return encoded;
  const text =
    encoded !== null && typeof encoded === 'object' && !Array.isArray(encoded) ? tagged(encoded)[1] : malformed();
  if (text !== 'NaN' && text !== 'Infinity' && text !== '-Infinity' && text !== '-0') malformed();
  return Number(text);
}

function numbers(value: Json, length: number): number[] {
  if (!Array.isArray(value) || value.length !== length || !value.every(Number.isSafeInteger)) malformed();
  return value as number[];
}

function tagged(encoded: object): [string, Json] {
  const entries = Object.entries(encoded);
  if (entries.length !== 1) malformed();
  return entries[0] as [string, Json];
}

function decodeDateTime(value: Json): unknown {
  if (!Array.isArray(value) || value.length !== 9) malformed();
  const [y, mo, d, h, mi, s, n] = numbers(value.slice(0, 7), 7) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [offset, zone] = value.slice(7) as [Json, Json];
  if (offset !== null && !Number.isSafeInteger(offset)) malformed();
  if (zone !== null && typeof zone !== 'string') malformed();
  return new DateTime(y, mo, d, h, mi, s, n, (offset as number | null) ?? undefined, zone ?? undefined);
}

function decodePoint(value: Json): unknown {
  if (!Array.isArray(value) || (value.length !== 3 && value.length !== 4)) malformed();
  const [srid, ...axes] = value as Json[];
  const [x, y, z] = axes.map(decodeFloat);
  return new Point(numbers([srid as Json], 1)[0] as number, x as number, y as number, z);
}

const decoders: { readonly [tag: string]: (value: Json) => unknown } = {
  i: (value) => (typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : malformed()),
  f: (value) => decodeFloat({ f: value }),
  b: (value) => (typeof value === 'string' ? new Int8Array(Buffer.from(value, 'base64')) : malformed()),
  m: (value) => decodeProperties(value),
  p: decodePoint,
  date: (value) => new GraphDate(...(numbers(value, 3) as [number, number, number])),
  localtime: (value) => new LocalTime(...(numbers(value, 4) as [number, number, number, number])),
  time: (value) => new Time(...(numbers(value, 5) as [number, number, number, number, number])),
  datetime: decodeDateTime,
  localdatetime: (value) =>
    new LocalDateTime(...(numbers(value, 7) as [number, number, number, number, number, number, number])),
  duration: (value) => {
    if (!Array.isArray(value) || value.length !== 4) malformed();
    const [months, days, seconds, nanoseconds] = value.map((part) =>
      typeof part === 'string' && /^-?\d{1,19}$/.test(part) ? BigInt(part) : malformed(),
    ) as [bigint, bigint, bigint, bigint];
    return new Duration(months, days, seconds, nanoseconds);
  },
};

/** Back to what the driver sends; throws `UnknownValueError` on anything that `encodeValue` does not make. */
export function decodeValue(encoded: Encoded): unknown {
  if (encoded === null || typeof encoded !== 'object') return encoded;
  if (Array.isArray(encoded)) return encoded.map(decodeValue);
  const [tag, value] = tagged(encoded);
  return (Object.hasOwn(decoders, tag) ? decoders[tag] : undefined)?.(value) ?? malformed();
}

/** Each value of a map decoded. */
export function decodeProperties(encoded: Json): { [key: string]: unknown } {
  if (encoded === null || typeof encoded !== 'object' || Array.isArray(encoded)) malformed();
  const properties: { [key: string]: unknown } = Object.create(null);
  for (const [key, value] of Object.entries(encoded)) properties[key] = decodeValue(value as Json);
  return properties;
}
