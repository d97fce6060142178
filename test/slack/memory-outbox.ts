import type { ButtonMeaning, Outbox } from '../../src/slack/outbox.ts';

/** An outbox that outlives the front that uses it, as the database does. */
export class MemoryOutbox implements Outbox {
  at = 0;
  readonly posts = new Map<string, { channel: string; ts: string | null }>();
  readonly buttons = new Map<string, ButtonMeaning>();
  readonly groups = new Map<string, readonly string[]>();
  /** Called before a post is finished: a test throws here to die between post and record. */
  beforeFinish: (name: string) => void = () => {};

  async cursor(): Promise<number> {
    return this.at;
  }
  async moveCursor(eventId: number): Promise<void> {
    this.at = Math.max(this.at, eventId);
  }
  async post(runId: string, name: string): Promise<{ channel: string; ts: string | null } | null> {
    return this.posts.get(`${runId}/${name}`) ?? null;
  }
  async beginPost(runId: string, name: string, channel: string): Promise<void> {
    if (!this.posts.has(`${runId}/${name}`)) this.posts.set(`${runId}/${name}`, { channel, ts: null });
  }
  async finishPost(runId: string, name: string, ts: string): Promise<void> {
    this.beforeFinish(name);
    const post = this.posts.get(`${runId}/${name}`);
    if (post !== undefined) post.ts = ts;
  }
  async saveButton(token: string, meaning: ButtonMeaning): Promise<void> {
    if (!this.buttons.has(token)) this.buttons.set(token, meaning);
  }
  async button(token: string): Promise<ButtonMeaning | null> {
    return this.buttons.get(token) ?? null;
  }
  async saveMembers(group: string, users: readonly string[]): Promise<void> {
    this.groups.set(group, users);
  }
  async members(group: string): Promise<readonly string[]> {
    return this.groups.get(group) ?? [];
  }
}
