import { type KeyboardEvent, type ReactNode, useEffect, useId, useState } from 'react';
import { wordsOf } from '../blocks/mrkdwn-text.tsx';
import { isLoose, listOf, textOf } from '../loose.ts';
import { useSurface } from '../surface.ts';
import { type ElementProps, naming, type Option, type OptionGroup, optionsIn } from './element-of.tsx';

/** Typing rests for so many milliseconds before the app is asked. */
const rest = 200;

/** A select that asks the app for its options while somebody types. */
export function ExternalSelect(props: ElementProps): ReactNode {
  const { element, blockId } = props;
  const id = useId();
  const at = { blockId, actionId: textOf(element.action_id) };
  const { chosen, choose } = useSurface();
  const many = textOf(element.type).startsWith('multi_');
  const initial = initialOptions(props);
  const [known, setKnown] = useState<readonly Option[]>(initial);
  const [typed, setTyped] = useState<string | null>(null);
  const [active, setActive] = useState(0);
  const { groups, state } = useSuggestions(props, typed);
  const options = groups.flatMap((group) => group.options);
  const first = many ? initial.map(({ value }) => value) : (initial[0]?.value ?? '');
  const now = [chosen(at, element) ?? first].flat().filter((value) => value !== '');
  const said = now.map((value) => known.find((option) => option.value === value)?.text ?? value).join(', ');
  const open = typed !== null;
  const pick = (option: Option): void => {
    setKnown([...known, option]);
    setTyped(null);
    if (!many) choose(at, element, option.value);
    else
      choose(
        at,
        element,
        now.includes(option.value) ? now.filter((value) => value !== option.value) : [...now, option.value],
      );
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      if (open) setActive((active + step + options.length) % Math.max(1, options.length));
      else setTyped('');
    }
    const option = options[active];
    if (event.key === 'Enter' && open) {
      event.preventDefault();
      if (option) pick(option);
    }
    if (event.key === 'Escape' && open) {
      event.preventDefault();
      event.stopPropagation();
      setTyped(null);
    }
  };
  return (
    <span className="combobox">
      <input
        {...naming(props)}
        type="text"
        role="combobox"
        autoComplete="off"
        aria-expanded={open}
        aria-controls={`${id}-list`}
        {...(open && options[active] ? { 'aria-activedescendant': `${id}-${active}` } : {})}
        placeholder={wordsOf(element.placeholder) || 'Choose an option'}
        value={typed ?? said}
        onChange={({ currentTarget }) => {
          setTyped(currentTarget.value);
          setActive(0);
        }}
        onClick={() => setTyped(typed ?? '')}
        onBlur={() => setTyped(null)}
        onKeyDown={onKeyDown}
      />
      {open && <SuggestionList id={id} groups={groups} state={state} active={active} pick={pick} />}
    </span>
  );
}

function initialOptions({ element }: ElementProps): Option[] {
  return optionsIn([
    ...listOf(element.initial_options),
    ...(isLoose(element.initial_option) ? [element.initial_option] : []),
  ]);
}

interface Suggestions {
  readonly groups: readonly OptionGroup[];
  /** What stands in the list in place of options; empty = they are there. */
  readonly state: string;
}

/** The app's options for what is typed; null = the list is closed. */
function useSuggestions({ element, blockId }: ElementProps, typed: string | null): Suggestions {
  const { suggest } = useSurface();
  const actionId = textOf(element.action_id);
  const least = Number(element.min_query_length ?? 3);
  const [found, setFound] = useState<Suggestions>({ groups: [], state: '' });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new surface asks the same app
  useEffect(() => {
    if (typed === null) return;
    if (typed.length < least) return setFound({ groups: [], state: `Type at least ${least} characters` });
    let over = false;
    const timer = setTimeout(async () => {
      const { groups = [], complaint } = await suggest({ blockId, actionId }, typed);
      if (over) return;
      const drawn = groups.map(({ label, options }) => ({ label, options: optionsIn(options) }));
      const empty = drawn.every(({ options }) => options.length === 0);
      setFound({ groups: drawn, state: complaint ?? (empty ? 'No result' : '') });
    }, rest);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [typed, blockId, actionId, least]);
  return found;
}

function SuggestionList(props: {
  readonly id: string;
  readonly groups: readonly OptionGroup[];
  readonly state: string;
  readonly active: number;
  readonly pick: (option: Option) => void;
}): ReactNode {
  const { id, groups, state, active, pick } = props;
  const options = groups.flatMap((group) => group.options.map((option) => ({ option, label: group.label })));
  if (state !== '')
    return (
      <span className="list" role="status" id={`${id}-list`}>
        {state}
      </span>
    );
  return (
    <span className="list" role="listbox" id={`${id}-list`} aria-label="Options">
      {options.map(({ option, label }, at) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the input holds the focus and its keys do this
        // biome-ignore lint/a11y/useFocusableInteractive: as above
        <span
          role="option"
          key={option.value}
          id={`${id}-${at}`}
          aria-selected={at === active}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => pick(option)}
        >
          {label !== '' && <span className="quiet">{label} · </span>}
          {option.text}
        </span>
      ))}
    </span>
  );
}
