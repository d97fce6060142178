import { type EvidenceName, evidenceSeen } from '../../src/checklists/checklist-item.ts';
import { see } from '../../src/checklists/evidence.ts';
import type { BackupFact, StepFact } from '../../src/checklists/run-facts.ts';
import type { PlanStage } from '../../src/plans/plan.ts';
import type { Run } from '../../src/runs/run.ts';
import type { Finding } from '../../src/systems/finding.ts';
import { samplePlan, sampleRun, sampleStep } from '../sample-run.ts';

const step = (id: string, use: string, input = {}, effect: 'reads' | 'changes' = 'reads') =>
  sampleStep({ id, use, title: `Title of ${id}`, effect, input, samples: [] });
const stage = (id: string, ...steps: ReturnType<typeof step>[]): PlanStage => ({ id, title: id, always: false, steps });

const stages = [
  stage(
    'before',
    step('before.on', 'kubernetes.set-maintenance', { on: true }, 'changes'),
    step('before.stop-1', 'kubernetes.stop-services', {}, 'changes'),
    step('before.stop-2', 'kubernetes.stop-services', {}, 'changes'),
  ),
  stage('backup', step('backup.graph', 'backup.take-part'), step('backup.seal', 'backup.seal-set')),
  stage('data', step('data.fill', 'neo4j.set-properties', {}, 'changes')),
  stage(
    'services',
    step('services.image', 'kubernetes.set-image', {}, 'changes'),
    step('services.up', 'checks.health'),
  ),
  stage('validate', step('validate.checks', 'checks.run', { checks: ['one', 'two'] })),
  stage(
    'after',
    step('after.tests', 'kubernetes.run-job', {}, 'changes'),
    step('after.logs', 'kubernetes.check-logs'),
    step('after.workflow', 'http.run-workflow'),
    step('after.metrics', 'prometheus.compare-metrics'),
    step('after.off', 'kubernetes.set-maintenance', { on: false }, 'changes'),
  ),
];
const passed = (check: string): Finding => ({
  check,
  title: `Title of ${check}`,
  status: 'passed',
  count: 0,
  samples: [],
});
const plan = samplePlan({ stages, findings: [passed('data-model-version'), passed('rehearsed')] });
const at = '2026-11-20T10:10:00.000Z';

function run(done: 'all' | readonly string[] = 'all', over: Partial<Run> = {}): Run {
  const base = sampleRun({
    plan,
    status: 'running',
    backupId: 'bak-1',
    findings: [passed('one'), passed('two')],
    ...over,
  });
  return {
    ...base,
    steps: base.steps.map((fact) =>
      done === 'all' || done.includes(fact.stepId) ? { ...fact, state: 'done', endedAt: at } : fact,
    ),
  };
}

const backups: readonly BackupFact[] = [
  { id: 'bak-1', createdAt: '2026-11-20T10:00:00.000Z', proven: null },
  { id: 'bak-0', createdAt: '2026-11-19T10:00:00.000Z', proven: { at: '2026-11-19T12:00:00.000Z', seconds: 90 } },
];
const names = Object.keys(evidenceSeen) as EvidenceName[];

function change(facts: Run, stepId: string, over: Partial<StepFact>): Run {
  return { ...facts, steps: facts.steps.map((fact) => (fact.stepId === stepId ? { ...fact, ...over } : fact)) };
}

