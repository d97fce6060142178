import { z } from 'zod';
import { isSafeAddress } from '../shared/safe-address.ts';
import { secretRef } from './system-config.ts';

const address = z
  .url()
  .refine(
    (url) => isSafeAddress(url) && !/[?#]/.test(url),
    'https:// without user, password and query (http:// only to this machine)',
  );

/** Approvals that count once their voter has logged in for them at an identity provider; absent = none need it. */
export const stepUpConfig = z
  .strictObject({
    /** Of the OpenID Connect provider: it should lie outside of the environments that are managed. */
    issuer: address,
    clientId: z.string().min(1).max(200),
    clientSecret: secretRef,
    /** Where browsers reach the bot. */
    publicUrl: address,
    /** Where the bot listens for them. */
    port: z.number().int().min(0).max(65_535).default(3001),
    /** The claim of the ID token that holds the Slack user id. Nobody may be able to set his own. */
    claim: z.string().min(1).max(100).default('slack_user_id'),
    /** Each includes what comes before it: no way back; or destroys; or changes anything. */
    for: z.enum(['one-way', 'destroys', 'changes']).default('one-way'),
    /** How long ago the login may be when its answer comes. */
    maxAgeSeconds: z.number().int().min(30).max(600).default(300),
    /** What the login must have been, in the provider's word (`acr`), e.g. with a security key; absent = any. */
    acr: z.string().min(1).max(200).optional(),
  })
  .optional();
