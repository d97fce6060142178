import { sayAtAGlance } from '../../blocks/at-a-glance.ts';
import type { Plan, PlanStep } from '../../src/plans/plan.ts';
import { samplePlan, sampleRun } from '../sample-run.ts';

const base = samplePlan();
const [sample] = base.stages.flatMap((stage) => stage.steps) as [PlanStep];
const step = (use: string, seconds: number | null, over: Partial<PlanStep> = {}): PlanStep => ({
  ...sample,
  use,
  mode: 'perform',
  estimate: seconds === null ? null : { seconds, from: 'measured' },
  ...over,
});
const say = (steps: readonly PlanStep[], over: Partial<Plan> = {}): string => {
  const plan = { ...base, ...over, stages: [{ id: 's', title: 'S', always: false, steps }] };
  return sayAtAGlance(sampleRun({ plan, requestedAt: '2026-11-20T10:00:00.000Z', votesNeeded: 2 }));
};

it('says that no service is stopped where none is', () => {
  expect(say([step('neo4j.set-properties', 60)])).toBe('no service is stopped · 0 of 2 votes');
});

it('says how long services are down: from the first that is stopped to the last that is started', () => {
  const steps = [
    step('kubernetes.set-maintenance', 10),
    step('kubernetes.stop-services', 60),
    step('neo4j.set-properties', 120),
    step('kubernetes.start-services', 60),
    step('checks.run', 600),
  ];
  expect(say(steps)).toContain('⚠ services down for about 4 min');
  const gap = steps.map((one, place) => (place === 2 ? { ...one, estimate: null } : one));
  expect(say(gap)).toContain('⚠ services down for at least 2 min');
  expect(say(steps.slice(0, 3))).toContain('⚠ services stay down');
  expect(say(steps.map((one) => ({ ...one, estimate: null })))).toContain('how long is not known');
});

it('sees the same in an undo, which starts what was stopped in the other order', () => {
  const undo = { mode: 'undo' } as const;
  const steps = [
    step('kubernetes.start-services', 60, undo),
    step('neo4j.set-properties', 60, undo),
    step('kubernetes.stop-services', 60, undo),
  ];
  expect(say(steps)).toContain('services down for about 3 min');
});

it('says how old the last proven backup is, that there is none, and whether a new one comes first', () => {
  const proof = { set: 'bak-1', createdAt: '2026-11-20T07:00:00.000Z', provenAt: '2026-11-20T08:00:00.000Z' };
  expect(say([step('backup.seal-set', 1)], { lastProven: proof })).toMatch(
    /a new backup first, last proven backup 3(\.0)? h.* old/,
  );
  expect(say([], { lastProven: null })).toContain('⚠ no backup is proven');
  expect(say([])).not.toContain('backup');
});
