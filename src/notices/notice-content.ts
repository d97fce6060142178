import { z } from 'zod';
import type {
  ChecklistNotice,
  LineNotice,
  MaintenanceNotice,
  NoticeContent,
  PageNotice,
  ValidationReport,
  VoteReceipt,
  VoteWanted,
} from './notice.ts';

const line: z.ZodType<LineNotice> = z.object({
  kind: z.literal('line'),
  text: z.string(),
  runId: z.string().exactOptional(),
});

const page: z.ZodType<PageNotice> = z.object({
  kind: z.literal('page'),
  state: z.enum(['raised', 'resolved']),
  environment: z.string(),
  severity: z.enum(['critical', 'error', 'warning']),
  summary: z.string(),
  advice: z.string(),
  runId: z.string().nullable(),
  users: z.array(z.string()),
  note: z.string().nullable(),
});

const maintenance: z.ZodType<MaintenanceNotice> = z.object({
  kind: z.literal('maintenance'),
  words: z.string(),
  environment: z.string(),
  from: z.string(),
  to: z.string(),
  reason: z.string(),
  trueUntil: z.string().nullable(),
});

const openFinding = z.object({
  key: z.string(),
  title: z.string(),
  status: z.enum(['failed', 'warning']),
  count: z.number(),
  since: z.string(),
  detail: z.string().exactOptional(),
});

export const validationReport: z.ZodType<ValidationReport> = z.object({
  kind: z.literal('validation-report'),
  about: z.literal('the-bot').exactOptional(),
  schedule: z.string(),
  environment: z.string(),
  runId: z.string(),
  at: z.string(),
  totals: z.object({ passed: z.number(), warning: z.number(), failed: z.number(), skipped: z.number() }),
  fresh: z.array(openFinding),
  still: z.array(openFinding),
  fixed: z.array(openFinding),
  fixedLater: z.record(z.string(), z.string()),
});

const checklist: z.ZodType<ChecklistNotice> = z.object({ kind: z.literal('checklist'), runId: z.string() });

const voteReceipt: z.ZodType<VoteReceipt> = z.object({
  kind: z.literal('vote-receipt'),
  runId: z.string(),
  choice: z.enum(['approve', 'reject']),
  environment: z.string(),
  about: z.string(),
  destroys: z.number(),
  oneWay: z.boolean(),
  digest: z.string(),
  at: z.string(),
});

const voteWanted: z.ZodType<VoteWanted> = z.object({
  kind: z.literal('vote-wanted'),
  runId: z.string(),
  environment: z.string(),
  about: z.string(),
  votes: z.number(),
  votesNeeded: z.number(),
  expiresAt: z.string(),
});

/** What was stored is checked when it is read: another version of the bot may have written it. */
export const noticeContent: z.ZodType<NoticeContent> = z.union([
  line,
  page,
  maintenance,
  checklist,
  voteReceipt,
  voteWanted,
  validationReport,
]);
