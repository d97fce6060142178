import { z } from 'zod';
import { type AskField, askFields, takeField } from '../../blocks/ask-window.ts';
import { anyAction, rejectModal, tokenOfBoxes } from '../../blocks/button.ts';

/** What Slack sends, as far as the bot reads it. Anything else in a payload is ignored. */
const user = z
  .object({ id: z.string().min(1), name: z.string().optional(), username: z.string().optional() })
  .transform(({ id, name, username }) => ({ id, name: name ?? username ?? id }));

export const commandRequest = z
  .object({
    user_id: z.string().min(1),
    user_name: z.string().optional(),
    trigger_id: z.string().default(''),
    channel_name: z.string().optional(),
    text: z.string().default(''),
  })
  .transform(({ user_id, user_name, trigger_id, channel_name, text }) => ({
    user: { id: user_id, name: user_name ?? user_id },
    triggerId: trigger_id,
    text: unescapeText(text),
    /** Slack says the same word for all private ones. It helps to show, and gives no right. */
    channel: channel_name ?? null,
  }));

export const clickRequest = z
  .object({
    user,
    trigger_id: z.string(),
    container: z.object({
      channel_id: z.string().optional(),
      message_ts: z.string().optional(),
      is_ephemeral: z.boolean().default(false),
      view_id: z.string().optional(),
    }),
    actions: z
      .array(
        z.object({
          action_id: z.string().regex(anyAction),
          value: z.string().max(100).default(''),
          block_id: z.string().max(255).default(''),
          selected_options: z.array(z.object({ value: z.string().max(150) })).optional(),
          action_ts: z
            .string()
            .regex(/^\d{1,12}(\.\d{1,9})?$/)
            .default('0'),
        }),
      )
      .min(1),
  })
  .transform(({ user: clicker, trigger_id, container, actions }) => ({
    user: clicker,
    triggerId: trigger_id,
    token: tokenOfBoxes(actions[0]?.block_id ?? '') ?? actions[0]?.value ?? '',
    /** Of boxes: the values of all that are ticked there now; null = it was a button. */
    selected: actions[0]?.selected_options?.map(({ value }) => value) ?? null,
    sentAt: actions[0]?.action_ts ?? '0',
    /** The window in which it was; null = it was in a message. */
    viewId: container.view_id ?? null,
    /** Null where the message cannot be edited by its place: ephemeral ones, windows. */
    message:
      container.channel_id === undefined || container.message_ts === undefined || container.is_ephemeral
        ? null
        : { channel: container.channel_id, ts: container.message_ts },
  }));

export const reasonRequest = z
  .object({
    user,
    view: z.object({
      private_metadata: z.string().max(100),
      state: z.object({
        values: z.object({
          [rejectModal.block]: z.object({ [rejectModal.input]: z.object({ value: z.string().nullable() }) }),
        }),
      }),
    }),
  })
  .transform(({ user: voter, view }) => ({
    user: voter,
    token: view.private_metadata,
    reason: view.state.values[rejectModal.block]?.[rejectModal.input]?.value?.trim() ?? '',
  }));

const chosen = z.object({
  selected_option: z.object({ value: z.string().max(150) }).nullish(),
  selected_options: z
    .array(z.object({ value: z.string().max(150) }))
    .max(100)
    .nullish(),
  value: z.string().max(3_000).nullish(),
});

/** What stands in the window in which people ask, while they choose and when they submit it. */
export const askRequest = z
  .object({
    user,
    view: z.object({
      id: z.string().max(100),
      state: z.object({ values: z.record(z.string(), z.record(z.string(), chosen)) }),
    }),
    actions: z.array(z.object({ action_ts: z.coerce.number().catch(0) })).default([]),
  })
  .transform(({ user: asker, view, actions }) => {
    const chosenIn = (field: AskField): string | null => {
      const [first] = Object.values(view.state.values[field] ?? {});
      return (first?.selected_option?.value ?? first?.value ?? '').trim() || null;
    };
    const fields = Object.fromEntries(askFields.map((field) => [field, chosenIn(field)]));
    const sentAt = actions[0]?.action_ts ?? 0;
    const [taken] = Object.values(view.state.values[takeField] ?? {});
    return {
      user: asker,
      viewId: view.id,
      sentAt,
      fields: fields as Readonly<Record<AskField, string | null>>,
      /** Conflicts that are to be taken, as `take:` names them. */
      takes: (taken?.selected_options ?? []).map(({ value }) => value),
    };
  });

/** Somebody types into a list of the window in which people ask. */
export const suggestRequest = z
  .object({
    user,
    value: z.string().max(3_000).default(''),
    view: z.object({ private_metadata: z.string().max(3_000).default('') }),
  })
  .transform(({ user: asker, value, view }) => ({ user: asker, typed: value, environment: view.private_metadata }));

export const shortcutRequest = z
  .object({
    user,
    trigger_id: z.string(),
    channel: z.object({ id: z.string() }).optional(),
    message_ts: z.string().optional(),
  })
  .transform(({ user: asker, trigger_id, channel, message_ts }) => ({
    user: asker,
    triggerId: trigger_id,
    /** Null = it was used on no message. */
    message: channel === undefined || message_ts === undefined ? null : { channel: channel.id, ts: message_ts },
  }));

export type SuggestRequest = z.infer<typeof suggestRequest>;
export type AskRequest = z.infer<typeof askRequest>;
export type ShortcutRequest = z.infer<typeof shortcutRequest>;
export type CommandRequest = z.infer<typeof commandRequest>;
export type ClickRequest = z.infer<typeof clickRequest>;
export type ReasonRequest = z.infer<typeof reasonRequest>;

/** Slack sends `&`, `<` and `>` as entities. */
function unescapeText(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
