import { effectOf } from '../plans/build-plan.ts';
import type { StepUp } from './confirm-vote.ts';
import type { Run } from './run.ts';

/** What will come of a run by the configuration, beside what its plan says: for those who read its messages. */
export interface Outlook {
  /** An approval of what waits for votes, a step or the plan, counts once its voter has logged in for it. */
  readonly login: boolean;
  /** For how long the environment is watched after the run's end; 0 = not at all. */
  readonly watchMinutes: number;
}

/** The place to ask for it. Nothing is read: it follows from the run and the configuration. */
export interface OutlookDesk {
  of(run: Run): Outlook;
}

export function createOutlooks(deps: {
  /** Null = no approval has to be confirmed. */
  readonly stepUp: Pick<StepUp, 'needs'> | null;
  readonly watchMinutes: (run: Run) => number;
}): OutlookDesk {
  const { stepUp, watchMinutes } = deps;
  return {
    of(run) {
      const voted = run.control.ballot?.step ?? { effect: effectOf(run.plan), undoClass: run.plan.undoClass };
      return { login: stepUp?.needs(voted) ?? false, watchMinutes: watchMinutes(run) };
    },
  };
}
