import type { Workspace } from '../workspace.ts';

export type Fields = { readonly [name: string]: unknown };

/** What a method answers: Slack's JSON, `ok` and `error` included. */
export type Answer = { readonly ok: boolean; readonly error?: string; readonly [name: string]: unknown };

export interface Call {
  readonly workspace: Workspace;
  readonly fields: Fields;
  /** Takes a trigger id that was given out less than three seconds ago and was not used; null = it is no good. */
  takeTrigger(triggerId: string): { readonly user: string } | 'expired_trigger_id' | 'invalid_trigger_id';
  /** Where a Socket Mode client connects. */
  readonly socketUrl: string;
}

export type Method = (call: Call) => Answer;

export const fail = (error: string, more: Fields = {}): Answer => ({ ok: false, error, ...more });
export const done = (more: Fields = {}): Answer => ({ ok: true, ...more });

/** A field as text; empty when it is missing. */
export function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

/** A field that clients send as JSON or, form-encoded, as its text. */
export function jsonOf(fields: Fields, name: string): unknown {
  const value = fields[name];
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
