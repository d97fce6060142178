import { z } from 'zod';

const page = z.url({ protocol: /^https$/ }).max(500);

/** The database admins' own page for each environment, shown where a run stops. */
export const runbooksConfig = z.record(z.string(), page).default({});
