export type Block = Readonly<Record<string, unknown>>;

/** What a message said before an edit. */
export interface EarlierForm {
  readonly text: string;
  readonly blocks: readonly Block[];
  /** When it was replaced, in milliseconds. */
  readonly until: number;
}

/** A message as it stands now: the workspace changes it in place, so that whoever holds it sees edits. */
export interface Message {
  readonly channel: string;
  /** Its id in the channel: seconds with six digits, growing. */
  readonly ts: string;
  /** The message whose thread it is in; null = in the channel itself. */
  readonly threadTs: string | null;
  /** User id of the sender. */
  readonly user: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly metadata: unknown;
  readonly files: readonly { readonly id: string; readonly name: string; readonly title: string }[];
  /** Earlier forms, oldest first. */
  readonly edits: readonly EarlierForm[];
  readonly deleted: boolean;
  /** Only this person sees it; null = everybody in the channel. */
  readonly onlyFor: string | null;
  /** Path of the response_url through which it came; null = by the Web API or by a person. */
  readonly via: string | null;
  readonly reactions: readonly { readonly name: string; readonly users: readonly string[] }[];
}

export type NewMessage = Pick<Message, 'channel' | 'user' | 'text' | 'blocks'> &
  Partial<Pick<Message, 'threadTs' | 'metadata' | 'onlyFor' | 'via' | 'files'>>;

/** The ids that Slack gives to blocks and elements which came without. */
export function createIds(): <T>(blocks: T) => T {
  let count = 0;
  const next = (): string => {
    count += 1;
    return `z${count.toString(36).padStart(4, '0')}`;
  };
  const complete = (value: unknown, isBlock: boolean): unknown => {
    if (Array.isArray(value)) return value.map((entry) => complete(entry, isBlock));
    if (value === null || typeof value !== 'object') return value;
    const fields = value as Record<string, unknown>;
    if (fields.type === 'plain_text') return { emoji: true, ...fields };
    if (fields.type === 'mrkdwn') return { verbatim: false, ...fields };
    const inner = Object.fromEntries(Object.entries(fields).map(([name, entry]) => [name, complete(entry, false)]));
    if (isBlock) return { block_id: next(), ...inner };
    return isElement(fields) ? { action_id: next(), ...inner } : inner;
  };
  return (blocks) => complete(blocks, true) as typeof blocks;
}

function isElement({ type }: Record<string, unknown>): boolean {
  return typeof type === 'string' && /(^button|^overflow|^checkboxes|_buttons|_select|picker|_input)$/.test(type);
}
