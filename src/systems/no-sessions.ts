import { z } from 'zod';
import { Failure } from '../shared/failure.ts';
import type { Finding } from './finding.ts';
import {
  type BatchRequest,
  type BatchResult,
  defineStepKind,
  type Fence,
  readingPreview,
  type StepContext,
  type StepKind,
  type StepPreview,
  type UndoBatchResult,
  type UndoContext,
} from './system.ts';
import { durationText, milliseconds, waitFor } from './wait-for.ts';

/** Sessions of one application under one user, without what they do. */
export interface ForeignSessions {
  /** As the client calls itself; empty where it does not. */
  readonly application: string;
  readonly user: string;
  readonly count: number;
}

/** What is not foreign, as a step says it. */
export const sessionRules = z.strictObject({
  except: z
    .array(z.string().min(1).max(200))
    .default([])
    .describe('Applications or users, by their whole name, whose sessions may stay.'),
  within: durationText.default('5m').describe('The step fails after so long, e.g. 5m.'),
});

export interface StepKey {
  readonly runId: string;
  readonly stepId: string;
}

/**
 * Records in a store that a run has found it empty of others and wants it to stay so. They lie with the journal, so a
 * restore rewinds them. A record is never taken away: it ends, so that an undo can be undone.
 */
export interface SessionWatch<Rules> {
  /** Nothing where the record stands already. */
  begin(key: StepKey, rules: Rules, fence: Fence): Promise<void>;
  /** Ends what the other step began, or begins again what it ended; false where there is nothing of it. */
  reverse(undoes: StepKey, by: StepKey, fence: Fence): Promise<boolean>;
  /** Whether the step has a record that `reverse` would act on. */
  isRecorded(key: StepKey): Promise<boolean>;
  /** The rules of all records of these runs that stand. */
  standing(runIds: readonly string[]): Promise<readonly Rules[]>;
}

/** A store that can tell who uses it. */
export interface SessionStore<Rules> {
  readonly system: string;
  foreign(rules: Rules): Promise<readonly ForeignSessions[]>;
  readonly watch: SessionWatch<Rules>;
}

/**
 * Waits until nobody else has a session, and records that from then on there must be none. Its effect is `adds`: one
 * record of the bot's own, which holds nobody up but the run itself, and which its undo ends.
 */
export function awaitNoSessionsKind<Rules extends z.infer<typeof sessionRules>>(
  name: string,
  store: SessionStore<Rules>,
  input: z.ZodType<Rules>,
): StepKind {
  return defineStepKind<Rules>({
    name,
    effect: 'adds',
    input,
    describe: ({ within }) =>
      `waits until nobody else has a session in ${store.system}, at most ${within}, then watches`,
    preview: async (rules) => ({ ...onePreview, findings: usedNow(await store.foreign(rules)) }),
    performBatch: (rules, batch, context) => waitForNone(store, rules, batch, context),
    async previewUndo(_rules, { undoes }): Promise<StepPreview> {
      return (await store.watch.isRecorded(undoes)) ? onePreview : readingPreview;
    },
    undoBatch: (_rules, _batch, context) => reverse(store, context),
    narrow: () => null,
  });
}

/** What uses a store against the records of these runs, in words. */
export async function sessionIntrusions<Rules>(
  { system, foreign, watch }: SessionStore<Rules>,
  runIds: readonly string[],
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const rules of await watch.standing(runIds)) {
    for (const sessions of await foreign(rules)) found.add(`${system} is used: ${saySessions([sessions])}`);
  }
  return [...found];
}

const onePreview: StepPreview = { ...readingPreview, count: 1, bytes: 200 };

async function waitForNone<Rules extends { readonly within: string }>(
  store: SessionStore<Rules>,
  rules: Rules,
  batch: BatchRequest,
  { runId, stepId, fence, signal }: StepContext,
): Promise<BatchResult> {
  const result = await waitFor(batch, {
    withinMs: milliseconds(rules.within),
    signal,
    async look() {
      const found = await store.foreign(rules);
      return found.length === 0 ? null : `still used: ${saySessions(found)}`;
    },
    tooLong: (waitsFor, waited) =>
      new Failure({
        code: 'timed-out',
        message: `${store.system} after ${waited} is ${waitsFor}.`,
        advice:
          'Nothing was changed by waiting. Stop what has these sessions, or name it under "except" if it does not write; ' +
          'then retry, or undo the run.',
        retryable: true,
      }),
  });
  if (result.cursor !== null) return result;
  await store.watch.begin({ runId, stepId }, rules, fence);
  // Somebody may have come between the look and the record: the record makes the run see it before its next batch.
  return { ...result, done: 1 };
}

async function reverse<Rules>(store: SessionStore<Rules>, context: UndoContext): Promise<UndoBatchResult> {
  const { runId, stepId, fence, undoes } = context;
  const done = await store.watch.reverse(undoes, { runId, stepId }, fence);
  return { cursor: null, done: done ? 1 : 0, kept: 0, missing: 0 };
}

/** A warning only: when the plan is made, services still run. */
function usedNow(found: readonly ForeignSessions[]): Finding[] {
  const check = 'foreign-sessions';
  if (found.length === 0) {
    return [{ check, title: 'Nobody else has a session now', status: 'passed', count: 0, samples: [] }];
  }
  const count = found.reduce((sum, sessions) => sum + sessions.count, 0);
  const samples = found.slice(0, 5).map((sessions) => saySessions([sessions]));
  const advice = 'The step waits until these are gone: stop what has them in an earlier step.';
  return [{ check, title: 'Others have sessions now', status: 'warning', count, samples, advice }];
}

function saySessions(found: readonly ForeignSessions[]): string {
  const said = [...found]
    .sort((a, b) => b.count - a.count)
    .slice(0, 5)
    .map(({ application, user, count }) => {
      const who = application === '' ? 'an application without name' : tame(application);
      return `${count} ${count === 1 ? 'session' : 'sessions'} of ${who} (user ${tame(user)})`;
    });
  return [...said, ...(found.length > 5 ? [`${found.length - 5} more applications`] : [])].join(', ');
}

/** Clients choose their names: short, and without anything that a message could be misread by. */
function tame(name: string): string {
  return name.replaceAll(/[^\w .:/@+-]/g, '?').slice(0, 60);
}
