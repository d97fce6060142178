import { bare } from './escape.ts';
import { type Block, type BoxOption, type Button, type Confirm, limits, plainText } from './message.ts';

/** What buttons do. Their value is an opaque token and proves nothing: what a click means is read from storage. */
type ButtonAction =
  | 'approve'
  | 'reject'
  | 'details'
  | 'samples'
  | 'retry'
  | 'undo'
  | 'keep'
  | 'pause'
  | 'resume'
  | 'stop'
  | 'cancel'
  | 'slower'
  | 'faster'
  | 'continue'
  | 'checklist'
  | 'dispute'
  | 'glass'
  | 'environment';

/** Tokens by action; an action without a token gets no button. */
export type Tokens = Readonly<Partial<Record<Exclude<ButtonAction, 'environment'>, string>>>;

/** Every button's action id begins so; what follows only keeps the ids of one message apart. */
const actionPrefix = 'tas-';
export const anyAction = /^tas-[a-z]+(-\d+)?$/;

/** The modal that asks for the reason of a no. */
export const rejectModal = { callback: 'tas-reject-reason', block: 'reason', input: 'text' } as const;
export const detailsModal = { callback: 'tas-details' } as const;

const labels: Readonly<Record<Exclude<ButtonAction, 'environment'>, string>> = {
  approve: 'Approve',
  reject: 'Reject…',
  details: 'Details',
  samples: 'Samples',
  retry: 'Retry',
  undo: 'Undo…',
  keep: 'Keep and stop',
  pause: 'Pause',
  resume: 'Resume',
  stop: 'Stop…',
  cancel: 'Withdraw…',
  slower: 'Slower',
  faster: 'Faster',
  continue: 'Continue with everything',
  checklist: 'Show all',
  glass: 'Break the glass…',
  dispute: 'That wasn\u2019t me',
};

/** Null when there is no token. */
export function button(
  action: Exclude<ButtonAction, 'environment'>,
  tokens: Tokens,
  options: { style?: 'primary' | 'danger'; confirm?: Confirm } = {},
): Button | null {
  const value = tokens[action];
  if (value === undefined) return null;
  return {
    type: 'button',
    action_id: `${actionPrefix}${action}`,
    text: plainText(labels[action], limits.buttonText),
    value,
    ...options,
  };
}

export function environmentButton(index: number, label: string, value: string): Button {
  return {
    type: 'button',
    action_id: `${actionPrefix}environment-${index}`,
    text: plainText(bare(label, limits.buttonText), limits.buttonText),
    value,
  };
}

/** A way back: what it asks is stored behind its token. */
export function wayButton(
  index: number,
  label: string,
  value: string,
  options: { style?: 'primary' | 'danger'; confirm?: Confirm } = {},
): Button {
  return {
    type: 'button',
    action_id: `${actionPrefix}way-${index}`,
    text: plainText(bare(label, limits.buttonText), limits.buttonText),
    value,
    ...options,
  };
}

/** What the browser does, and not the bot: Slack tells the bot of such clicks, and that is all. */
export const linkAction = 'tas_link';

export function linkButton(label: string, url: string): Button {
  return {
    type: 'button',
    action_id: linkAction,
    text: plainText(label, limits.buttonText),
    value: 'link',
    url,
    style: 'primary',
  };
}

/** Boxes say which of them are ticked, and have no value: the token that tells what they are is in their block's id. */
const boxesPrefix = `${actionPrefix}token-`;

export function boxes(
  index: number,
  token: string,
  options: readonly BoxOption[],
  ticked: readonly BoxOption[],
): Block {
  const initial = ticked.length === 0 ? {} : { initial_options: ticked };
  const element = { type: 'checkboxes' as const, action_id: `${actionPrefix}boxes-${index}`, options, ...initial };
  return { type: 'actions', block_id: `${boxesPrefix}${token}`, elements: [element] };
}

/** Null for blocks that hold no boxes of ours. */
export function tokenOfBoxes(blockId: string): string | null {
  return blockId.startsWith(boxesPrefix) ? blockId.slice(boxesPrefix.length) : null;
}

/** Against a tap on the wrong line: repeats what is about to happen. */
export function confirm(title: string, text: string, yes: string, style: 'primary' | 'danger'): Confirm {
  return {
    title: plainText(title, limits.confirmTitle),
    text: plainText(text, limits.confirmText),
    confirm: plainText(yes, 30),
    deny: plainText('Cancel', 30),
    style,
  };
}
