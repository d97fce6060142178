import { memo, type ReactNode } from 'react';
import type { MessageEntry } from '../scene.ts';
import type { ActAnswer } from './ask.ts';
import { Avatar } from './avatar.tsx';
import { BlockList } from './blocks/block-list.tsx';
import { drawEmoji } from './blocks/emoji.ts';
import { MrkdwnText } from './blocks/mrkdwn-text.tsx';
import { personOf, useNames } from './names.ts';
import { MessageShortcuts } from './shortcuts.tsx';
import { SurfaceProvider } from './surface.ts';
import { useKeptFocus } from './use-kept-focus.ts';
import { useTarget } from './use-target.tsx';

interface MessageProps {
  readonly person: string;
  readonly message: MessageEntry;
  readonly say: (answer: ActAnswer) => void;
  /** Opens its thread; null = it is in one, or cannot have one. */
  readonly openThread: ((ts: string) => void) | null;
  readonly replies: number;
}

/** A message with its blocks, files and what can be done with it. */
export const MessageCard = memo(function MessageCard(props: MessageProps): ReactNode {
  const { person, message, say } = props;
  const names = useNames();
  const author = personOf(names, message.user);
  const isBot = names.place?.bot.id === message.user;
  const { surface, dialog } = useTarget(person, { channel: message.channel, ts: message.ts }, say);
  const article = useKeptFocus();
  const name = author?.realName ?? message.user;
  return (
    <article
      className={message.onlyFor === null ? 'message' : 'message alone'}
      aria-label={`${name}, ${timeOf(message.ts)}`}
      data-ts={message.ts}
      tabIndex={-1}
      ref={article}
    >
      <Avatar name={name} isBot={isBot} />
      <div className="content">
        {message.onlyFor !== null && <p className="quiet">Only visible to you</p>}
        <p className="by">
          <strong>{name}</strong>
          {isBot && <span className="badge">APP</span>}
          <time dateTime={new Date(Number(message.ts) * 1000).toISOString()}>{timeOf(message.ts)}</time>
          {message.edited && <span className="quiet">(edited)</span>}
        </p>
        <SurfaceProvider value={{ ...surface, errorOf: () => null }}>
          {message.blocks.length > 0 ? <BlockList blocks={message.blocks} /> : <MrkdwnText text={message.text} />}
        </SurfaceProvider>
        <Files files={message.files} />
        <Under {...props} />
      </div>
      <Toolbar {...props} />
      {dialog}
    </article>
  );
});

function Files({ files }: { readonly files: MessageEntry['files'] }): ReactNode {
  return files.map(({ id, name, title }) => (
    <figure className="picture whole" key={id}>
      <figcaption>
        <a href={`/files/${id}`} target="_blank" rel="noopener noreferrer">
          {title || name}
        </a>
      </figcaption>
      {/\.(png|jpe?g|gif)$/i.test(name) && <img src={`/files/${id}`} alt={title || name} />}
    </figure>
  ));
}

/** Reactions and replies. */
function Under({ message, openThread, replies }: MessageProps): ReactNode {
  const said = replies === 1 ? '1 reply' : `${replies} replies`;
  return (
    <div className="under">
      {message.reactions.map(({ name, users }) => (
        <span className="reaction" key={name}>
          {drawEmoji(name)} {users.length}
        </span>
      ))}
      {openThread && replies > 0 && (
        <button type="button" className="link replies" onClick={() => openThread(message.ts)}>
          {said}
        </button>
      )}
    </div>
  );
}

/** What can be done with any message; it shows itself to the mouse, and to whoever comes by keyboard. */
function Toolbar({ person, message, say, openThread, replies }: MessageProps): ReactNode {
  if (message.onlyFor !== null) return null;
  return (
    <div className="toolbar">
      {openThread !== null && replies === 0 && (
        <button type="button" className="link" onClick={() => openThread(message.ts)}>
          Reply in thread
        </button>
      )}
      <MessageShortcuts person={person} message={message} say={say} />
    </div>
  );
}

function timeOf(ts: string): string {
  return new Date(Number(ts) * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
