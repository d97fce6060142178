import type { ReactNode } from 'react';
import { MrkdwnText } from './mrkdwn-text.tsx';

/** The markdown block: what of standard Markdown differs from mrkdwn is put into its words; headings become bold lines. */
export function MarkdownText({ text }: { readonly text: string }): ReactNode {
  const parts = text.split(/(```[\s\S]*?```)/);
  return <MrkdwnText text={parts.map((part, at) => (at % 2 === 1 ? part : asMrkdwn(part))).join('')} />;
}

function asMrkdwn(text: string): string {
  return text
    .replaceAll(/\*\*([^*\n]+)\*\*/g, '*$1*')
    .replaceAll(/^#{1,6} (.+)$/gm, '*$1*')
    .replaceAll(/^[-*] /gm, '• ')
    .replaceAll(/\[([^\]\n]+)\]\((https?:[^)\s]+)\)/g, '<$2|$1>');
}
