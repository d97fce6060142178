import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { createSeal } from '../../src/shared/sealed.ts';

const key = randomBytes(32);
const seal = createSeal(key);
const label = 'run-1/data.fill/0';

describe('a sealed body', () => {
  it('opens to what was sealed, whatever it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 4_000 }), fc.string(), async (plain, place) => {
        const opened = await seal.open(await seal.seal(plain, place), place);
        expect(Buffer.compare(opened, Buffer.from(plain))).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('shows nothing of its content and never looks the same twice', async () => {
    const plain = Buffer.from('alice@example.org '.repeat(100));
    const [first, second] = [await seal.seal(plain, label), await seal.seal(plain, label)];
    expect(first.includes('alice')).toBe(false);
    expect(first.length).toBeLessThan(plain.length);
    expect(Buffer.compare(first, second)).not.toBe(0);
  });

  it('does not open in another place', async () => {
    const sealed = await seal.seal(Buffer.from('x'), label);
    await expect(seal.open(sealed, 'run-1/data.fill/1')).rejects.toThrow(/authenticate/);
    await expect(seal.open(sealed, '')).rejects.toThrow(/authenticate/);
  });

  it('does not open under another key', async () => {
    const sealed = await seal.seal(Buffer.from('x'), label);
    await expect(createSeal(randomBytes(32)).open(sealed, label)).rejects.toThrow(/authenticate/);
  });

  it('does not open when any part of it is missing', async () => {
    const sealed = await seal.seal(Buffer.from('some records'), label);
    for (let length = 0; length < sealed.length; length += 1) {
      await expect(seal.open(sealed.subarray(0, length), label)).rejects.toThrow();
    }
  });

  it('does not open when any bit of it was changed', async () => {
    const sealed = await seal.seal(Buffer.from('some records'), label);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(seal.open(changed, label)).rejects.toThrow();
    }
  });

  it('names the version that it does not know', async () => {
    const sealed = await seal.seal(Buffer.from('x'), label);
    sealed[0] = 9;
    await expect(seal.open(sealed, label)).rejects.toThrow('version 9');
  });

  it('needs a key of 32 bytes', () => {
    expect(() => createSeal(randomBytes(16))).toThrow('32 bytes');
    expect(() => createSeal(new Uint8Array())).toThrow('32 bytes');
  });
});
