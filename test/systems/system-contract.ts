import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { System } from '../../src/systems/system.ts';
import { testBackup } from './backup-contract.ts';
import {
  type ContractSetting,
  type ContractSubject,
  expectClean,
  failureOf,
  type KindExample,
  need,
  undoOf,
} from './contract-subject.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll } from './step-contexts.ts';

/** The one suite that every system passes. */
export function describeSystemContract(name: string, make: () => Promise<ContractSubject>): void {
  describe(`${name} keeps the contract of systems`, () => {
    let subject: ContractSubject;
    let folder: string;
    const opened: System[] = [];

    beforeEach(async () => {
      subject = await make();
      folder = await mkdtemp(join(tmpdir(), 'tas-contract-'));
    });

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((system) => system.close()));
      await subject.close();
      await rm(folder, { recursive: true, force: true });
    });

    const again = async (): Promise<System> => {
      if (!subject.reopen) return subject.system;
      const system = await subject.reopen();
      opened.push(system);
      return system;
    };

    const setting: ContractSetting = {
      subject: () => subject,
      folder: () => folder,
      again,
      fingerprint: () => need(subject.system, 'fingerprint')(),
      track: (system) => {
        opened.push(system);
        return system;
      },
    };
    testServer(setting);
    testReading(setting);
    testKinds(setting);
    testFence(setting);
    testBackup(setting);
  });
}

function testServer({ subject, again, track }: ContractSetting): void {
  it('says the same identity over and over, over another connection too', async () => {
    const identity = await subject().system.identity();
    expect(identity).not.toBe('');
    expect(await subject().system.identity()).toBe(identity);
    expect(await (await again()).identity()).toBe(identity);
  });

  it('is healthy and tells its version', async () => {
    const health = await subject().system.checkHealth();
    expect(health.up).toBe(true);
    expect(health.version).toBeTruthy();
    expect(health.latencyMs).toBeGreaterThanOrEqual(0);
  });

  it('names kinds by its type and gives each an undo of both parts or of none', () => {
    for (const kind of subject().system.kinds) {
      expect(kind.name.startsWith(`${subject().system.type}.`)).toBe(true);
      expect(kind.previewUndo === undefined).toBe(kind.undoBatch === undefined);
    }
  });

  it('refuses a wrong password, and an absent server, without showing the password', async () => {
    const { refused } = subject();
    if (!refused) return;
    const wrong = track(refused.wrongPassword());
    const absent = track(refused.unreachable());
    for (const [system, code] of [
      [wrong, 'wrong-password'],
      [absent, 'unreachable'],
    ] as const) {
      const failure = await failureOf(() => need(system, 'fingerprint')());
      expect(failure.code).toBe(code);
      expect(`${failure.message} ${failure.advice} ${JSON.stringify(failure)}`).not.toContain(refused.password);
      const health = await system.checkHealth();
      expect(health).toMatchObject({ up: false });
      expect(health.note ?? '').not.toContain(refused.password);
    }
  });
}

function testReading({ subject }: ContractSetting): void {
  it('looks up the keys that are there and leaves out the others', async () => {
    const { system, reading } = subject();
    if (!reading) return;
    const [first, second] = reading.keys as [string, string];
    const found = await need(system, 'lookup')(reading.lookup, [second, 'no such key', first]);
    expect(new Set(found.keys())).toEqual(new Set([first, second]));
    for (const row of found.values()) expect(Object.keys(row).sort()).toEqual([...reading.lookup.fields].sort());
    expect((await need(system, 'lookup')(reading.lookup, [])).size).toBe(0);
  });

  it('scans in the order of keys, from any key on, as far as it is asked', async () => {
    const { system, reading } = subject();
    if (!reading) return;
    const scan = need(system, 'scan');
    expect(await keysOf(scan(reading.scan))).toEqual(reading.keys);
    const [first, ...rest] = reading.keys as [string, ...string[]];
    expect(await keysOf(scan({ ...reading.scan, after: first }))).toEqual(rest);
    expect(await keysOf(scan({ ...reading.scan, after: reading.keys.at(-1) ?? '' }))).toEqual([]);
    expect(await keysOf(scan({ ...reading.scan, where: reading.where.text }))).toEqual(reading.where.keys);
    for await (const row of scan(reading.scan)) {
      expect(Object.keys(row.values).sort()).toEqual([...reading.scan.fields].sort());
      break;
    }
  });

  it('counts as its fingerprint does', async () => {
    const { system } = subject();
    if (!system.counts) return;
    expect(await system.counts()).toEqual((await need(system, 'fingerprint')()).counts);
  });

  it('counts the rows of a reading statement, and refuses what it cannot read or what would write', async () => {
    const { system, statements } = subject();
    if (!statements) return;
    const violations = need(system, 'violations');
    const found = await violations(statements.finds.text);
    expect(found.count).toBe(statements.finds.count);
    expect(found.samples.length).toBe(Math.min(5, found.count));
    expect(await violations(statements.findsNothing)).toEqual({ count: 0, samples: [] });
    expect((await failureOf(() => violations(statements.unreadable))).code).toBe('invalid-statement');
    if (!statements.writes) return;
    const before = await need(system, 'fingerprint')();
    await failureOf(() => violations(statements.writes ?? ''));
    expect(await need(system, 'fingerprint')()).toEqual(before);
  });
}

