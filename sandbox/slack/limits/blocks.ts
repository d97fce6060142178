import { z } from 'zod';

/** Most characters of all blocks of a message in JSON; measured on Slack, not documented. */
const mostCharacters = 13_200;

const plain = (most: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: z.string().min(1).max(most), emoji: z.boolean().optional() });
const mrkdwn = (most: number) =>
  z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(most), verbatim: z.boolean().optional() });
const text = (most: number) => z.union([plain(most), mrkdwn(most)]);

const actionId = z.string().min(1).max(255);
const confirm = z.strictObject({
  title: plain(100),
  text: text(300),
  confirm: plain(30),
  deny: plain(30),
  style: z.enum(['primary', 'danger']).optional(),
});

const button = z.strictObject({
  type: z.literal('button'),
  text: plain(75),
  action_id: actionId.optional(),
  url: z.url().max(3000).optional(),
  value: z.string().max(2000).optional(),
  style: z.enum(['primary', 'danger']).optional(),
  confirm: confirm.optional(),
  accessibility_label: z.string().max(75).optional(),
});

const option = z.strictObject({ text: text(75), value: z.string().max(150), description: text(75).optional() });
const options = z.array(option).min(1).max(100);
const select = z.strictObject({
  type: z.literal('static_select'),
  action_id: actionId.optional(),
  options,
  placeholder: plain(150).optional(),
  initial_option: option.optional(),
  confirm: confirm.optional(),
});
const overflow = z.strictObject({
  type: z.literal('overflow'),
  action_id: actionId.optional(),
  options: z.array(option).min(1).max(5),
  confirm: confirm.optional(),
});
const checkboxes = z.strictObject({
  type: z.literal('checkboxes'),
  action_id: actionId.optional(),
  options: z.array(option).min(1).max(10),
  initial_options: z.array(option).min(1).optional(),
  confirm: confirm.optional(),
});
const textInput = z.strictObject({
  type: z.literal('plain_text_input'),
  action_id: actionId.optional(),
  multiline: z.boolean().optional(),
  initial_value: z.string().max(3000).optional(),
  min_length: z.number().int().min(0).max(3000).optional(),
  max_length: z.number().int().min(1).max(3000).optional(),
  placeholder: plain(150).optional(),
  focus_on_load: z.boolean().optional(),
});
const image = z.strictObject({
  type: z.literal('image'),
  image_url: z.url().max(3000),
  alt_text: z.string().min(1).max(2000),
});

const blockId = z.string().min(1).max(255).optional();
const interactive = z.discriminatedUnion('type', [button, select, overflow, checkboxes]);

const block = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('section'),
      block_id: blockId,
      text: text(3000).optional(),
      fields: z.array(text(2000)).min(1).max(10).optional(),
      accessory: z.discriminatedUnion('type', [button, select, overflow, checkboxes, image]).optional(),
      expand: z.boolean().optional(),
    })
    .refine((section) => section.text !== undefined || section.fields !== undefined, 'a section needs text or fields'),
  z.strictObject({ type: z.literal('header'), block_id: blockId, text: plain(150) }),
  z.strictObject({ type: z.literal('divider'), block_id: blockId }),
  z.strictObject({
    type: z.literal('context'),
    block_id: blockId,
    elements: z
      .array(z.union([text(3000), image]))
      .min(1)
      .max(10),
  }),
  z.strictObject({ type: z.literal('actions'), block_id: blockId, elements: z.array(interactive).min(1).max(25) }),
  z.strictObject({
    type: z.literal('input'),
    block_id: blockId,
    label: plain(2000),
    element: z.discriminatedUnion('type', [textInput, select, checkboxes]),
    hint: plain(2000).optional(),
    optional: z.boolean().optional(),
    dispatch_action: z.boolean().optional(),
  }),
]);

const view = z.strictObject({
  type: z.enum(['modal', 'home']),
  title: plain(24).optional(),
  submit: plain(24).optional(),
  close: plain(24).optional(),
  callback_id: z.string().max(255).optional(),
  private_metadata: z.string().max(3000).optional(),
  external_id: z.string().max(255).optional(),
  clear_on_close: z.boolean().optional(),
  notify_on_close: z.boolean().optional(),
  blocks: z.array(z.unknown()),
});

export type Block = z.infer<typeof block>;

/** What Slack would say of these blocks, one line a fault; empty = it takes them. `most` = 50 in a message, 100 in a view. */
export function blockErrors(blocks: unknown, most: 50 | 100): string[] {
  const parsed = z.array(block).safeParse(blocks);
  if (!parsed.success)
    return parsed.error.issues.map((issue) => `${issue.message} [json-pointer:/${issue.path.join('/')}]`);
  const errors: string[] = [];
  if (parsed.data.length > most) errors.push(`no more than ${most} items allowed [json-pointer:/blocks]`);
  if (JSON.stringify(parsed.data).length > mostCharacters) errors.push('the blocks are too long in all');
  errors.push(
    ...doubled(
      'block_id',
      parsed.data.map((item) => item.block_id),
    ),
  );
  errors.push(...doubled('action_id', parsed.data.flatMap(actionIds)));
  return errors;
}

/** The same for a modal or a Home tab. */
export function viewErrors(value: unknown): string[] {
  const parsed = view.safeParse(value);
  if (!parsed.success)
    return parsed.error.issues.map((issue) => `${issue.message} [json-pointer:/view/${issue.path.join('/')}]`);
  if (parsed.data.type === 'modal' && parsed.data.title === undefined)
    return ['a modal needs a title [json-pointer:/view/title]'];
  return blockErrors(parsed.data.blocks, 100);
}

function actionIds(item: Block): (string | undefined)[] {
  const elements =
    item.type === 'actions' ? item.elements : item.type === 'section' && item.accessory ? [item.accessory] : [];
  return elements.map((element) => ('action_id' in element ? element.action_id : undefined));
}

function doubled(what: string, ids: readonly (string | undefined)[]): string[] {
  const named = ids.filter((id) => id !== undefined);
  return named.length === new Set(named).size ? [] : [`${what} already exists`];
}
