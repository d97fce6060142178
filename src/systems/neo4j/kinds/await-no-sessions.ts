import { awaitNoSessionsKind } from '../../no-sessions.ts';
import type { StepKind } from '../../system.ts';
import type { Store } from '../batch.ts';
import { createSessionStore, graphRules } from '../sessions.ts';

/** Waits until nobody else has a connection to the server. Community cannot lock others out: it can only look. */
export function awaitNoSessions({ connection }: Store): StepKind {
  return awaitNoSessionsKind('neo4j.await-no-sessions', createSessionStore(connection), graphRules);
}
