import type { ReactNode } from 'react';
import type { ChannelEntry } from '../scene.ts';
import { Avatar } from './avatar.tsx';
import { useNames } from './names.ts';

/** What a person has not read in a channel: how much, and how much of it was for him. */
export interface Unread {
  readonly messages: number;
  readonly mentions: number;
}

interface SidebarProps {
  readonly person: string;
  /** The channel that is open, or `home`. */
  readonly open: string;
  readonly channels: readonly ChannelEntry[];
  readonly unread: (channel: string) => Unread;
  readonly go: (next: { readonly person?: string; readonly channel?: string }) => void;
}

/** The workspace's channels, the app, and the people whom the reader may be. */
export function Sidebar({ person, open, channels, unread, go }: SidebarProps): ReactNode {
  const { place, me } = useNames();
  const mine = channels.filter(({ members }) => me !== null && members.includes(me.id));
  const direct = mine.find(({ isDirect }) => isDirect);
  const item = (id: string, name: string): ReactNode => (
    <li key={id}>
      <ChannelLink name={name} isOpen={open === id} unread={unread(id)} open={() => go({ channel: id })} />
    </li>
  );
  return (
    <nav className="sidebar" aria-label="Workspace">
      <p className="team">{place?.team}</p>
      <h2 id="channels">Channels</h2>
      <ul aria-labelledby="channels">
        {mine.filter(({ isDirect }) => !isDirect).map(({ id, name }) => item(id, `# ${name}`))}
      </ul>
      <h2 id="apps">Apps</h2>
      <ul aria-labelledby="apps">
        {item('home', '⌂ Home')}
        {direct && item(direct.id, `✉ ${place?.bot.name ?? ''}`)}
      </ul>
      <h2 id="people">You are</h2>
      <ul className="people" aria-labelledby="people">
        {place?.people.map(({ id, name, realName }) => (
          <li key={id}>
            <button
              type="button"
              aria-pressed={name === person}
              title={realName}
              onClick={() =>
                go({ person: name, channel: channels.some((one) => one.isDirect && one.id === open) ? 'home' : open })
              }
            >
              <Avatar name={realName} />
              <span>{realName}</span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function ChannelLink(props: {
  readonly name: string;
  readonly isOpen: boolean;
  readonly unread: Unread;
  readonly open: () => void;
}): ReactNode {
  const { name, isOpen, unread, open } = props;
  const news = unread.messages > 0 && !isOpen;
  return (
    <button
      type="button"
      className={news ? 'news' : ''}
      {...(isOpen ? { 'aria-current': 'page' as const } : {})}
      onClick={open}
    >
      {name}
      {news && <span className="sr-only">, {unread.messages} unread</span>}
      {news && unread.mentions > 0 && (
        <span className="count" aria-hidden="true">
          {unread.mentions}
        </span>
      )}
    </button>
  );
}
