import type { ResponseUrls } from '../response-urls.ts';
import type { Triggers } from '../triggers.ts';
import type { Views } from '../views.ts';
import type { Channel, Workspace } from '../workspace.ts';
import type { Uploads } from './uploads.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** What a method answers: Slack's JSON, `ok` and `error` included. */
export type Answer = { readonly ok: boolean; readonly error?: string; readonly [name: string]: unknown };

/** What the methods work on. */
export interface Place {
  readonly workspace: Workspace;
  readonly views: Views;
  readonly triggers: Triggers;
  readonly responseUrls: ResponseUrls;
  readonly uploads: Uploads;
  /** `http://127.0.0.1:port`. */
  baseUrl(): string;
  /** A ws:// URL that lets one connection in. */
  socketUrl(): string;
}

export interface Call extends Place {
  readonly fields: Fields;
}

export type Method = (call: Call) => Answer;

export const done = (more: Fields = {}): Answer => ({ ok: true, ...more });
export const fail = (error: string, more: Fields = {}): Answer => ({ ok: false, error, ...more });

/** A refusal with its reasons, in the form in which Slack gives them. */
export function failWith(error: string, faults: readonly string[]): Answer {
  const messages = faults.map((text) => `[ERROR] ${text}`);
  return fail(error, { errors: faults, response_metadata: { messages } });
}

/** A field as text; empty when it is missing. */
export function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

export function isTrue(fields: Fields, name: string): boolean {
  return [true, 'true', 1, '1'].includes(fields[name] as string);
}

/** A field that clients send as JSON or, form-encoded, as its text. Undefined: missing. Null: not JSON. */
export function jsonOf(fields: Fields, name: string): unknown {
  const value = fields[name];
  if (typeof value !== 'string') return value;
  if (value === '') return undefined;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return null;
  }
}

/** Null when all of them are there. */
export function missing(fields: Fields, ...names: readonly string[]): Answer | null {
  const absent = names.filter((name) => fields[name] === undefined || fields[name] === '');
  return absent.length === 0
    ? null
    : failWith(
        'invalid_arguments',
        absent.map((name) => `missing required field: ${name}`),
      );
}

/** The channel that is named by its id; by its name or a user's id as well where Slack takes those. An answer = refused. */
export function channelOf(call: Call, by: 'id' | 'any' = 'id'): Channel | { readonly refused: Answer } {
  const name = textOf(call.fields, 'channel');
  const channel = by === 'any' || /^[CD][A-Z0-9]+$/.test(name) ? call.workspace.channel(name) : null;
  return channel ?? { refused: fail('channel_not_found') };
}

/** One page of a list, with the cursor of the next. */
export function page<T>(items: readonly T[], fields: Fields, usual = 100): { items: readonly T[]; next: string } {
  const from = Number(Buffer.from(textOf(fields, 'cursor'), 'base64').toString('utf8').replace('next:', '')) || 0;
  const limit = Math.min(1000, Number(fields.limit) || usual);
  const to = from + limit;
  const next = to < items.length ? Buffer.from(`next:${to}`).toString('base64') : '';
  return { items: items.slice(from, to), next };
}
