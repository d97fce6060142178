import { cut } from './cut.ts';

/** The part of Slack's Block Kit that the bot uses; `mrkdwn` is always verbatim, so that Slack links nothing by itself. */
interface PlainText {
  readonly type: 'plain_text';
  readonly text: string;
}

interface Mrkdwn {
  readonly type: 'mrkdwn';
  readonly text: string;
  readonly verbatim: true;
}

export interface Confirm {
  readonly title: PlainText;
  readonly text: PlainText;
  readonly confirm: PlainText;
  readonly deny: PlainText;
  readonly style?: 'primary' | 'danger';
}

export interface Button {
  readonly type: 'button';
  readonly action_id: string;
  readonly text: PlainText;
  readonly value: string;
  /** Opens this in the browser instead of asking the bot. */
  readonly url?: string;
  readonly style?: 'primary' | 'danger';
  readonly confirm?: Confirm;
}

/** A box with its words; what it stands for is told by the token in its block's id. */
export interface BoxOption {
  readonly text: PlainText;
  readonly description?: PlainText;
  readonly value: string;
}

export interface Checkboxes {
  readonly type: 'checkboxes';
  readonly action_id: string;
  readonly options: readonly BoxOption[];
  /** Absent = none is ticked. */
  readonly initial_options?: readonly BoxOption[];
}

interface TextInput {
  readonly type: 'plain_text_input';
  readonly action_id: string;
  readonly multiline: boolean;
  readonly min_length?: number;
  readonly max_length: number;
}

/** One of a list; the value comes back as it was sent, from whoever sends it. */
export interface SelectOption {
  readonly text: PlainText;
  readonly description?: PlainText;
  readonly value: string;
}

export interface StaticSelect {
  readonly type: 'static_select';
  readonly action_id: string;
  readonly placeholder: PlainText;
  readonly options: readonly SelectOption[];
  readonly initial_option?: SelectOption;
}

/** Some of a list. */
interface MultiSelect {
  readonly type: 'multi_static_select';
  readonly action_id: string;
  readonly placeholder: PlainText;
  readonly options: readonly SelectOption[];
  readonly max_selected_items: number;
}

/** Its options are asked for while somebody types. */
export interface ExternalSelect {
  readonly type: 'external_select';
  readonly action_id: string;
  readonly placeholder: PlainText;
  readonly min_query_length: number;
}

export interface Input {
  readonly type: 'input';
  readonly block_id: string;
  readonly label: PlainText;
  readonly element: TextInput | StaticSelect | MultiSelect | ExternalSelect;
  readonly hint?: PlainText;
  readonly optional?: boolean;
  /** The bot hears of each choice, and not only of all when they are submitted. */
  readonly dispatch_action?: boolean;
}

export type Block =
  | { readonly type: 'section'; readonly text: Mrkdwn }
  | { readonly type: 'context'; readonly elements: readonly Mrkdwn[] }
  | { readonly type: 'actions'; readonly elements: readonly (Button | Checkboxes)[]; readonly block_id?: string }
  | { readonly type: 'divider' }
  | { readonly type: 'image'; readonly slack_file: { readonly id: string }; readonly alt_text: string }
  | Input;

/** What is posted: `text` is the notification and what a screen reader says; `blocks` is what is seen. */
export interface Message {
  readonly text: string;
  readonly blocks: readonly Block[];
}

export interface Modal {
  readonly type: 'modal';
  readonly callback_id: string;
  readonly private_metadata: string;
  readonly title: PlainText;
  readonly submit?: PlainText;
  readonly close: PlainText;
  readonly blocks: readonly Block[];
}

/** What somebody sees in the app's own tab. */
export interface HomeView {
  readonly type: 'home';
  readonly blocks: readonly Block[];
}

export const limits = {
  text: 3000,
  section: 3000,
  context: 2000,
  blocks: 50,
  modalBlocks: 100,
  /** Of all blocks as JSON; Slack refuses somewhat above 13,000. */
  characters: 12_000,
  buttons: 25,
  buttonText: 75,
  modalTitle: 24,
  confirmTitle: 100,
  confirmText: 300,
  boxes: 10,
  boxText: 75,
  options: 100,
  optionText: 75,
  optionValue: 150,
  label: 200,
} as const;

export function plainText(text: string, limit: number): PlainText {
  return { type: 'plain_text', text: cut(text, limit) };
}

/** `text` is mrkdwn, made of words of our own and of data that went through `escape.ts`. */
export function section(text: string): Block {
  return { type: 'section', text: mrkdwn(text, limits.section) };
}

/** Small print. */
export function context(text: string): Block {
  return { type: 'context', elements: [mrkdwn(text, limits.context)] };
}

export const divider: Block = { type: 'divider' };

/** The message with a picture at its end; `shows` says in words what it shows. */
export function withImage({ text, blocks }: Message, fileId: string, shows: string): Message {
  const image: Block = { type: 'image', slack_file: { id: fileId }, alt_text: cut(shows === '' ? text : shows, 2000) };
  return { text, blocks: [...blocks.slice(0, limits.blocks - 1), image] };
}

/** No block at all when there is no button. */
export function actions(buttons: readonly (Button | null)[]): Block[] {
  const elements = buttons.filter((button) => button !== null).slice(0, limits.buttons);
  return elements.length === 0 ? [] : [{ type: 'actions', elements }];
}

/** Lines as sections, each as full as it may be. */
export function sections(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let text = '';
  for (const line of lines) {
    const short = cut(line, limits.section);
    if (text !== '' && text.length + short.length + 1 > limits.section) {
      blocks.push(section(text));
      text = short;
    } else {
      text = text === '' ? short : `${text}\n${short}`;
    }
  }
  return text === '' ? blocks : [...blocks, section(text)];
}

function mrkdwn(text: string, limit: number): Mrkdwn {
  return { type: 'mrkdwn', text: text === '' ? ' ' : cut(text, limit), verbatim: true };
}
