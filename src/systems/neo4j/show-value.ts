import neo4j from 'neo4j-driver';
import type { Json } from '../../shared/json.ts';
import { decodeValue, type Encoded, encodeValue, isMap } from './encode.ts';
import { isInternalName } from './name.ts';

/** An encoded value as a person reads it: times in ISO 8601, integers as numbers where JSON can hold them. */
export function showEncoded(encoded: Encoded): Json {
  if (encoded === null || typeof encoded !== 'object') return encoded;
  if (Array.isArray(encoded)) return encoded.map(showEncoded);
  const [[tag, value]] = Object.entries(encoded) as [[string, Json]];
  if (tag === 'i') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : (value as string);
  }
  if (tag === 'f') return value;
  if (tag === 'b') return `${Buffer.from(value as string, 'base64').length} bytes`;
  if (tag === 'm') {
    return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, showEncoded(item as Json)]));
  }
  return String(decodeValue(encoded));
}

/**
 * A value of a query's answer as a person reads it; nodes and relationships by labels or type and properties, those of the
 * bot left out.
 */
export function showValue(value: unknown): Json {
  if (Array.isArray(value)) return value.map(showValue);
  if (neo4j.isNode(value)) return { labels: value.labels, ...(showValue(value.properties) as object) };
  if (neo4j.isRelationship(value)) return { type: value.type, ...(showValue(value.properties) as object) };
  if (neo4j.isPath(value)) return `path of ${value.length} relationships`;
  if (value !== null && typeof value === 'object' && isMap(value)) {
    const visible = Object.entries(value).filter(([key]) => !isInternalName(key));
    return Object.fromEntries(visible.map(([key, item]) => [key, showValue(item)]));
  }
  return showEncoded(encodeValue(value));
}

/** How other stores and the journal compare a value: as text. Null for what has no text (absent, lists, maps, bytes). */
export function textOf(encoded: Encoded): string | null {
  if (encoded === null || Array.isArray(encoded)) return null;
  const shown = showEncoded(encoded);
  return shown === null || typeof shown === 'object' ? null : String(shown);
}
