import type { ReactNode } from 'react';
import { wordsOf } from '../blocks/mrkdwn-text.tsx';
import { isLoose, listOf, textOf } from '../loose.ts';
import { type Names, useNames } from '../names.ts';
import { useSurface } from '../surface.ts';
import { type ElementProps, naming, type OptionGroup, optionsIn } from './element-of.tsx';
import { ManySelect } from './many-select.tsx';

/** A select whose options are known: given by the app, or people and channels. */
export function ListSelect(props: ElementProps): ReactNode {
  const { element, blockId } = props;
  const names = useNames();
  const { chosen, choose } = useSurface();
  const at = { blockId, actionId: textOf(element.action_id) };
  const groups = groupsOf(props, names);
  if (textOf(element.type).startsWith('multi_')) return <ManySelect {...props} groups={groups} />;
  const initial = initialOf(props);
  return (
    <select
      {...naming(props)}
      value={String(chosen(at, element) ?? initial)}
      onChange={({ currentTarget }) => choose(at, element, currentTarget.value)}
    >
      <option value="" disabled>
        {wordsOf(element.placeholder) || 'Choose an option'}
      </option>
      {groups.map(({ label, options }) => {
        const drawn = options.map(({ value, text }) => (
          <option value={value} key={value}>
            {text}
          </option>
        ));
        return label === '' ? (
          drawn
        ) : (
          <optgroup label={label} key={label}>
            {drawn}
          </optgroup>
        );
      })}
    </select>
  );
}

function initialOf({ element }: ElementProps): string {
  if (isLoose(element.initial_option)) return textOf(element.initial_option.value);
  return textOf(element.initial_user) || textOf(element.initial_channel) || textOf(element.initial_conversation);
}

function groupsOf({ element }: ElementProps, names: Names): OptionGroup[] {
  const type = textOf(element.type).replace('multi_', '');
  const option = (value: string, text: string) => ({ value, text, loose: {} });
  const people = (names.place?.people ?? []).map(({ id, realName }) => option(id, realName));
  const channels = names.channels.filter(({ isDirect }) => !isDirect).map(({ id, name }) => option(id, `#${name}`));
  if (type === 'users_select') return [{ label: '', options: people }];
  if (type === 'channels_select') return [{ label: '', options: channels }];
  if (type === 'conversations_select')
    return [
      { label: 'Channels', options: channels },
      { label: 'People', options: people },
    ];
  const groups = listOf(element.option_groups);
  if (groups.length === 0) return [{ label: '', options: optionsIn(element.options) }];
  return groups.map((group) => ({ label: wordsOf(group.label), options: optionsIn(group.options) }));
}
