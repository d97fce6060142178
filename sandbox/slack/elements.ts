import { elementsIn } from './limits/blocks.ts';
import { isObject } from './limits/rules.ts';
import type { Block } from './message.ts';

type Loose = Readonly<Record<string, unknown>>;

/** An element that a person can use, and where it is. */
export interface Element {
  readonly blockId: string;
  readonly actionId: string;
  readonly type: string;
  /** What is written on it or beside it. */
  readonly label: string;
  readonly element: Loose;
  /** The block of an input; null for the elements of other blocks, which tell the app at once. */
  readonly input: Loose | null;
}

/** An element by its action id or the words on it; by both ids where several blocks have such an element. */
export type ElementName = string | { readonly blockId: string; readonly actionId: string };

/** What is asked before a click counts. */
export interface Dialog {
  readonly title: string;
  readonly text: string;
}

export function elementsOf(blocks: readonly Block[]): Element[] {
  return blocks.flatMap((block, at) =>
    elementsIn(block)
      .filter((element) => element.type !== 'image')
      .map((element) => ({
        blockId: String(block.block_id ?? `block-${at}`),
        actionId: String(element.action_id ?? ''),
        type: String(element.type),
        label: plainTextOf(block.type === 'input' ? block.label : (element.text ?? element.placeholder)),
        element,
        input: block.type === 'input' ? block : null,
      })),
  );
}

/** The element with this action id or these words on it. Throws what there is instead. */
export function findElement(blocks: readonly Block[], name: ElementName): Element {
  const all = elementsOf(blocks);
  const found =
    typeof name === 'string'
      ? (all.find(({ actionId }) => actionId === name) ?? all.find(({ label }) => label === name))
      : all.find(({ blockId, actionId }) => blockId === name.blockId && actionId === name.actionId);
  if (found) return found;
  const there = all.map(({ label, actionId }) => `“${label}” (${actionId})`).join(', ') || 'nothing to use';
  throw new Error(`there is no “${typeof name === 'string' ? name : name.actionId}”, there is: ${there}`);
}

/** Null when the element asks nothing. */
export function dialogOf(element: Loose): Dialog | null {
  const { confirm } = element;
  return isObject(confirm) ? { title: plainTextOf(confirm.title), text: plainTextOf(confirm.text) } : null;
}

/** The text of a text object; empty for anything else. */
export function plainTextOf(value: unknown): string {
  return isObject(value) && typeof value.text === 'string' ? value.text : '';
}
