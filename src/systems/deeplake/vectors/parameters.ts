import { z } from 'zod';
import { durationSchema } from '../../../shared/duration-text.ts';

/** Parameters that the kinds on vectors have in common. */
export const datasetsSchema = z
  .string()
  .regex(/^[^/\\]+(\/[^/\\]+){0,5}$/, 'a name under the root, with * for anything but /')
  .describe('Names of datasets under the root; * stands for anything but /. What lies beside one (--) is left out.');

export const batchSchema = z
  .number()
  .int()
  .min(1)
  .max(2048)
  .default(64)
  .describe('Texts in one request to the endpoint; a crash loses at most one request.');

export const withinSchema = durationSchema
  .default('1h')
  .describe('How long the endpoint may fail or ask to wait without a vector before the step stops, to be retried.');
