import { type ReactNode, useId } from 'react';
import { wordsOf } from '../blocks/mrkdwn-text.tsx';
import { listOf, textOf } from '../loose.ts';
import { useSurface } from '../surface.ts';
import { type ElementProps, naming, type OptionGroup } from './element-of.tsx';

/** A select of several: a list of boxes that opens under what is chosen. */
export function ManySelect(props: ElementProps & { readonly groups: readonly OptionGroup[] }): ReactNode {
  const { element, blockId, groups } = props;
  const id = useId();
  const { chosen, choose } = useSurface();
  const at = { blockId, actionId: textOf(element.action_id) };
  const initial = initialOf(props);
  const now = [chosen(at, element) ?? initial].flat();
  const most = Number(element.max_selected_items ?? 100);
  const all = groups.flatMap(({ options }) => options);
  const said = now.map((value) => all.find((option) => option.value === value)?.text ?? value).join(', ');
  const toggle = (value: string): void =>
    choose(at, element, now.includes(value) ? now.filter((other) => other !== value) : [...now, value]);
  return (
    <details className="many">
      <summary>{said || wordsOf(element.placeholder) || 'Choose options'}</summary>
      <fieldset {...naming(props)} id={id}>
        {groups.map(({ label, options }) => (
          <div key={label}>
            {label !== '' && <span className="quiet">{label}</span>}
            {options.map(({ value, text }) => (
              <label key={value}>
                <input
                  type="checkbox"
                  checked={now.includes(value)}
                  disabled={!now.includes(value) && now.length >= most}
                  onChange={() => toggle(value)}
                />
                {text}
              </label>
            ))}
          </div>
        ))}
      </fieldset>
    </details>
  );
}

function initialOf({ element }: ElementProps): string[] {
  const ids = element.initial_users ?? element.initial_channels ?? element.initial_conversations;
  return Array.isArray(ids) ? ids.map(String) : listOf(element.initial_options).map(({ value }) => textOf(value));
}
