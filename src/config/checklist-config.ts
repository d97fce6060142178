import { z } from 'zod';
import { gatePoints, itemId, itemsSchema } from '../checklists/checklist-item.ts';

/** What is looked at around a migration in one environment, beside what the packs say. */
export const checklistConfig = z
  .strictObject({
    /** Further files of the form of a pack's `checklist.yaml`. */
    files: z.array(z.string()).max(20).default([]),
    items: itemsSchema.default([]),
    /** Where runs wait for an item, by its id. */
    gates: z.record(itemId, z.enum(['nothing', ...gatePoints])).default({}),
    /** Ids of items that this environment does without. */
    without: z.array(itemId).default([]),
  })
  .default({ files: [], items: [], gates: {}, without: [] });
