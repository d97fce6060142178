import { mkdir, open, readFile, rm, stat, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupContext, BackupPart } from '../../src/systems/system.ts';
import { type ContractSetting, expectClean, failureOf, need, undoOf } from './contract-subject.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll } from './step-contexts.ts';

/** Backup, change, restore; and what a damaged backup may not do. */
export function testBackup({ subject, folder, again, fingerprint }: ContractSetting): void {
  const context = (): BackupContext => ({
    objectsFolder: join(folder(), 'objects'),
    signal: AbortSignal.timeout(120_000),
    progress: () => {},
  });

  const take = async (name: string): Promise<{ part: BackupPart; at: string }> => {
    const at = join(folder(), name);
    await mkdir(join(folder(), 'objects'), { recursive: true });
    await mkdir(at);
    return { part: await need(subject().system, 'backup')(at, context()), at };
  };

  it('gives back what it held, after users changed it and over another connection', async () => {
    if (!subject().system.restore) return;
    const before = await fingerprint();
    const { part, at } = await take('set');
    expect(part.fingerprint).toEqual(before);
    expect(await fingerprint()).toEqual(before);
    expect(part.files.length).toBeGreaterThan(0);
    for (const file of part.files) expect((await stat(join(at, file.path))).size).toBe(file.bytes);
    await subject().change();
    expect((await fingerprint()).hash).not.toBe(before.hash);
    const identity = await subject().system.identity();
    expect(await need(await again(), 'restore')(part, at, context())).toEqual(before);
    expect(await fingerprint()).toEqual(before);
    expect(await subject().system.identity()).toBe(identity);
    expect(await need(subject().system, 'restore')(part, at, context())).toEqual(before);
  });

  it('still works after a restore: a step and its undo', async () => {
    const [example] = subject().examples;
    if (!subject().system.restore || !example) return;
    const { part, at } = await take('set');
    await subject().change();
    const restored = await need(subject().system, 'restore')(part, at, context());
    await subject().system.advanceFence?.({ environment: 'test', token: 9 });
    const fence = { environment: 'test', token: 9 };
    const kind = kindOf(subject().system, example.kind);
    const results = await performAll(kind, example.input, stepContext({ runId: 'later', fence }), 1000);
    expect(sumDone(results)).toBe(example.count);
    if (!kind.undoBatch) return;
    expectClean(await undoAll(kind, example.input, { ...undoOf('later'), fence }), example);
    expect(await fingerprint()).toEqual(restored);
  });

  it('refuses a damaged backup, whatever file is changed, cut short or missing, and leaves the store alone', async () => {
    if (!subject().system.restore) return;
    const { part, at } = await take('set');
    await subject().change();
    const before = await fingerprint();
    const restore = () => need(subject().system, 'restore')(part, at, context());
    for (const file of part.files) {
      const path = join(at, file.path);
      const content = await readFile(path);
      for (const damage of file.bytes > 0 ? [flipByte, cutShort, unlink] : [unlink]) {
        await damage(path);
        expect((await failureOf(restore)).code).toBe('corrupt-backup');
        expect(await fingerprint()).toEqual(before);
        await rm(path, { force: true });
        const handle = await open(path, 'wx');
        await handle.writeFile(content);
        await handle.close();
      }
    }
    expect(
      (await failureOf(() => need(subject().system, 'restore')({ ...part, format: 'other/9' }, at, context()))).code,
    ).toBe('corrupt-backup');
    expect(await fingerprint()).toEqual(before);
  });
}

async function flipByte(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  const at = Math.floor((await handle.stat()).size / 2);
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  await handle.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, at);
  await handle.close();
}

async function cutShort(path: string): Promise<void> {
  await truncate(path, Math.floor((await stat(path)).size / 2));
}
