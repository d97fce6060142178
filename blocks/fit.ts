import { cut } from './cut.ts';
import { type Block, context, limits, type Message } from './message.ts';

/** A message of one piece: first lines and buttons stay, the middle gives way. */
export function fitCard(card: {
  readonly text: string;
  readonly head: readonly Block[];
  readonly body: readonly Block[];
  readonly tail: readonly Block[];
  /** Where the rest is shown. */
  readonly rest?: string;
}): Message {
  const room = limits.characters - size(card.head) - size(card.tail) - 200;
  const places = limits.blocks - card.head.length - card.tail.length - 1;
  const body: Block[] = [];
  let used = 0;
  for (const block of card.body) {
    used += size([block]);
    if (used > room || body.length >= places) break;
    body.push(block);
  }
  const left = card.body.length - body.length;
  const note = left === 0 ? [] : [context(`… and ${left} more: see ${card.rest ?? 'Details'}`)];
  return { text: cut(card.text, limits.text), blocks: [...card.head, ...body, ...note, ...card.tail] };
}

/** As many messages as it takes, in order; each says which of how many it is when there are several. */
export function split(message: Message): Message[] {
  const pages: Block[][] = [[]];
  let used = 0;
  for (const block of message.blocks) {
    const bytes = size([block]);
    let page = pages.at(-1) ?? [];
    if (page.length > 0 && (page.length >= limits.blocks - 1 || used + bytes > limits.characters - 200)) {
      page = [];
      pages.push(page);
      used = 0;
    }
    page.push(block);
    used += bytes;
  }
  const text = cut(message.text, limits.text);
  if (pages.length === 1) return [{ text, blocks: message.blocks }];
  return pages.map((page, index) => ({
    text: `${cut(text, limits.text - 20)} (${index + 1}/${pages.length})`,
    blocks: [...page, context(`${index + 1} of ${pages.length}`)],
  }));
}

/** The first pages, where not all of them may be sent; the last one then says that there is more, and where. */
export function pages(message: Message, most: number, where: string): Message[] {
  const all = split(message);
  const kept = all.slice(0, most);
  const last = kept.at(-1);
  if (all.length === kept.length || last === undefined) return kept;
  const left = all.length - kept.length;
  const note = context(`… and ${left} more ${left === 1 ? 'page' : 'pages'}: ${where}`);
  return [...kept.slice(0, -1), { ...last, blocks: [...last.blocks.slice(0, -1), note] }];
}

/** The first blocks of a window, as many as there are places and characters for, and how many are left out. */
export function firstFitting(
  all: readonly Block[],
  { places, characters }: { readonly places: number; readonly characters: number },
): { readonly blocks: Block[]; readonly left: number } {
  const blocks: Block[] = [];
  for (const block of all) {
    if (blocks.length >= places || size([...blocks, block]) > characters) break;
    blocks.push(block);
  }
  return { blocks, left: all.length - blocks.length };
}

/** Characters of blocks as they are sent. */
export function size(blocks: readonly Block[]): number {
  return JSON.stringify(blocks).length;
}
