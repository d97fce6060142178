import { z } from 'zod';

export const parts = ['before', 'during', 'after'] as const;
export type Part = (typeof parts)[number];

/** Where a run may wait for an item, in the order in which it comes by. */
export const gatePoints = ['start', 'services-up', 'end'] as const;
export type GatePoint = (typeof gatePoints)[number];

/**
 * What the bot can see of a run by itself, and from where on it can be seen: a run that waited for it before that would wait
 * for ever. `start` = known when the run is asked for.
 */
export const evidenceSeen = {
  backup: 'services-up',
  'backup-proven': 'start',
  'version-recorded': 'start',
  rehearsed: 'start',
  'way-back': 'start',
  'maintenance-on': 'services-up',
  'services-stopped': 'services-up',
  'migrations-run': 'services-up',
  consistency: 'services-up',
  validation: 'services-up',
  'code-updated': 'services-up',
  'integration-tests': 'end',
  health: 'end',
  logs: 'end',
  workflows: 'end',
  metrics: 'end',
  'maintenance-off': 'end',
} as const satisfies Readonly<Record<string, GatePoint>>;

export type EvidenceName = keyof typeof evidenceSeen;
const evidenceNames = Object.keys(evidenceSeen) as [EvidenceName, ...EvidenceName[]];

/** Slack's boxes hold 75 characters. */
export const mostText = 75;
export const mostItems = 100;

export const itemId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,39}$/, 'lower-case letters, digits and dashes, beginning with a letter, at most 40');

const fields = z.strictObject({
  id: itemId,
  part: z.enum(parts),
  text: z.string().trim().min(1).max(mostText, `at most ${mostText} characters: a box in Slack holds no more`),
  evidence: z.enum(evidenceNames).optional(),
  who: z.enum(['operator', 'approver']).optional(),
  gates: z.enum(['nothing', ...gatePoints]).default('nothing'),
});

/** One thing to be looked at in a run: the bot sees it by itself (`evidence`), or a person ticks it (`who`). */
export interface ChecklistItem {
  readonly id: string;
  readonly part: Part;
  readonly text: string;
  /** Null = a person ticks it. */
  readonly evidence: EvidenceName | null;
  /** Whose tick counts; null = nobody's, the bot sees it. An approver's item is never ticked by who asked for the run. */
  readonly who: 'operator' | 'approver' | null;
  /** Where a run waits until it is ticked. */
  readonly gates: 'nothing' | GatePoint;
}

export const itemSchema = fields
  .superRefine((item, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (item.evidence === undefined && item.who === undefined) {
      refuse('id', 'write `evidence:` for what the bot can see, or `who: operator` or `who: approver` for a person');
    }
    if (item.evidence !== undefined && item.who !== undefined) {
      refuse('who', 'what the bot sees by itself is ticked by nobody else: leave out `who` or `evidence`');
    }
    const late = seenTooLate(item.evidence ?? null, item.gates);
    if (late !== null) refuse('gates', late);
  })
  .transform(({ evidence = null, who = null, ...item }): ChecklistItem => ({ ...item, evidence, who }));

/** Items as an environment of the configuration has them. */
export const itemsSchema = z.array(itemSchema).max(mostItems);

/** What is stored with a run: items as they were when it was asked for. */
export const storedItems: z.ZodType<readonly ChecklistItem[]> = z.array(
  z.object({
    id: z.string(),
    part: z.enum(parts),
    text: z.string(),
    evidence: z.enum(evidenceNames).nullable(),
    who: z.enum(['operator', 'approver']).nullable(),
    gates: z.enum(['nothing', ...gatePoints]),
  }),
);

/** Why a run cannot wait for this there, in words that go on after a colon; null = it can. */
export function seenTooLate(evidence: EvidenceName | null, gates: ChecklistItem['gates']): string | null {
  if (evidence === null || gates === 'nothing') return null;
  const seen = evidenceSeen[evidence];
  if (gatePoints.indexOf(seen) <= gatePoints.indexOf(gates)) return null;
  return `the bot can see ${evidence} at ${seen} at the earliest, and the run would wait at ${gates} for ever: write \`gates: ${seen}\``;
}
