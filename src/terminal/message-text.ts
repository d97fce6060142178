import type { Block, Message } from '../../blocks/message.ts';
import type { Run } from '../runs/run.ts';

/** Slack ids → names, for mentions. */
type Names = ReadonlyMap<string, string>;

/** The same cards as in Slack, as lines of plain text. What the blocks escaped is unescaped; control characters are gone before. */
export function messageText(message: Message, names: Names = new Map()): string {
  return `${message.blocks.flatMap((block) => blockText(block, names)).join('\n')}\n`;
}

/** Everybody who is named in these runs. */
export function namesIn(runs: readonly Run[]): Names {
  const people = runs.flatMap((run) => [
    run.requester,
    ...[...run.votes, ...run.control.gates.flatMap((gate) => gate.votes)].map((vote) => vote.voter),
  ]);
  return new Map(people.map(({ id, name }) => [id, name]));
}

function blockText(block: Block, names: Names): string[] {
  switch (block.type) {
    case 'section':
      return [plainOf(block.text.text, names)];
    case 'context':
      return block.elements.map((element) => plainOf(element.text, names));
    case 'divider':
      return [''];
    case 'image':
      return [`[${block.alt_text}]`];
    case 'actions':
    case 'input':
      return [];
  }
}

/** Out of mrkdwn: formats go, code spans stay as they are, mentions become names, times UTC. */
function plainOf(mrkdwn: string, names: Names): string {
  return mrkdwn
    .split('`')
    .map((part, index, parts) => (index % 2 === 1 && index < parts.length - 1 ? part : wordsOf(part, names)))
    .join('')
    .replaceAll('\u2060', '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll(/(?<![\w/])\/tas (?=[a-z])/g, 'npx tas ');
}

function wordsOf(text: string, names: Names): string {
  return text
    .replace(/<!date\^[^|>]*\|([^>]*)>/g, '$1')
    .replace(/<@([A-Z0-9]+)>/g, (_, id: string) => names.get(id) ?? id)
    .replace(/<(https:[^|>]+)\|([^>]*)>/g, '$2: $1')
    .replace(/<!subteam\^([A-Z0-9]+)>/g, '$1')
    .replace(/(^|\s|[(“:])[*_](\S(?:[^*\n]*\S)?)[*_](?=$|\s|[).,:;”—·])/gm, '$1$2');
}
