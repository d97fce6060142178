import fc from 'fast-check';
import {
  type AppliedMigration,
  judgeOrder,
  judgeRehearsal,
  type RecordedVersion,
  refuseEditedFile,
  systemsToRecord,
} from '../../src/migrations/ledger.ts';
import { Failure } from '../../src/shared/failure.ts';
import { sampleMigration } from './sample-migration.ts';

const migration = sampleMigration();
const applied = (over: Partial<AppliedMigration> = {}): AppliedMigration => ({
  runId: 'run-1',
  contentHash: migration.contentHash,
  at: '2026-11-20T10:00:00.000Z',
  canary: null,
  ...over,
});
const at = (version: string | null, system = 'graph', touched = true): RecordedVersion => ({
  system,
  touched,
  recorded: version === null ? null : { version, runId: 'run-0', at: '2026-11-01T00:00:00.000Z' },
});

function refusal(of: readonly AppliedMigration[]): Failure | null {
  try {
    refuseEditedFile(migration, of);
    return null;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

describe('a migration that was applied', () => {
  it('is refused with another content, by the run, its time and what to do', () => {
    const failure = refusal([applied(), applied({ runId: 'run-7', contentHash: 'b' })]);
    expect(failure).toMatchObject({ code: 'content-changed', retryable: false });
    expect(failure?.message).toContain('run-7 applied on 2026-11-20 10:00 UTC');
    expect(failure?.advice).toContain('/tas rollback run-7');
  });

  it('is refused with another content after a canary too, which holds the old one', () => {
    expect(refusal([applied({ contentHash: 'b', canary: 'tenant_1' })])?.message).toContain('for the canary tenant_1');
  });

  it('is refused exactly where one of the runs that stand had another content', () => {
    const runs = fc.array(
      fc.record({ contentHash: fc.constantFrom(migration.contentHash, 'b', 'c'), canary: fc.constantFrom(null, 'x') }),
    );
    fc.assert(
      fc.property(runs, (list) => {
        const other = list.some(({ contentHash }) => contentHash !== migration.contentHash);
        expect(refusal(list.map((run) => applied(run))) !== null).toBe(other);
      }),
    );
  });
});

describe('the order of migrations', () => {
  it('holds where every system that is touched is at from', () => {
    expect(judgeOrder(migration, [at('1.0'), at('1.0', 'relational')], [])).toMatchObject([{ status: 'passed' }]);
  });

  it('warns where nothing was recorded yet, and names the systems', () => {
    expect(judgeOrder(migration, [at(null), at('1.0', 'relational')], [])).toMatchObject([
      { check: 'data-model-unknown', status: 'warning', count: 1, samples: ['graph'] },
    ]);
  });

  it('fails at another version, with both versions', () => {
    const [finding] = judgeOrder(migration, [at('3.0'), at('1.0', 'relational')], [applied()]);
    expect(finding).toMatchObject({ status: 'failed', count: 1, samples: ['graph: 3.0 since run-0'] });
    expect(finding?.title).toContain('from 1.0 to 2.0');
  });

  it('takes its own to for its turn only where it was applied here, and not to a canary alone', () => {
    const statusAt = (runs: readonly AppliedMigration[]) => judgeOrder(migration, [at('2.0')], runs)[0]?.status;
    expect(statusAt([applied()])).toBe('passed');
    expect(statusAt([])).toBe('failed');
    expect(statusAt([applied({ canary: 'tenant_1' })])).toBe('failed');
  });

  it('only warns of a system that it does not touch, and leaves the record of that one alone', () => {
    const versions = [at('1.0'), at('3.0', 'objects', false), at(null, 'vectors', false)];
    expect(judgeOrder(migration, versions, [])).toMatchObject([
      { status: 'warning', samples: ['objects: 3.0 since run-0'] },
    ]);
    expect(systemsToRecord(migration, versions).map(({ system }) => system)).toEqual(['graph', 'vectors']);
  });

  it('never lets a step go back or skip one: what passes is at from, unknown, or at the end of this very migration', () => {
    const version = fc.constantFrom(null, '0.9', '1.0', '2.0', '3.0');
    fc.assert(
      fc.property(fc.array(version, { minLength: 1, maxLength: 4 }), fc.boolean(), (versions, before) => {
        const findings = judgeOrder(
          migration,
          versions.map((each, index) => at(each, `s${index}`)),
          before ? [applied()] : [],
        );
        const good = versions.every((each) => each === null || each === '1.0' || (before && each === '2.0'));
        expect(findings.some(({ status }) => status === 'failed')).toBe(!good);
      }),
    );
  });
});

describe('a rehearsal', () => {
  const rehearsal = {
    environment: 'staging',
    runId: 'run-1',
    at: '2026-11-20T10:00:00.000Z',
    seconds: 245,
    undoneBy: 'run-2',
    undoSeconds: 130,
  };

  it('is named with its run, its time and how long both ways took', () => {
    const [finding] = judgeRehearsal(rehearsal, true);
    expect(finding).toMatchObject({ check: 'rehearsed', status: 'passed' });
    expect(finding?.title).toContain('run-1 on 2026-11-20 10:00 UTC in 4 min 5 s, undone by run-2 in 2 min 10 s');
  });

  it('is missed in production only', () => {
    expect(judgeRehearsal(null, true)).toMatchObject([{ status: 'warning' }]);
    expect(judgeRehearsal(null, false)).toEqual([]);
    expect(judgeRehearsal(rehearsal, false)).toHaveLength(1);
  });
});