function testKinds({ subject, again, fingerprint }: ContractSetting): void {
  const eachExample = async (test: (example: KindExample, round: number) => Promise<void>): Promise<void> => {
    expect(subject().examples.length > 0).toBe(subject().system.kinds.length > 0);
    for (const [round, example] of subject().examples.entries()) await test(example, round);
  };
  const size = (example: KindExample): number => (example.ofSchema ? 1000 : Math.ceil(example.count / 2));

  it('previews exactly and writes nothing by it', async () => {
    const before = await fingerprint();
    await eachExample(async (example) => {
      const kind = kindOf(subject().system, example.kind);
      const input = kind.input.parse(example.input);
      const preview = await kind.preview(input, stepContext({ runId: 'preview' }));
      expect({ kind: example.kind, count: preview.count, exact: preview.exact }).toEqual({
        kind: example.kind,
        count: example.count,
        exact: true,
      });
      expect(preview.samples.length).toBeLessThanOrEqual(5);
      expect(preview.findings.filter((finding) => finding.status === 'failed')).toEqual([]);
      const second = await kind.preview(input, stepContext({ runId: 'preview' }));
      expect([second.keysHash, second.schemaHash]).toEqual([preview.keysHash, preview.schemaHash]);
      if (kind.effect === 'destroys') expect(preview.keysHash).toMatch(/^[0-9a-f]{64}$/);
      expect(kind.describe(input)).not.toBe('');
    });
    expect(await fingerprint()).toEqual(before);
  });

  it('performs, performs again without doing it twice, undoes, undoes the undo, and undoes once more', async () => {
    await eachExample(async (example, round) => {
      const kind = kindOf(subject().system, example.kind);
      const before = await fingerprint();
      const first = stepContext({ runId: `run-${round}` });
      const results = await performAll(kind, example.input, first, size(example));
      expect({ kind: example.kind, done: sumDone(results) }).toEqual({ kind: example.kind, done: example.count });
      if (!example.ofSchema) expect(results.filter((result) => result.done > 0).length).toBeGreaterThan(1);
      const findings = (await kind.verify?.(kind.input.parse(example.input), first)) ?? [];
      expect(findings.filter((finding) => finding.status === 'failed')).toEqual([]);
      const after = await fingerprint();
      expect(after.hash).not.toBe(before.hash);

      const second = await performAll(kind, example.input, stepContext({ runId: `again-${round}` }), size(example));
      expect({ kind: example.kind, again: sumDone(second) }).toEqual({
        kind: example.kind,
        again: example.countAgain ?? 0,
      });
      if (!kind.undoBatch) return;
      if (example.countAgain) await undoAll(kind, example.input, undoOf(`again-${round}`));
      expect(await fingerprint()).toEqual(after);

      const undo = undoOf(`run-${round}`);
      const preview = await kind.previewUndo?.(kind.input.parse(example.input), undo);
      expect(preview?.count).toBe(example.count);
      expect(await fingerprint()).toEqual(after);
      expectClean(await undoAll(kind, example.input, undo), example);
      expect(await fingerprint()).toEqual(before);

      const redo = undoOf(undo.runId);
      expectClean(await undoAll(kind, example.input, redo), example);
      expect(await fingerprint()).toEqual(after);

      expectClean(await undoAll(kind, example.input, undoOf(redo.runId)), example);
      expect(await fingerprint()).toEqual(before);
    });
  });

  it('answers a batch that is called again as it did the first time, and changes nothing', async () => {
    await eachExample(async (example, round) => {
      const input = kindOf(subject().system, example.kind).input.parse(example.input);
      const batch = { index: 0, cursor: null, done: 0, size: size(example) };
      const environment = `repeat-${round}`;
      const context = stepContext({ runId: `repeat-${round}`, fence: { environment, token: 1 } });
      const first = await kindOf(subject().system, example.kind).performBatch(input, batch, context);
      const after = await fingerprint();
      const later = stepContext({ runId: `repeat-${round}`, fence: { environment, token: 2 } });
      expect(await kindOf(await again(), example.kind).performBatch(input, batch, later)).toEqual(first);
      expect(await fingerprint()).toEqual(after);

      const kind = kindOf(subject().system, example.kind);
      if (!kind.undoBatch) return;
      const undo = { ...undoOf(`repeat-${round}`), fence: later.fence };
      const undone = await kind.undoBatch(input, { ...batch, cursor: null }, undo);
      const back = await fingerprint();
      expect(await kindOf(await again(), example.kind).undoBatch?.(input, { ...batch, cursor: null }, undo)).toEqual(
        undone,
      );
      expect(await fingerprint()).toEqual(back);
    });
  });

  it('writes one batch once when two processes carry it out at the same time', async () => {
    await eachExample(async (example, round) => {
      const other = await again();
      const input = kindOf(other, example.kind).input.parse(example.input);
      const batch = { index: 0, cursor: null, done: 0, size: example.count + 10 };
      const context = stepContext({ runId: `both-${round}`, cap: example.count });
      const [one, two] = await Promise.all(
        [subject().system, other].map((system) => kindOf(system, example.kind).performBatch(input, batch, context)),
      );
      expect(one).toEqual(two);
      expect(one?.done).toBe(example.count);
      const kind = kindOf(subject().system, example.kind);
      if (kind.undoBatch) expectClean(await undoAll(kind, example.input, undoOf(`both-${round}`)), example);
    });
  });

  it('stops at the approved count', async () => {
    await eachExample(async (example, round) => {
      const kind = kindOf(subject().system, example.kind);
      const cap = example.count - 1;
      const context = stepContext({ runId: `capped-${round}`, cap });
      const before = await fingerprint();
      const failure = await failureOf(() => performAll(kind, example.input, context, example.count + 10));
      expect({ kind: example.kind, code: failure.code }).toEqual({ kind: example.kind, code: 'over-cap' });
      expect(await fingerprint()).toEqual(before);
    });
  });

  it('keeps what a user edited since, restores the rest, and tells both', async () => {
    for (const [round, example] of subject().examples.entries()) {
      if (!example.edit) continue;
      const kind = kindOf(subject().system, example.kind);
      await performAll(kind, example.input, stepContext({ runId: `edited-${round}` }), size(example));
      await example.edit.apply();
      const context = undoOf(`edited-${round}`);
      const results = await undoAll(kind, example.input, context);
      expect(results.reduce((sum, result) => sum + result.kept, 0)).toBe(1);
      const conflicts = await subject().system.journal?.conflicts(context.runId, context.stepId, 10);
      expect(conflicts).toEqual([expect.objectContaining({ field: example.edit.field, reason: 'changed-since' })]);
    }
  });

  it('leaves its own journal and fence out of what it says it holds', async () => {
    const before = await fingerprint();
    await eachExample(async (example, round) => {
      const kind = kindOf(subject().system, example.kind);
      if (!kind.undoBatch) return;
      await performAll(kind, example.input, stepContext({ runId: `journal-${round}` }), size(example));
      await undoAll(kind, example.input, undoOf(`journal-${round}`));
    });
    await subject().system.advanceFence?.({ environment: 'other', token: 7 });
    expect(await fingerprint()).toEqual(before);
  });
}

function testFence({ subject, again, fingerprint }: ContractSetting): void {
  it('refuses a process whose token is smaller than one it has seen', async () => {
    const { system, examples } = subject();
    const [example] = examples;
    if (!example || !system.advanceFence) return;
    const before = await fingerprint();
    const kind = kindOf(system, example.kind);
    const perform = (token: number, runId: string) =>
      performAll(kind, example.input, stepContext({ runId, fence: { environment: 'test', token } }), 1000);
    await system.advanceFence({ environment: 'test', token: 5 });
    await (await again()).advanceFence?.({ environment: 'test', token: 3 });
    expect((await failureOf(() => perform(4, 'late'))).code).toBe('fenced');
    expect(await fingerprint()).toEqual(before);
    expect(sumDone(await perform(6, 'current'))).toBe(example.count);
    expect((await failureOf(() => perform(5, 'overtaken'))).code).toBe('fenced');
  });
}

async function keysOf(rows: AsyncIterable<{ readonly key: string }>): Promise<string[]> {
  const keys: string[] = [];
  for await (const row of rows) keys.push(row.key);
  return keys;
}
