import type { Member } from '../../src/approvals/seniority.ts';
import type { ButtonMeaning, Outbox } from '../../src/slack/outbox.ts';

/** An outbox that outlives the front that uses it, as the database does. */
export class MemoryOutbox implements Outbox {
  at = 0;
  threadsAt = 0;
  readonly posts = new Map<string, { channel: string; ts: string | null }>();
  readonly buttons = new Map<string, ButtonMeaning>();
  readonly groups = new Map<string, readonly Member[]>();
  readonly #anew = new Set<string>();
  /** Called before a post is finished: a test throws here to die between post and record. */
  beforeFinish: (name: string) => void = () => {};

  async cursor(where: 'channel' | 'thread'): Promise<number> {
    return where === 'channel' ? this.at : this.threadsAt;
  }
  async moveCursor(where: 'channel' | 'thread', eventId: number): Promise<void> {
    if (where === 'channel') this.at = Math.max(this.at, eventId);
    else this.threadsAt = Math.max(this.threadsAt, eventId);
  }
  async post(about: string, name: string): Promise<{ channel: string; ts: string | null } | null> {
    return this.posts.get(`${about}/${name}`) ?? null;
  }
  async lastPost(about: string, channel: string): Promise<{ name: string; ts: string } | null> {
    const [last] = [...this.posts]
      .filter(([key, post]) => key.startsWith(`${about}/`) && post.channel === channel && post.ts !== null)
      .toReversed();
    return last === undefined ? null : { name: last[0].slice(about.length + 1), ts: last[1].ts ?? '' };
  }
  async postedAbout(channel: string, ts: string): Promise<string | null> {
    const found = [...this.posts].find(([, post]) => post.channel === channel && post.ts === ts);
    return found === undefined ? null : found[0].slice(0, found[0].lastIndexOf('/'));
  }
  readonly windows = new Set<string>();
  async submitWindow(viewId: string): Promise<boolean> {
    const isFirst = !this.windows.has(viewId);
    this.windows.add(viewId);
    return isFirst;
  }
  async beginPost(about: string, name: string, channel: string): Promise<void> {
    if (!this.posts.has(`${about}/${name}`)) this.posts.set(`${about}/${name}`, { channel, ts: null });
  }
  async finishPost(about: string, name: string, ts: string): Promise<void> {
    this.beforeFinish(name);
    const post = this.posts.get(`${about}/${name}`);
    if (post !== undefined) post.ts = ts;
  }
  async beginAnew(about: string, name: string, ts: string): Promise<boolean> {
    const key = `${about}/${name}`;
    const post = this.posts.get(key);
    if (post === undefined || post.ts !== ts || this.#anew.has(key)) return false;
    this.#anew.add(key);
    post.ts = null;
    return true;
  }
  async saveButton(token: string, meaning: ButtonMeaning): Promise<void> {
    if (!this.buttons.has(token)) this.buttons.set(token, meaning);
  }
  async button(token: string): Promise<ButtonMeaning | null> {
    return this.buttons.get(token) ?? null;
  }
  async saveMembers(group: string, users: readonly string[], now: Date): Promise<void> {
    const known = this.groups.get(group);
    const since = known === undefined ? null : now.toISOString();
    this.groups.set(
      group,
      users.map((id) => known?.find((member) => member.id === id) ?? { id, since }),
    );
  }
  async members(group: string): Promise<readonly Member[]> {
    return this.groups.get(group) ?? [];
  }
}
