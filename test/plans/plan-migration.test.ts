import { createMigrationKinds } from '../../src/migrations/kinds.ts';
import type { MigrationLedger } from '../../src/migrations/ledger.ts';
import type { Migration, MigrationStep } from '../../src/migrations/migration.ts';
import type { Environment } from '../../src/plans/environment.ts';
import type { Plan, PlanStep } from '../../src/plans/plan.ts';
import { planMigration } from '../../src/plans/plan-migration.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { Failure } from '../../src/shared/failure.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import type { Finding } from '../../src/systems/finding.ts';
import { createMemorySystem, type MemorySystem } from '../../src/systems/memory/memory-system.ts';
import type { PreflightNeeds, StepKind, System } from '../../src/systems/system.ts';
import { emptyLedger, sampleMigration } from '../migrations/sample-migration.ts';
import { failureOf } from '../systems/contract-subject.ts';

const seal = createSeal(Buffer.alloc(32, 7));
const fence = { environment: 'test', token: 1 };

interface World {
  readonly people: MemorySystem;
  readonly places: MemorySystem;
  readonly needs: { system: string; needs: PreflightNeeds }[];
  environment(over?: Partial<Environment>): Environment;
  plan(migration?: Partial<Migration>, over?: Partial<Environment>, canary?: string | null): Promise<Plan>;
}

const fill: MigrationStep = {
  id: 'fill',
  title: 'Give users a tenant',
  system: 'people',
  use: 'memory.set-fields',
  with: { collection: 'User', where: { field: 'tenant', equals: null }, set: { tenant: 't' } },
};
const drop: MigrationStep = {
  id: 'drop',
  title: 'Drop the nameless',
  system: 'people',
  use: 'memory.delete-records',
  with: { collection: 'User', where: { field: 'name', equals: null } },
};

/** Memory's kind with one condition, which a canary takes the place of; `User` alone has records of its own. */
function narrowing(kind: StepKind): StepKind {
  if (kind.name !== 'memory.set-fields') return kind;
  return {
    ...kind,
    narrow(input, canaryOf) {
      const { collection, set } = input as { collection: string; set: { [field: string]: string } };
      if (collection === 'Schema') return null;
      // Looks users up, as a step does whose values come from another collection.
      if (collection === 'Copy') canaryOf('people', 'User');
      const predicate = canaryOf(null, collection);
      const equals = /"(.*)"/.exec(predicate ?? '')?.[1] ?? 'nobody';
      return { collection, set, ...(predicate === null ? {} : { where: { field: 'id', equals } }) };
    },
  };
}

function openWorld(): World {
  const records = {
    User: [
      { id: 'u-1', name: 'a' },
      { id: 'u-2', name: 'b' },
    ],
    Schema: [{ id: 's' }],
  };
  const people = createMemorySystem({ name: 'people', seal, records });
  const places = createMemorySystem({ name: 'places', seal });
  const needs: World['needs'] = [];
  const asking = (system: MemorySystem): System => ({
    ...system,
    kinds: system.kinds.map(narrowing),
    async preflight(asked) {
      needs.push({ system: system.name, needs: asked });
      return system.preflight(asked);
    },
  });
  const { dataModel: _, backup: __, ...plain } = createMemorySystem({ name: 'plain', seal });
  const systems = new Map<string, System>([
    ['people', asking(people)],
    ['places', asking(places)],
    ['plain', plain],
  ]);
  const environment = (over: Partial<Environment> = {}): Environment => ({
    name: 'staging',
    production: false,
    channel: 'x',
    systems,
    ownKinds: [
      ...createMigrationKinds({ systems, ledger: emptyLedger, clock: systemClock }),
      reading('backup.take-part'),
      reading('backup.seal-set'),
      reading('checks.run'),
    ],
    votesRequired: 1,
    expiresMinutes: 60,
    tolerancePercent: 3,
    holdDays: 14,
    shown: new Set(),
    configHash: 'config',
    migrations: async () => new Map(),
    checks: async () => new Map(),
    ledger: emptyLedger,
    backupRoom: async () => ({ free: 10_000_000, lastSet: 1_000_000 }),
    ...over,
  });
  return {
    people,
    places,
    needs,
    environment,
    async plan(migration = {}, over = {}, canary = null) {
      const whole = sampleMigration({ phases: { data: [fill] }, ...migration });
      const migrations = async () => new Map([[whole.id, whole]]);
      return planMigration(environment({ migrations, ...over }), whole.id, 'bak-1', canary);
    },
  };
}

