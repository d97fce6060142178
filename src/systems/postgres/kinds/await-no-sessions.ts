import { awaitNoSessionsKind, sessionRules } from '../../no-sessions.ts';
import type { StepKind } from '../../system.ts';
import type { KindSetting } from '../batch.ts';
import { createSessionStore } from '../sessions.ts';

/** Waits until no other session is open on the database, idle ones included: a pool that rests writes a moment later. */
export function awaitNoSessions({ database }: KindSetting): StepKind {
  return awaitNoSessionsKind('postgres.await-no-sessions', createSessionStore(database), sessionRules);
}
