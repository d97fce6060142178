import type { Plan, PlanWindow } from '../plans/plan.ts';
import type { Run } from '../runs/run.ts';
import { sayDuration } from '../shared/duration.ts';
import type { Finding } from '../systems/finding.ts';

/** The plan of a run that starts only in a window, with what is to be said of that: whether it will end in time. */
export function bindToWindow(plan: Plan, window: PlanWindow, now: Date): Plan {
  return { ...plan, window, findings: [...plan.findings, judgeTime(plan, window, now)] };
}

function judgeTime({ estimate = null }: Plan, window: PlanWindow, now: Date): Finding {
  const check = 'ends-in-window';
  const room = Date.parse(window.until) - Math.max(now.getTime(), Date.parse(window.from));
  const starts = `Starts only in the window ${window.id} (${window.from} to ${window.until})`;
  if (estimate === null) {
    const advice = 'how long it takes is not known: it was never measured';
    return { check, title: starts, status: 'skipped', count: null, samples: [], advice };
  }
  const takes = sayDuration(estimate.seconds * 1000);
  if (estimate.seconds * 1000 <= room) {
    return { check, title: `${starts}; takes about ${takes}`, status: 'passed', count: 0, samples: [] };
  }
  return {
    check,
    title: `${starts}, and will not end in time: it takes about ${takes}, and ${sayDuration(Math.max(0, room))} are left`,
    status: 'warning',
    count: 1,
    samples: [],
    advice: 'Make the window longer (cancel it and schedule another), or do it in parts (`canary:`).',
  };
}

/** Milliseconds that the rest of a run takes, by its own pace where it is known; null = nothing is known. */
export function remainingMs(run: Pick<Run, 'plan' | 'steps'>, now: Date): number | null {
  const steps = run.plan.stages.flatMap((stage) => stage.steps);
  const progress = new Map(run.steps.map((step) => [step.stepId, step]));
  let sum = 0;
  let known = false;
  for (const step of steps) {
    const at = progress.get(step.id);
    if (at?.state === 'done' || at?.state === 'skipped') continue;
    const began = at?.startedAt ? Date.parse(at.startedAt) : null;
    const done = at?.done ?? 0;
    if (began !== null && done > 0 && step.count > done) {
      sum += ((now.getTime() - began) * (step.count - done)) / done;
      known = true;
    } else if (step.estimate !== null) {
      const gone = began === null ? 0 : now.getTime() - began;
      sum += Math.max(0, step.estimate.seconds * 1000 - gone);
      known = true;
    }
  }
  return known ? sum : null;
}
