import { Fragment, type ReactNode } from 'react';
import type { Loose } from '../../scene.ts';
import { isLoose, listOf, textOf } from '../loose.ts';
import { drawEmoji } from './emoji.ts';
import { isWebAddress, plain } from './mrkdwn.ts';
import { MrkdwnText } from './mrkdwn-text.tsx';
import { drawDate } from './slack-date.ts';

/** Slack's structured text: sections, lists, quotes and preformatted parts. */
export function RichText({ elements }: { readonly elements: unknown }): ReactNode {
  return (
    <div className="rich-text">
      {listOf(elements).map((element, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: parts have no other name
        <Part element={element} key={at} />
      ))}
    </div>
  );
}

function Part({ element }: { readonly element: Loose }): ReactNode {
  const inner = listOf(element.elements).map((piece, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other name
    <Piece piece={piece} key={at} />
  ));
  switch (element.type) {
    case 'rich_text_preformatted':
      return <code className="code-block">{inner}</code>;
    case 'rich_text_quote':
      return <span className="quote">{inner}</span>;
    case 'rich_text_list': {
      const items = listOf(element.elements).map((item, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: items have no other name
        <li key={at}>
          <Part element={item} />
        </li>
      ));
      return element.style === 'ordered' ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    default:
      return <div>{inner}</div>;
  }
}

function Piece({ piece }: { readonly piece: Loose }): ReactNode {
  switch (piece.type) {
    case 'text':
      return styled(piece.style, lines(plain(textOf(piece.text))));
    case 'emoji':
      return drawEmoji(textOf(piece.name));
    case 'user':
      return <MrkdwnText text={`<@${textOf(piece.user_id)}>`} />;
    case 'usergroup':
      return <MrkdwnText text={`<!subteam^${textOf(piece.usergroup_id)}>`} />;
    case 'channel':
      return <MrkdwnText text={`<#${textOf(piece.channel_id)}>`} />;
    case 'broadcast':
      return <MrkdwnText text={`<!${textOf(piece.range)}>`} />;
    case 'date':
      return drawDate(Number(piece.timestamp), textOf(piece.format), textOf(piece.fallback));
    case 'link': {
      const url = textOf(piece.url);
      const words = plain(textOf(piece.text) || url);
      if (!isWebAddress(url)) return words;
      return styled(
        piece.style,
        <a href={url} target="_blank" rel="noopener noreferrer">
          {words}
        </a>,
      );
    }
    default:
      return null;
  }
}

function styled(style: unknown, content: ReactNode): ReactNode {
  if (!isLoose(style)) return content;
  let drawn = content;
  if (style.code === true) drawn = <code>{drawn}</code>;
  if (style.strike === true) drawn = <s>{drawn}</s>;
  if (style.italic === true) drawn = <em>{drawn}</em>;
  if (style.bold === true) drawn = <strong>{drawn}</strong>;
  return drawn;
}

function lines(text: string): ReactNode {
  return text.split('\n').map((line, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
    <Fragment key={at}>
      {at > 0 && <br />}
      {line}
    </Fragment>
  ));
}
