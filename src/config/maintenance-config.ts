import { z } from 'zod';
import { occasions, unknownNames, usualWords, wordNames } from '../maintenance/words.ts';
import { durationSchema } from '../shared/duration-text.ts';
import { isZone } from '../shared/local-time.ts';
import { isSafeAddress } from '../shared/safe-address.ts';
import { secretRef } from './system-config.ts';

const words = z
  .string()
  .min(1)
  .max(1_000)
  .superRefine((text, context) => {
    const [unknown] = unknownNames(text);
    if (unknown === undefined) return;
    const known = wordNames.map((name) => `{${name}}`).join(' ');
    context.addIssue({ code: 'custom', message: `${unknown} stands for nothing; there are ${known}` });
  });

const statusPage = z.strictObject({
  /** The header that goes along is a secret. */
  url: z.url().refine(isSafeAddress, 'https:// without user and password (http:// only to this machine)'),
  /** Sent with each request, e.g. `Authorization`. */
  header: z.strictObject({ name: z.string().regex(/^[A-Za-z0-9-]{1,60}$/), value: secretRef }),
});

const oneEnvironment = z.strictObject({
  /** The users' channels: names without #, or ids. */
  channels: z.array(z.string()).max(20).default([]),
  /** How long before a window users are told. */
  before: z.array(durationSchema).max(10).default(['24h', '1h', '10m']),
  /** Of times that name none. */
  zone: z.string().refine(isZone, 'a time zone, e.g. Europe/Berlin').default('UTC'),
  /** What users are told; those that are not named here are as usual. */
  words: z
    .strictObject(Object.fromEntries(occasions.map((occasion) => [occasion, words.optional()])))
    .default({})
    .transform((given) => ({ ...usualWords, ...given })),
  /** The configured system (type kubernetes) that holds maintenance mode; absent = windows do not turn it on. */
  mode: z.string().optional(),
  /** How long before a window votes on its maintenance mode are asked for. */
  askAhead: durationSchema.default('24h'),
  statusPage: statusPage.optional(),
});

/** By environment: how users learn of maintenance. */
export const maintenanceConfig = z.record(z.string(), oneEnvironment).default({});