describe('what the bot sees of a run', () => {
  it('is all of it when all of it is done, with what and when', () => {
    for (const name of names)
      expect([name, see(name, run(), backups)]).toEqual([name, expect.objectContaining({ seen: true })]);
    expect(see('backup', run(), backups)).toEqual({ seen: true, at, text: 'bak-1, signed' });
    expect(see('backup-proven', run(), backups)).toMatchObject({
      at: '2026-11-19T12:00:00.000Z',
      text: 'bak-0, restored in 1 min 30 s',
    });
    expect(see('rehearsed', run(), backups)).toMatchObject({ text: 'Title of rehearsed' });
    expect(see('maintenance-on', run(), backups)).toMatchObject({ text: 'Title of before.on', at });
    expect(see('validation', run(), backups)).toMatchObject({ text: '2 of 2 checks passed' });
  });

  it('is nothing of what has not run yet, and what the plan says already', () => {
    const known = ['backup-proven', 'version-recorded', 'rehearsed', 'way-back'];
    for (const name of names) {
      expect([name, see(name, run([], { findings: [] }), backups).seen]).toEqual([name, known.includes(name)]);
    }
    expect(names.filter((name) => evidenceSeen[name] === 'start')).toEqual(known);
  });

  it('is not part of a run that has nothing of the sort', () => {
    const bare = sampleRun({ plan: samplePlan({ stages: [], findings: [] }) });
    const absent = names.filter((name) => see(name, bare, backups).seen === 'absent');
    expect(names.filter((name) => !absent.includes(name))).toEqual(['backup-proven', 'way-back']);
  });

  it('takes all steps of a kind, and says how many are left', () => {
    expect(see('services-stopped', run(['before.stop-1']), backups)).toEqual({
      seen: false,
      lost: false,
      text: '1 of 2 steps are done',
    });
    expect(see('maintenance-off', run(['before.on']), backups)).toEqual({ seen: false, lost: false, text: 'not yet' });
  });

  it('vanishes when a step fails, and when the run is undone', () => {
    const failed = change(run(), 'after.tests', { state: 'failed' });
    expect(see('integration-tests', failed, backups)).toEqual({
      seen: false,
      lost: true,
      text: 'failed: Title of after.tests',
    });
    const undone = run('all', { undoneBy: 'run-undo' });
    for (const name of [
      'migrations-run',
      'code-updated',
      'services-stopped',
      'validation',
      'consistency',
      'maintenance-on',
    ] as const) {
      expect([name, see(name, undone, backups)]).toEqual([
        name,
        { seen: false, lost: true, text: 'undone by run-undo' },
      ]);
    }
    for (const name of ['backup', 'rehearsed', 'way-back'] as const) expect(see(name, undone, backups).seen).toBe(true);
  });

  it('is no longer there with a backup set that is gone, or a finding that failed', () => {
    expect(see('backup', run(), backups.slice(1))).toEqual({
      seen: false,
      lost: true,
      text: 'bak-1 is no longer there',
    });
    const failed: Finding = { ...passed('two'), status: 'failed', count: 3 };
    const broken = run('all', { findings: [passed('one'), failed] });
    expect(see('validation', broken, backups)).toEqual({ seen: false, lost: true, text: 'failed: Title of two' });
    expect(see('consistency', broken, backups)).toMatchObject({ seen: false, lost: true });
  });

  it('is no proof where none was made, or where it is too old', () => {
    expect(see('backup-proven', run(), [])).toMatchObject({ seen: false, text: 'there is no backup yet' });
    expect(see('backup-proven', run(), backups.slice(0, 1))).toMatchObject({
      text: 'bak-1 was not restored and checked yet',
    });
    const old = [{ ...(backups[1] as BackupFact), createdAt: '2026-11-13T09:54:00.000Z' }];
    expect(see('backup-proven', run(), old)).toMatchObject({ seen: false, text: expect.stringContaining('7 days') });
  });

  it('is no way back where steps cannot be undone and nothing is backed up', () => {
    const oneWay = (some: readonly PlanStage[]) =>
      run('all', { plan: { ...plan, stages: some, undoClass: 'one-way' } });
    expect(see('way-back', oneWay(stages), backups)).toMatchObject({
      seen: true,
      text: expect.stringContaining('restoring the backup'),
    });
    expect(see('way-back', oneWay(stages.slice(2)), backups).seen).toBe(false);
  });

  it('is open where the rehearsal is missing and was looked for', () => {
    const warned = { ...passed('rehearsed'), status: 'warning' as const, title: 'Not rehearsed' };
    expect(see('rehearsed', run('all', { plan: { ...plan, findings: [warned] } }), backups)).toEqual({
      seen: false,
      lost: false,
      text: 'Not rehearsed',
    });
  });
});