/** The backup's and the checks' kinds have tests of their own. */
function reading(name: string): StepKind {
  const [set] = createMemorySystem({ name, seal }).kinds as [StepKind];
  return {
    ...set,
    name,
    effect: 'reads',
    input: { safeParse: (data: unknown) => ({ success: true, data }) } as StepKind['input'],
    preview: async () => set.preview({ collection: 'none', set: {} }, {} as never),
  };
}

const stepsOf = (plan: Plan): PlanStep[] => plan.stages.flatMap((stage) => stage.steps);
const finding = (plan: Plan, check: string): Finding | undefined => plan.findings.find((each) => each.check === check);
const ledgerWith = (over: Partial<MigrationLedger>): MigrationLedger => ({ ...emptyLedger, ...over });
const applied = { runId: 'run-1', contentHash: 'a'.repeat(64), at: '2026-11-20T10:00:00.000Z', canary: null };

describe('the plan of a migration', () => {
  it('records the new data-model version last of all, in every system that can, each with what it held', async () => {
    const { plan, places } = openWorld();
    const before = { version: '1.0', runId: 'run-0', at: '2026-01-01T00:00:00.000Z' };
    await places.dataModel.write(before, fence);
    const made = await plan({ verify: ['some'] });
    expect(made.stages.map(({ id }) => id)).toEqual(['backup', 'data', 'validate', 'version']);
    expect(made.stages.at(-1)?.title).toBe('Record the data-model version');
    expect(stepsOf(made).slice(-2)).toMatchObject([
      { id: 'version.people', system: null, input: { system: 'people', version: '2.0', from: null }, count: 1 },
      { id: 'version.places', system: null, input: { system: 'places', version: '2.0', from: before }, count: 1 },
    ]);
    expect(made.undoClass).toBe('reversible');
  });

  it('changes nothing where the data and the version are there already', async () => {
    const { plan, people, places } = openWorld();
    for (const system of [people, places]) {
      await system.dataModel.write({ version: '2.0', runId: 'run-1', at: '2026-11-20T10:00:00.000Z' }, fence);
    }
    for (const id of ['u-1', 'u-2']) people.put('User', { id, tenant: 't' });
    const made = await plan({}, { ledger: ledgerWith({ applied: async () => [applied] }) });
    expect(made.totals).toEqual({ adds: 0, changes: 0, destroys: 0 });
    expect(finding(made, 'data-model-version')?.status).toBe('passed');
  });

  it('is refused, without a look at its steps, where a system that it touches is at another version', async () => {
    const { plan, people } = openWorld();
    await people.dataModel.write({ version: '3.0', runId: 'run-9', at: '2026-11-20T10:00:00.000Z' }, fence);
    const made = await plan();
    expect(finding(made, 'data-model-version')).toMatchObject({
      status: 'failed',
      samples: ['people: 3.0 since run-9'],
    });
    expect(made.stages).toEqual([]);
  });

  it('is refused as content-changed where it was applied with another content', async () => {
    const { plan } = openWorld();
    const ledger = ledgerWith({ applied: async () => [{ ...applied, contentHash: 'b' }] });
    expect(await failureOf(() => plan({}, { ledger }))).toMatchObject({ code: 'content-changed' });
  });

  it('says who wrote the file, as they ask for it too', async () => {
    const world = openWorld();
    expect(await world.plan()).not.toHaveProperty('alsoAskedBy');
    expect((await world.plan({ authors: [] })).alsoAskedBy).toBeUndefined();
    expect((await world.plan({ authors: ['UDORA', 'UERIN'] })).alsoAskedBy).toEqual(['UDORA', 'UERIN']);
  });

  it('is refused with the problem that its file has in this environment', async () => {
    const problem = new Failure({
      code: 'invalid-file',
      message: 'm.yaml, line 3: no.',
      advice: 'Nothing was changed.',
    });
    expect(await failureOf(() => openWorld().plan({ problem }))).toBe(problem);
  });

  it('asks each system that it touches for what it needs there, and no other', async () => {
    const { plan, needs } = openWorld();
    const made = await plan({ phases: { data: [fill, drop] } });
    const bytes = stepsOf(made).reduce((sum, step) => sum + (step.system === 'people' ? step.bytes : 0), 0);
    expect(needs).toEqual([
      { system: 'people', needs: { uses: ['memory.set-fields', 'memory.delete-records'], bytes } },
    ]);
    expect(bytes).toBeGreaterThan(0);
  });

  it('takes over what a system finds at its preflight, under the name of the system', async () => {
    const { plan, environment } = openWorld();
    const found: Finding = { check: 'disk', title: 'Disk is short', status: 'failed', count: null, samples: [] };
    const systems = new Map(environment().systems);
    systems.set('people', { ...(systems.get('people') as System), preflight: async () => [found] });
    expect(finding(await plan({}, { systems }), 'people-disk')).toMatchObject({
      status: 'failed',
      title: 'Disk is short',
    });
  });

  it.each([
    ['refuses where less than twice the last backup is free', 1_999_999, 1_000_000, 'failed'],
    ['passes where twice of it is free', 2_000_000, 1_000_000, 'passed'],
    ['says that it does not know before the first backup', 1, null, 'skipped'],
  ] as const)('%s', async (_what, free, lastSet, status) => {
    const made = await openWorld().plan({}, { backupRoom: async () => ({ free, lastSet }) });
    expect(finding(made, 'backup-room')?.status).toBe(status);
    expect(made.stages.length === 0).toBe(status === 'failed');
  });

  it('warns in production of what was not rehearsed, by this very content', async () => {
    const asked: string[] = [];
    const ledger = ledgerWith({
      rehearsal: async (contentHash) => {
        asked.push(contentHash);
        return null;
      },
    });
    expect(finding(await openWorld().plan({}, { ledger, production: true }), 'rehearsed')?.status).toBe('warning');
    expect(finding(await openWorld().plan({}, { ledger }), 'rehearsed')).toBeUndefined();
    expect(asked).toEqual(['a'.repeat(64), 'a'.repeat(64)]);
  });
});

