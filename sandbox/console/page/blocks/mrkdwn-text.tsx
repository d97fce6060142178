import { Fragment, type ReactNode } from 'react';
import { type Names, personOf, useNames } from '../names.ts';
import { placeOf } from '../permalink.ts';
import { drawEmoji, withEmoji } from './emoji.ts';
import { type Passage, type Piece, parseMrkdwn, plain } from './mrkdwn.ts';
import { drawDate } from './slack-date.ts';

/** mrkdwn as Slack draws it. React escapes all of it: foreign text never becomes markup. */
export function MrkdwnText({ text }: { readonly text: string }): ReactNode {
  const names = useNames();
  return <span className="mrkdwn">{parseMrkdwn(text).map((passage, at) => drawPassage(passage, at, names))}</span>;
}

/** A text object of either kind. */
export function TextObject({ value }: { readonly value: unknown }): ReactNode {
  const { type, text } = (value ?? {}) as { readonly type?: unknown; readonly text?: unknown };
  if (typeof text !== 'string') return null;
  return type === 'mrkdwn' ? <MrkdwnText text={text} /> : <span className="plain">{withEmoji(plain(text))}</span>;
}

/** What a plain text object says; empty for anything else. */
export function wordsOf(value: unknown): string {
  const text = (value as { readonly text?: unknown } | null | undefined)?.text;
  return typeof text === 'string' ? withEmoji(plain(text)) : '';
}

function drawPassage(passage: Passage, key: number, names: Names): ReactNode {
  if (passage.kind === 'code-block')
    return (
      <code className="code-block" key={key}>
        {passage.text}
      </code>
    );
  const lines = passage.lines.map((line, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
    <Fragment key={at}>
      {at > 0 && <br />}
      {drawPieces(line, names)}
    </Fragment>
  ));
  return passage.kind === 'quote' ? (
    <span className="quote" key={key}>
      {lines}
    </span>
  ) : (
    <Fragment key={key}>{lines}</Fragment>
  );
}

function drawPieces(pieces: readonly Piece[], names: Names): ReactNode {
  // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other name
  return pieces.map((piece, at) => <Fragment key={at}>{drawPiece(piece, names)}</Fragment>);
}

function drawPiece(piece: Piece, names: Names): ReactNode {
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'code':
      return <code>{piece.text}</code>;
    case 'bold':
      return <strong>{drawPieces(piece.pieces, names)}</strong>;
    case 'italic':
      return <em>{drawPieces(piece.pieces, names)}</em>;
    case 'strike':
      return <s>{drawPieces(piece.pieces, names)}</s>;
    case 'emoji':
      return drawEmoji(piece.name);
    case 'date':
      return drawDate(piece.seconds, piece.format, piece.fallback);
    case 'link':
      return drawLink(piece, names);
    default:
      return drawMention(piece, names);
  }
}

/** To a message of this workspace it stays in the page. */
function drawLink({ url, label }: Extract<Piece, { kind: 'link' }>, names: Names): ReactNode {
  const place = placeOf(url, names);
  if (place !== null) return <a href={place}>{label}</a>;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer">
      {label}
    </a>
  );
}

type Mention = Extract<Piece, { kind: 'user' | 'channel' | 'group' | 'everybody' }>;

function drawMention(piece: Mention, names: Names): ReactNode {
  if (piece.kind === 'everybody') return <span className="mention mine">@{plain(piece.word)}</span>;
  const { id, kind } = piece;
  const known =
    kind === 'user'
      ? personOf(names, id)?.name
      : kind === 'channel'
        ? names.channels.find((channel) => channel.id === id)?.name
        : names.place?.groups.find((group) => group.id === id)?.handle;
  const mine = kind === 'user' && names.me?.id === id;
  return (
    <span className={mine ? 'mention mine' : 'mention'}>
      {kind === 'channel' ? '#' : '@'}
      {known ?? piece.label ?? plain(id)}
    </span>
  );
}
