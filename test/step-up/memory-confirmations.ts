import type { Confirmation, ConfirmationStore, Login, NewConfirmation } from '../../src/step-up/confirmation.ts';

type Kept = { -readonly [Key in keyof Confirmation]: Confirmation[Key] } & { tokenHash: string; login: Login | null };

/** Confirmations in memory, by the rules of the real store. */
export class MemoryConfirmations implements ConfirmationStore {
  readonly kept: Kept[] = [];

  async add({ askedAt: _, ...asked }: NewConfirmation): Promise<void> {
    for (const one of this.kept) {
      const same = one.runId === asked.runId && one.digest === asked.digest && one.person.id === asked.person.id;
      if (same && one.state === 'open') one.state = 'replaced';
    }
    this.kept.push({ ...asked, state: 'open', begunAt: null, login: null });
  }

  async find(tokenHash: string): Promise<Confirmation | null> {
    return this.kept.find((one) => one.tokenHash === tokenHash) ?? null;
  }

  async begin(tokenHash: string, login: Login, now: Date): Promise<Confirmation | null> {
    const one = this.kept.find((each) => each.tokenHash === tokenHash);
    if (one?.state !== 'open' || one.expiresAt <= now) return null;
    return Object.assign(one, { login, begunAt: now });
  }

  async claim({ loginHash, browserHash }: Login, now: Date): Promise<Confirmation | null> {
    const one = this.kept.find(({ login }) => login?.loginHash === loginHash && login.browserHash === browserHash);
    if (one?.state !== 'open' || one.expiresAt <= now) return null;
    return Object.assign(one, { login: null });
  }

  async prove(id: string, now: Date): Promise<boolean> {
    const one = this.kept.find((each) => each.id === id);
    if (one?.state !== 'open' || one.expiresAt <= now) return false;
    one.state = 'proven';
    return true;
  }

  async refuse(id: string): Promise<void> {
    const one = this.kept.find((each) => each.id === id);
    if (one?.state === 'open' || one?.state === 'proven') one.state = 'refused';
  }
}
