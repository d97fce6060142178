import { blockErrors, elementsIn } from './blocks.ts';
import { among, anything, fault, flag, isObject, type Rule, shape, string } from './rules.ts';
import { plainText } from './texts.ts';

/** Most bytes of a view in JSON. */
export const mostViewBytes = 250_000;

const shared = { callback_id: string(255), private_metadata: string(3000, 0), external_id: string(255) };
const modal: Rule = shape(
  { type: among('modal'), title: plainText(24), blocks: anything },
  {
    ...shared,
    submit: plainText(24),
    close: plainText(24),
    clear_on_close: flag,
    notify_on_close: flag,
    submit_disabled: flag,
  },
);
const home: Rule = shape({ type: among('home'), blocks: anything }, shared);

/** What Slack says of a modal or a Home tab, a line for each fault; empty = it takes it. */
export function viewErrors(view: unknown): string[] {
  if (!isObject(view)) return [fault('must provide an object', '/view')];
  const faults: string[] = [];
  (view.type === 'home' ? home : modal)(view, '/view', faults);
  faults.push(...blockErrors(view.blocks, 100, '/view/blocks'));
  const blocks = Array.isArray(view.blocks) ? view.blocks.filter(isObject) : [];
  if (view.type === 'modal' && view.submit === undefined && blocks.some(({ type }) => type === 'input')) {
    faults.push(fault('a submit button is required when an input block is present', '/view'));
  }
  const focused = blocks.flatMap(elementsIn).filter(({ focus_on_load }) => focus_on_load === true);
  if (focused.length > 1) faults.push(fault('only one element may have focus_on_load', '/view/blocks'));
  return faults;
}
