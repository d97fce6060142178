import { type ReactNode, useId } from 'react';
import { TextObject } from '../blocks/mrkdwn-text.tsx';
import { isLoose, listOf, textOf } from '../loose.ts';
import { useSurface } from '../surface.ts';
import { type ElementProps, naming, optionsIn } from './element-of.tsx';

/** Checkboxes or radio buttons, each with its text and description. */
export function OptionBoxes(props: ElementProps): ReactNode {
  const { element, blockId } = props;
  const name = useId();
  const { chosen, choose } = useSurface();
  const at = { blockId, actionId: textOf(element.action_id) };
  const many = element.type === 'checkboxes';
  const initial = many
    ? listOf(element.initial_options).map(({ value }) => textOf(value))
    : isLoose(element.initial_option)
      ? textOf(element.initial_option.value)
      : '';
  const now = [chosen(at, element) ?? initial].flat();
  const pick = (value: string): void => {
    if (!many) choose(at, element, value);
    else choose(at, element, now.includes(value) ? now.filter((other) => other !== value) : [...now, value]);
  };
  return (
    <fieldset className="boxes" {...naming(props)} {...(many ? {} : { role: 'radiogroup' })}>
      {optionsIn(element.options).map(({ value, loose }) => (
        <label key={value}>
          <input
            type={many ? 'checkbox' : 'radio'}
            name={name}
            checked={now.includes(value)}
            onChange={() => pick(value)}
          />
          <span>
            <TextObject value={loose.text} />
            {isLoose(loose.description) && (
              <span className="description">
                <TextObject value={loose.description} />
              </span>
            )}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
