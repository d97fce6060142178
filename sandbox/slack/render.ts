import { groups, people } from './people.ts';
import { buttonsOf } from './person.ts';
import type { Message } from './workspace.ts';

type Loose = Readonly<Record<string, unknown>>;

/** A message as plain text, as a person would read it: mentions by name, buttons in brackets. */
export function renderMessage(message: Message): string {
  return message.blocks.length === 0 ? readable(message.text) : renderBlocks(message.blocks);
}

export function renderBlocks(blocks: readonly Loose[]): string {
  return blocks
    .map((block) => renderBlock(block))
    .filter((text) => text !== '')
    .join('\n');
}

function renderBlock(block: Loose): string {
  if (block.type === 'divider') return '─'.repeat(40);
  if (block.type === 'header') return textOf(block.text).toUpperCase();
  if (block.type === 'context') return (block.elements as Loose[]).map(textOf).join('  ');
  if (block.type === 'actions')
    return buttonsOf([block])
      .map(({ text }) => `[${text}]`)
      .join(' ');
  if (block.type === 'input') return `${textOf(block.label)}: ____`;
  const fields = ((block.fields as Loose[] | undefined) ?? []).map(textOf);
  const buttons = buttonsOf([block]).map(({ text }) => `[${text}]`);
  return [textOf(block.text), ...fields, ...buttons].filter((text) => text !== '').join('\n');
}

function textOf(value: unknown): string {
  const text = (value as { text?: unknown } | undefined)?.text;
  return typeof text === 'string' ? readable(text) : '';
}

/** Slack's mrkdwn without its marks. */
export function readable(text: string): string {
  return text
    .replaceAll(/<@(U[A-Z0-9]+)(\|[^>]*)?>/g, (_, id: string) => `@${nameOf(id)}`)
    .replaceAll(
      /<!subteam\^(S[A-Z0-9]+)(\|[^>]*)?>/g,
      (_, id: string) => `@${Object.values(groups).find((group) => group.id === id)?.handle ?? id}`,
    )
    .replaceAll(/<!date\^(\d+)\^[^|>]*\|([^>]*)>/g, '$2')
    .replaceAll(/<(https?:[^|>]+)\|([^>]+)>/g, '$2')
    .replaceAll(/(?<![\w*])\*([^*\n]+)\*(?![\w*])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function nameOf(id: string): string {
  return Object.values(people).find((member) => member.id === id)?.name ?? id;
}
