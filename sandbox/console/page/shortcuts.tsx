import type { ReactNode } from 'react';
import type { MessageEntry } from '../scene.ts';
import { type ActAnswer, ask } from './ask.ts';
import { MenuButton } from './menu-button.tsx';
import { useNames } from './names.ts';

interface ShortcutsProps {
  readonly person: string;
  readonly say: (answer: ActAnswer) => void;
}

/** What the app offers wherever people write. */
export function Shortcuts(props: ShortcutsProps): ReactNode {
  return <ShortcutMenu {...props} message={null} label="Shortcuts" sign="⚡" look="button bare" />;
}

/** What the app offers at a message. */
export function MessageShortcuts(props: ShortcutsProps & { readonly message: MessageEntry }): ReactNode {
  return <ShortcutMenu {...props} label="More actions" sign="⋮" look="link" />;
}

function ShortcutMenu(
  props: ShortcutsProps & {
    /** Null = of no message. */
    readonly message: MessageEntry | null;
    readonly label: string;
    readonly sign: string;
    readonly look: string;
  },
): ReactNode {
  const { person, say, message, ...menu } = props;
  const { place } = useNames();
  const offered = (place?.shortcuts ?? []).filter(({ on }) => on === (message === null ? 'global' : 'message'));
  const at = message === null ? null : { channel: message.channel, ts: message.ts };
  if (offered.length === 0) return null;
  return (
    <MenuButton
      {...menu}
      items={offered.map(({ name, callbackId }) => ({
        key: callbackId,
        text: name,
        pick: () => void ask(person, { do: 'shortcut', callbackId, message: at }).then(say),
      }))}
    />
  );
}