describe('a canary', () => {
  const canary = { 'people:User': 'id = "$canary"' };
  const schema = { ...fill, id: 'schema', title: 'Schema', with: { collection: 'Schema', set: { x: 1 } } };
  const other = { ...fill, id: 'other', title: 'Fill the others', with: { collection: 'Other', set: { x: 1 } } };
  const copy = { ...fill, id: 'copy', title: 'Fill the copies', with: { collection: 'Copy', set: { x: 1 } } };

  it('narrows what can be narrowed, carries schema out as it is, and leaves the rest out with a word about it', async () => {
    const made = await openWorld().plan(
      { canary, phases: { data: [fill, schema, drop], storage: [other, copy] } },
      {},
      'u-1',
    );
    expect(made).toMatchObject({ canary: 'u-1', title: 'Give users a tenant, canary u-1' });
    expect(made.stages.map(({ id }) => id)).toEqual(['backup', 'data']);
    expect(stepsOf(made).filter(({ effect }) => effect !== 'reads')).toMatchObject([
      { id: 'data.fill', count: 1, input: { where: { field: 'id', equals: 'u-1' } } },
      { id: 'data.schema', count: 1 },
    ]);
    expect(finding(made, 'canary-left-out')).toMatchObject({
      status: 'skipped',
      count: 3,
      samples: ['Drop the nameless', 'Fill the others', 'Fill the copies'],
    });
  });

  it('says that the checks look at everything', async () => {
    const made = await openWorld().plan({ canary, verify: ['some'] }, {}, 'u-1');
    expect(made.stages.map(({ id }) => id)).toEqual(['backup', 'data', 'validate']);
    expect(finding(made, 'canary-checks')?.status).toBe('skipped');
  });

  it.each(["x' OR 1=1", 'a--b', '', 'x'.repeat(81), 'a b', 'ä', '$canary', 'a\n', '"'])(
    'is refused for the name %j, before any store is asked',
    async (name) => {
      const world = openWorld();
      world.people.setReachable(false);
      expect(await failureOf(() => world.plan({ canary }, {}, name))).toMatchObject({ code: 'wrong-use' });
    },
  );

  it('is refused where the file declares none, and where no step can be narrowed', async () => {
    const { plan } = openWorld();
    expect(await failureOf(() => plan({}, {}, 'u-1'))).toMatchObject({ code: 'precondition-failed' });
    expect(await failureOf(() => plan({ canary, phases: { data: [drop] } }, {}, 'u-1'))).toMatchObject({
      code: 'precondition-failed',
      message: expect.stringContaining('no step that can be narrowed'),
    });
  });
});
