import { type FormEvent, type KeyboardEvent, type ReactNode, useId, useState } from 'react';
import type { Hint } from '../scene.ts';
import { type Act, type ActAnswer, ask } from './ask.ts';
import { useNames } from './names.ts';
import { Shortcuts } from './shortcuts.tsx';

interface ComposerProps {
  readonly person: string;
  readonly channel: string;
  readonly threadTs: string | null;
  /** Where it writes to: `#tas-platform`. */
  readonly place: string;
  readonly say: (answer: ActAnswer) => void;
}

/** Where people write. What begins with a slash is a command; hints for it open above. */
export function Composer({ person, channel, threadTs, place, say }: ComposerProps): ReactNode {
  const id = useId();
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(-1);
  const [closed, setClosed] = useState(false);
  const hints = useHints(typed, threadTs === null && !closed);
  const send = async (event?: FormEvent): Promise<void> => {
    event?.preventDefault();
    const line = typed.trim();
    if (line === '') return;
    if (line.startsWith('/') && threadTs !== null) return say({ complaint: 'Commands cannot be used in threads.' });
    setTyped('');
    const act: Act = line.startsWith('/')
      ? { do: 'command', channel, line }
      : { do: 'say', channel, threadTs, text: line };
    say(await ask(person, act));
  };
  const take = (hint: Hint): void => {
    setTyped(hint.line);
    setActive(-1);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (hints.length === 0) return;
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : active < 0 ? 0 : -1;
      setActive((active + step + hints.length) % hints.length);
    }
    if (event.key === 'Escape') setClosed(true);
    const hint = hints[active];
    if (event.key === 'Enter' && hint) {
      event.preventDefault();
      take(hint);
    }
  };
  return (
    <form className="composer" onSubmit={(event) => void send(event)}>
      {hints.length > 0 && <HintList id={id} hints={hints} active={active} take={take} />}
      <Shortcuts person={person} say={say} />
      <input
        type="text"
        role="combobox"
        autoComplete="off"
        aria-label={`Message ${place}`}
        placeholder={`Message ${place}`}
        aria-expanded={hints.length > 0}
        aria-controls={`${id}-hints`}
        aria-autocomplete="list"
        {...(hints[active] ? { 'aria-activedescendant': `${id}-${active}` } : {})}
        value={typed}
        onChange={({ currentTarget }) => {
          setTyped(currentTarget.value);
          setActive(-1);
          setClosed(false);
        }}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="button primary filled" aria-label="Send">
        <span aria-hidden="true">➤</span>
      </button>
    </form>
  );
}

/** Commands that begin as what is typed; behind a whole command, its examples. */
function useHints(typed: string, wanted: boolean): readonly Hint[] {
  const { place } = useNames();
  if (!wanted || !typed.startsWith('/') || !place) return [];
  const whole = place.commands.find(({ line }) => typed.startsWith(line));
  if (whole) return whole.examples.filter(({ line }) => line.startsWith(typed) && line !== typed);
  return place.commands.filter(({ line }) => line.startsWith(typed));
}

function HintList(props: {
  readonly id: string;
  readonly hints: readonly Hint[];
  readonly active: number;
  readonly take: (hint: Hint) => void;
}): ReactNode {
  const { id, hints, active, take } = props;
  return (
    <div className="hints" role="listbox" id={`${id}-hints`} aria-label="Commands">
      {hints.map((hint, at) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the input holds the focus and its keys do this
        // biome-ignore lint/a11y/useFocusableInteractive: as above
        <div
          role="option"
          key={hint.shown}
          id={`${id}-${at}`}
          aria-selected={at === active}
          ref={(element) => {
            if (at === active) element?.scrollIntoView({ block: 'nearest' });
          }}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => take(hint)}
        >
          <code>{hint.shown}</code>
          {hint.about !== '' && <span className="quiet">{hint.about}</span>}
        </div>
      ))}
    </div>
  );
}
