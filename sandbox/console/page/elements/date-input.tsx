import type { ReactNode } from 'react';
import { textOf } from '../loose.ts';
import { useSurface } from '../surface.ts';
import { type ElementProps, naming } from './element-of.tsx';

const kinds: Readonly<Record<string, { readonly type: string; readonly initial: string }>> = {
  datepicker: { type: 'date', initial: 'initial_date' },
  timepicker: { type: 'time', initial: 'initial_time' },
  datetimepicker: { type: 'datetime-local', initial: 'initial_date_time' },
};

/** A date, a time of day, or both. Slack keeps the latter as seconds, the browser as local time. */
export function DateInput(props: ElementProps): ReactNode {
  const { element, blockId } = props;
  const { chosen, choose } = useSurface();
  const at = { blockId, actionId: textOf(element.action_id) };
  const kind = kinds[textOf(element.type)] ?? { type: 'date', initial: 'initial_date' };
  const both = kind.type === 'datetime-local';
  const given = element[kind.initial];
  const initial = given === undefined ? '' : String(given);
  const value = String(chosen(at, element) ?? initial);
  return (
    <input
      {...naming(props)}
      type={kind.type}
      value={both ? localTime(value) : value}
      onChange={({ currentTarget }) => {
        if (currentTarget.value === '') return;
        choose(
          at,
          element,
          both ? String(Math.floor(new Date(currentTarget.value).getTime() / 1000)) : currentTarget.value,
        );
      }}
    />
  );
}

function localTime(seconds: string): string {
  if (seconds === '') return '';
  const at = new Date(Number(seconds) * 1000);
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
