import { type ReactNode, useCallback, useEffect, useState } from 'react';
import type { MessageEntry } from '../scene.ts';
import type { ActAnswer } from './ask.ts';
import { ChannelPane } from './channel-pane.tsx';
import { ModalWindow } from './modal-window.tsx';
import { NamesProvider } from './names.ts';
import { type Scene, useScene } from './scene-store.ts';
import { Sidebar } from './sidebar.tsx';
import { Toast } from './toast.tsx';
import { useLocation } from './use-location.ts';
import { useUnread } from './use-unread.ts';

/** The simulated workspace, as one of its people sees it. */
export function App(): ReactNode {
  const scene = useScene();
  if (scene.place === null || scene.channels.length === 0) return <p className="empty">Connecting …</p>;
  return <Workspace scene={scene} place={scene.place} />;
}

function Workspace({
  scene,
  place,
}: {
  readonly scene: Scene;
  readonly place: NonNullable<Scene['place']>;
}): ReactNode {
  const { channels, views } = scene;
  const [{ person, channel, thread }, go] = useLocation(place.people[0]?.name ?? '', channels[0]?.id ?? '');
  const [complaint, setComplaint] = useState<string | null>(null);
  const [menu, setMenu] = useState(false);
  const say = useCallback((answer: ActAnswer) => setComplaint(answer.complaint), []);
  const me = place.people.find(({ name }) => name === person) ?? null;
  const unread = useUnread(me?.id ?? '', scene.messages, channel);
  const visible = (message: MessageEntry): boolean => message.onlyFor === null || message.onlyFor === me?.id;
  const modals = views
    .filter(({ user, depth }) => user === me?.id && depth !== null)
    .sort((a, b) => Number(a.depth) - Number(b.depth));
  useEffect(() => {
    document.title = `${me?.realName ?? ''} · ${place.team}`;
  }, [me, place]);
  return (
    <NamesProvider value={{ me, place, channels }}>
      <div className={`workspace${menu ? ' menu-open' : ''}${thread === null ? '' : ' thread-open'}`}>
        <Sidebar
          person={person}
          open={channel}
          channels={channels}
          unread={unread}
          go={(next) => {
            setMenu(false);
            go({ thread: null, ...next });
          }}
        />
        <ChannelPane
          person={person}
          channelId={channel}
          thread={thread}
          scene={{ ...scene, messages: scene.messages.filter(visible) }}
          say={say}
          go={go}
          openMenu={() => setMenu(!menu)}
        />
      </div>
      {modals.map((entry) => (
        <ModalWindow person={person} entry={entry} say={say} key={entry.id} />
      ))}
      <Toast text={scene.live ? complaint : 'The connection is cut; trying again …'} close={() => setComplaint(null)} />
    </NamesProvider>
  );
}
