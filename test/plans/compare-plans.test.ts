import fc from 'fast-check';
import { capOf, comparePlans } from '../../src/plans/compare-plans.ts';
import type { Plan, PlanStep } from '../../src/plans/plan.ts';
import { samplePlan, sampleStep } from '../sample-run.ts';

const planOf = (...steps: PlanStep[]): Plan =>
  samplePlan({ stages: [{ id: 'data', title: 'Data', always: false, steps }] });
const filled = (over: Partial<PlanStep> = {}): PlanStep => sampleStep({ id: 'data.fill', title: 'Fill', ...over });
const dropped = (over: Partial<PlanStep> = {}): PlanStep =>
  filled({ id: 'data.drop', title: 'Drop', effect: 'destroys', count: 100, ...over });

/** What is reported when one step moved to another state. */
const between = (before: PlanStep, after: PlanStep, tolerance = 3): readonly string[] =>
  comparePlans(planOf(before), planOf(after), tolerance);

describe('a plan made again', () => {
  it('is the same as itself', () => {
    expect(comparePlans(samplePlan(), samplePlan(), 0)).toEqual([]);
  });

  it('may differ in what a step with a vote of its own would do: that is voted on when it is its turn', () => {
    const own = dropped({ ownApproval: true, exact: false });
    expect(between(own, dropped({ ownApproval: true, count: 7, keysHash: 'x', schemaHash: 'y' }), 0)).toEqual([]);
    expect(between(own, dropped({ exact: false }), 0)).toEqual([expect.stringContaining('vote of its own')]);
  });

  it('may have other samples, locks and estimates: nobody signs those', () => {
    const again = filled({ samples: [], locks: ['another'], bytes: 1, exact: false });
    expect(between(filled(), again)).toEqual([]);
  });

  it.each([
    ['engine', { engine: '2' }, 'engine was 1, now it is 2'],
    ['content', { contentHash: 'x' }, 'the migration file was edited'],
    ['configuration', { configHash: 'x' }, 'configuration was edited'],
    ['server', { identities: { graph: 'store-2', records: '7300000000000000001' } }, 'graph is another server'],
    ['canary', { canary: 'tenant_1' }, 'it was narrowed to nothing, now to tenant_1'],
    ['missing server', { identities: { records: '7300000000000000001' } }, 'graph is another server'],
  ])('says when the %s has changed', (_what, over, text) => {
    const changes = comparePlans(samplePlan(), samplePlan(over), 50);
    expect(changes).toHaveLength(1);
    expect(changes[0]).toContain(text);
  });

  it('says which finding fails by now, and not which warns', () => {
    const finding = { check: 'x', title: 'No shared tenants', count: 2, samples: [] };
    const now = samplePlan({
      findings: [
        { ...finding, status: 'failed' },
        { ...finding, title: 'Old', status: 'warning' },
      ],
    });
    expect(comparePlans(samplePlan(), now, 3)).toEqual(['No shared tenants: 2 now fail']);
  });

  it('says when a step is new, gone or replaced', () => {
    const other = filled({ id: 'data.other', title: 'Other' });
    expect(comparePlans(planOf(filled()), planOf(filled(), other), 50)).toEqual([
      'it had 1 changing steps, now it has 2',
    ]);
    expect(comparePlans(planOf(filled(), other), planOf(filled()), 50)).toContain('the step “Other” is gone');
    expect(comparePlans(planOf(filled()), planOf(other), 50)).toEqual(['the step “Fill” is gone']);
  });

  it('does not compare steps that only read', () => {
    const reads = filled({ effect: 'reads' });
    expect(between(reads, { ...reads, count: 9, keysHash: 'x', schemaHash: 'x' })).toEqual([]);
  });

  it('says when the schema has changed, whatever the counts', () => {
    expect(between(filled(), filled({ schemaHash: 'x' }), 50)).toEqual(['the schema under “Fill” has changed']);
  });
});

describe('a step that is not what it was', () => {
  it.each([
    [{ ownApproval: true }, /now has a vote of its own/],
    [{ effect: 'destroys' }, /“Fill” changes no longer: it destroys now/],
  ] as const)('%o', (over, text) => {
    expect(between(filled(), filled(over), 50)).toEqual([expect.stringMatching(text)]);
  });

  it('no longer has the vote of its own that people counted on', () => {
    expect(between(filled({ ownApproval: true }), filled(), 50)).toEqual([
      expect.stringMatching(/no longer has a vote/),
    ]);
  });
});

describe('counts that are lower bounds', () => {
  const bound = { exact: false, count: 1_000 };

  it('were signed as such, so that any number is fine and nothing caps it', () => {
    expect(between(filled(bound), filled({ count: 90_000 }), 0)).toEqual([]);
    expect(capOf(filled(bound), 3)).toBeNull();
  });

  it('that come where a number was signed refuse only what is certainly too many', () => {
    expect(between(filled({ count: 1_000 }), filled({ ...bound, count: 400 }), 3)).toEqual([]);
    expect(between(filled({ count: 1_000 }), filled({ ...bound, count: 1_031 }), 3)).toHaveLength(1);
  });
});

describe('counts that move', () => {
  it.each([
    [1_000, 1_030, 3, true],
    [1_000, 970, 3, true],
    [1_000, 1_031, 3, false],
    [1_000, 969, 3, false],
    [10, 11, 3, true],
    [10, 12, 3, false],
    [0, 1, 3, true],
    [0, 2, 3, false],
    [1_000, 1_001, 0, false],
    [1_000, 1_000, 0, true],
  ])('signed %d, now %d, tolerance %d%%: %s', (signed, now, tolerance, fine) => {
    expect(between(filled({ count: signed }), filled({ count: now }), tolerance).length === 0).toBe(fine);
  });

  it('may not move for a step that destroys, and an equal count is not the same records', () => {
    expect(between(dropped(), dropped(), 50)).toEqual([]);
    expect(between(dropped(), dropped({ count: 101 }), 50)).toHaveLength(1);
    expect(between(dropped(), dropped({ keysHash: 'other' }), 50)).toEqual([
      '“Drop” would now destroy other records (100 signed, 100 now)',
    ]);
  });

  it('may move for an undo: what was written since is kept, not overwritten', () => {
    const undo = { mode: 'undo', undoes: { runId: 'run-1', stepId: 'data.fill' } } as const;
    expect(between(filled(undo), filled({ ...undo, count: 1 }), 0)).toEqual([]);
  });
});

describe('the cap of a step', () => {
  it.each([
    [filled({ count: 1_000 }), 3, 1_030],
    [filled({ count: 10 }), 3, 11],
    [filled({ count: 10 }), 0, 10],
    [filled({ count: 1_000, effect: 'adds' }), 50, 1_500],
    [dropped(), 50, 100],
    [filled({ effect: 'reads' }), 3, null],
    [filled({ mode: 'undo' }), 3, null],
  ])('of %#', (step, tolerance, cap) => {
    expect(capOf(step, tolerance)).toBe(cap);
  });

  it('is exactly what the comparison lets through', () => {
    fc.assert(
      fc.property(
        fc.nat(100_000),
        fc.nat(200_000),
        fc.integer({ min: 0, max: 50 }),
        fc.constantFrom('adds' as const, 'changes' as const, 'destroys' as const),
        (signed, now, tolerance, effect) => {
          const step = filled({ count: signed, effect });
          if (between(step, { ...step, count: now }, tolerance).length > 0) return;
          expect(now).toBeLessThanOrEqual(capOf(step, tolerance) as number);
          expect(capOf(step, tolerance)).toBeGreaterThanOrEqual(signed);
        },
      ),
    );
  });
});
