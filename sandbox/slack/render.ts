import { elementsOf, plainTextOf } from './elements.ts';
import { isObject } from './limits/rules.ts';
import type { Block, Message } from './message.ts';
import { readable, unescaped } from './mrkdwn.ts';
import type { OpenView } from './views.ts';

const width = 40;

/** A message as plain text, as a person would read it: mentions by name, buttons in brackets. */
export function renderMessage(message: Pick<Message, 'text' | 'blocks'> & Partial<Pick<Message, 'files'>>): string {
  const text = message.blocks.length === 0 ? readable(message.text) : renderBlocks(message.blocks);
  return [text, ...(message.files ?? []).map(({ title }) => `[file: ${title}]`)].join('\n');
}

/** A modal with its title and buttons, or a Home tab. */
export function renderView({ view }: Pick<OpenView, 'view'>): string {
  const title = plainTextOf(view.title);
  const buttons = [view.close, view.submit].map(plainTextOf).filter((text) => text !== '');
  const head = title === '' ? [] : [`┌ ${title} ${'─'.repeat(Math.max(0, width - title.length))}`];
  const foot = buttons.length === 0 ? [] : [buttons.map((text) => `[${text}]`).join(' ')];
  return [...head, renderBlocks(view.blocks), ...foot].join('\n');
}

export function renderBlocks(blocks: readonly Block[]): string {
  return blocks
    .map(renderBlock)
    .filter((text) => text !== '')
    .join('\n');
}

function renderBlock(block: Block): string {
  switch (block.type) {
    case 'divider':
      return '─'.repeat(width);
    case 'header':
      return textOf(block.text).toUpperCase();
    case 'context':
      return listOf(block.elements).map(contextElement).join('  ');
    case 'actions':
      return elementsOf([block])
        .map(({ type, label }) => elementText(type, label))
        .join(' ');
    case 'input':
      return renderInput(block);
    case 'image':
      return [textOf(block.title), `[image: ${String(block.alt_text)}]`].filter((text) => text !== '').join('\n');
    case 'markdown':
      return String(block.text);
    case 'rich_text':
      return richText(block.elements);
    default:
      return renderSection(block);
  }
}

function renderSection(block: Block): string {
  const fields = listOf(block.fields).map(textOf);
  const accessory = elementsOf([block]).map(({ type, label }) => elementText(type, label));
  const image =
    isObject(block.accessory) && block.accessory.type === 'image'
      ? [`[image: ${String(block.accessory.alt_text)}]`]
      : [];
  return [textOf(block.text), ...fields, ...accessory, ...image].filter((text) => text !== '').join('\n');
}

function renderInput(block: Block): string {
  const hint = textOf(block.hint);
  const optional = block.optional === true ? ' (optional)' : '';
  return `${textOf(block.label)}${optional}: ____${hint === '' ? '' : `\n  ${hint}`}`;
}

function elementText(type: string, label: string): string {
  return type === 'button' ? `[${label}]` : `[${label} ▾]`;
}

function contextElement(element: Block): string {
  return element.type === 'image' ? `[${String(element.alt_text)}]` : textOf(element);
}

/** mrkdwn without its marks; plain_text as it is. */
function textOf(value: unknown): string {
  const text = plainTextOf(value);
  return isObject(value) && value.type === 'mrkdwn' ? readable(text) : unescaped(text);
}

function richText(value: unknown): string {
  return listOf(value)
    .map((element) => {
      if (typeof element.text === 'string') return element.text;
      if (element.type === 'user') return readable(`<@${String(element.user_id)}>`);
      if (element.type === 'link') return String(element.url);
      if (element.type === 'emoji') return `:${String(element.name)}:`;
      return `${richText(element.elements)}${String(element.type).startsWith('rich_text_') ? '\n' : ''}`;
    })
    .join('')
    .trimEnd();
}

function listOf(value: unknown): Block[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export { readable };
