import { z } from 'zod';
import { readCron } from '../schedules/cron.ts';
import { scheduledActions } from '../schedules/schedule.ts';
import { durationSchema } from '../shared/duration-text.ts';
import { isZone } from '../shared/local-time.ts';

const schedule = z.strictObject({
  /** Stable: pauses and reports hang on it. */
  id: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'lower-case letters, digits and dashes, at most 40'),
  action: z.enum(scheduledActions),
  /** Minute, hour, day, month, weekday. */
  cron: z.string().superRefine((text, context) => {
    const cron = readCron(text);
    if (typeof cron === 'string') context.addIssue({ code: 'custom', message: cron });
  }),
  zone: z.string().refine(isZone, 'a time zone, e.g. Europe/Berlin').default('UTC'),
  /** True = what would say nothing new is left out. */
  quiet: z.boolean().default(false),
});

const oneEnvironment = z.strictObject({
  at: z
    .array(schedule)
    .max(50)
    .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, 'two have the same id')
    .default([]),
  /** Which backup sets stay whatever happens; absent = none is ever removed. */
  keep: z
    .strictObject({ newest: z.number().int().min(1).max(1000), days: z.number().int().min(1).max(3650) })
    .optional(),
  /** The self-check says so when the newest backup set is older; absent = it does not look. */
  backupWithin: durationSchema.optional(),
});

/** By environment: what the bot asks for at set times, and what it keeps. */
export const schedulesConfig = z.record(z.string(), oneEnvironment).default({});
