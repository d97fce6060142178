import { type ReactNode, useCallback } from 'react';
import type { MessageEntry } from '../scene.ts';
import type { ActAnswer } from './ask.ts';
import { Composer } from './composer.tsx';
import { HomePane } from './home-pane.tsx';
import { MessageList } from './message-list.tsx';
import { useNames } from './names.ts';
import type { Scene } from './scene-store.ts';
import type { Location } from './use-location.ts';

interface PaneProps {
  readonly person: string;
  /** Or `home`. */
  readonly channelId: string;
  readonly thread: string | null;
  /** With the messages that this person sees. */
  readonly scene: Scene;
  readonly say: (answer: ActAnswer) => void;
  readonly go: (next: Partial<Location>) => void;
  readonly openMenu: () => void;
}

/** A channel, the direct messages with the app, or its Home; beside it the thread that is open. */
export function ChannelPane(props: PaneProps): ReactNode {
  const { person, channelId, thread, scene, say, go, openMenu } = props;
  const { me, place } = useNames();
  const channel = scene.channels.find(({ id }) => id === channelId) ?? null;
  const name = channelId === 'home' ? 'Home' : channel?.isDirect ? (place?.bot.name ?? '') : `# ${channel?.name ?? ''}`;
  const here = scene.messages.filter((message) => message.channel === channelId);
  const replies = new Map<string, number>();
  for (const { threadTs } of here) if (threadTs !== null) replies.set(threadTs, (replies.get(threadTs) ?? 0) + 1);
  const home = scene.views.find(({ user, depth }) => user === me?.id && depth === null) ?? null;
  const openThread = useCallback((ts: string) => go({ thread: ts }), [go]);
  const list = { person, replies, say };
  return (
    <>
      <main className="pane">
        <header>
          <button type="button" className="button bare menu-button" aria-label="Channels and people" onClick={openMenu}>
            ☰
          </button>
          <h1>{name}</h1>
        </header>
        {channel === null ? (
          <HomePane person={person} home={home} say={say} key={person} />
        ) : (
          <>
            <MessageList
              {...list}
              label={`Messages in ${name}`}
              messages={here.filter(({ threadTs }) => threadTs === null)}
              openThread={openThread}
              key={`${person} ${channelId}`}
            />
            <Composer
              person={person}
              channel={channelId}
              threadTs={null}
              place={name.replace('# ', '#')}
              say={say}
              key={channelId}
            />
          </>
        )}
      </main>
      {thread !== null && channel !== null && (
        <ThreadPane
          {...list}
          channel={channelId}
          thread={thread}
          messages={here}
          close={() => go({ thread: null })}
          key={thread}
        />
      )}
    </>
  );
}

interface ThreadProps {
  readonly person: string;
  readonly channel: string;
  readonly thread: string;
  readonly messages: readonly MessageEntry[];
  readonly replies: ReadonlyMap<string, number>;
  readonly say: (answer: ActAnswer) => void;
  readonly close: () => void;
}

function ThreadPane({ person, channel, thread, messages, replies, say, close }: ThreadProps): ReactNode {
  return (
    <aside className="pane thread" aria-label="Thread">
      <header>
        <h2>Thread</h2>
        <button type="button" className="button bare" aria-label="Close thread" onClick={close}>
          ✕
        </button>
      </header>
      <MessageList
        label="Replies"
        person={person}
        messages={messages.filter(({ ts, threadTs }) => ts === thread || threadTs === thread)}
        replies={replies}
        openThread={null}
        say={say}
      />
      <Composer person={person} channel={channel} threadTs={thread} place="the thread" say={say} />
    </aside>
  );
}
