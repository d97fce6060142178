import { type ReactNode, useLayoutEffect, useRef } from 'react';
import type { MessageEntry } from '../scene.ts';
import type { ActAnswer } from './ask.ts';
import { MessageCard } from './message-card.tsx';

interface ListProps {
  readonly label: string;
  readonly person: string;
  readonly messages: readonly MessageEntry[];
  /** Replies by the timestamp of what they answer. */
  readonly replies: ReadonlyMap<string, number>;
  readonly openThread: ((ts: string) => void) | null;
  readonly say: (answer: ActAnswer) => void;
}

/** Messages, oldest first. It stays at the end unless somebody has scrolled up. */
export function MessageList({ label, person, messages, replies, openThread, say }: ListProps): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const stay = (): void => {
    if (atEnd.current && list.current) list.current.scrollTop = list.current.scrollHeight;
  };
  useLayoutEffect(stay);
  return (
    <div
      className="messages"
      ref={list}
      role="log"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
      tabIndex={0}
      // A picture takes its place when it has come.
      onLoadCapture={stay}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
      }}
    >
      {messages.length === 0 && <p className="quiet empty">Nothing was said here yet.</p>}
      {messages.map((message) => (
        <MessageCard
          key={`${person} ${message.channel} ${message.ts}`}
          person={person}
          message={message}
          say={say}
          replies={replies.get(message.ts) ?? 0}
          openThread={openThread}
        />
      ))}
    </div>
  );
}
