import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import { parseTemplate, templateSchema } from '../../shared/template.ts';
import type { StepContext } from '../system.ts';
import type { CopyChange, FoundCopy, HideChange, Outcome } from './change.ts';
import { hasSameContent } from './copy-object.ts';
import type { KindSetting } from './journal-store.ts';
import { inParallel, readHead } from './objects.ts';

const atOnce = 16;

export const referencesSchema = z
  .array(
    z.strictObject({
      system: z.string().min(1).describe('The configured system whose records may still name an old key.'),
      collection: z.string().min(1).describe('A label or table there.'),
      field: z.string().min(1).describe('The field that holds the key.'),
      value: templateSchema.default('{key}').describe('How the key stands in the field, e.g. s3://bucket/{key}.'),
    }),
  )
  .min(1);
export type References = z.infer<typeof referencesSchema>;

/** An object that has a copy: the version that was copied, and the one that holds it now. */
export interface Pair {
  readonly source: string;
  /** Null = whatever is the latest. */
  readonly sourceVersion: string | null;
  readonly size: number | null;
  readonly target: string;
  readonly targetVersion: string | null;
}

/** Why an old key stays. `gone` = there is nothing to remove any more. */
export type Reason = 'gone' | 'changed' | 'no-copy' | 'referred-to';

export type Judged =
  | { readonly change: HideChange; readonly reason: null }
  | { readonly change: null; readonly reason: Reason; readonly key: string };

/** Looks at pairs, of which no two have one source, as the stores stand now. */
export async function judge(
  setting: KindSetting,
  references: References,
  pairs: readonly Pair[],
  context: StepContext,
): Promise<Judged[]> {
  const judged = await inParallel(pairs, atOnce, (pair) => judgePair(setting, pair));
  const open = judged.flatMap(({ change }) => (change === null ? [] : [change.key]));
  const held = await findReferred(references, open, context);
  return judged.map((one) =>
    one.change !== null && held.has(one.change.key)
      ? { change: null, reason: 'referred-to', key: one.change.key }
      : one,
  );
}

async function judgePair({ s3 }: KindSetting, pair: Pair): Promise<Judged> {
  const stays = (reason: Reason): Judged => ({ change: null, reason, key: pair.source });
  const [source, latest] = await Promise.all([readHead(s3, pair.source), readHead(s3, pair.target)]);
  if (!source) return stays('gone');
  if (pair.sourceVersion !== null && source.versionId !== pair.sourceVersion) return stays('changed');
  if (!latest) return stays('no-copy');
  // A user may have written over the copy since: then it lies below, and holds the content all the same.
  const pinned = pair.targetVersion ?? latest.versionId;
  const copy = latest.versionId === pinned ? latest : await readHead(s3, pair.target, pinned);
  const known = pair.targetVersion !== null && copy?.size === pair.size;
  if (!copy || !(known || (await hasSameContent(s3, source, copy)))) return stays('no-copy');
  const { key, versionId, etag, size } = source;
  return {
    reason: null,
    change: { did: 'hide', key, versionId, etag, size, copy: { key: copy.key, versionId: copy.versionId } },
  };
}

/** Of these keys, those that a record of the named references holds. */
export async function findReferred(
  references: References,
  keys: readonly string[],
  context: StepContext,
): Promise<Set<string>> {
  const held = new Set<string>();
  if (keys.length === 0) return held;
  for (const { system, collection, field, value } of references) {
    const template = parseTemplate(value);
    const byValue = new Map(keys.map((key) => [template.fill({ key }) ?? key, key]));
    const found = await context.lookup(system, { collection, by: field, fields: [] }, [...byValue.keys()]);
    for (const text of found.keys()) held.add(byValue.get(text) ?? text);
  }
  return held;
}

/** The full id of the step that the file calls so: of the same phase, else the only one. Null = it has done nothing yet. */
export async function findCopyStep(
  { journal, system }: KindSetting,
  copiedBy: string,
  context: StepContext,
): Promise<string | null> {
  const steps = await journal.listSteps(context.runId);
  const phase = context.stepId.slice(0, context.stepId.lastIndexOf('.') + 1);
  const found = steps.filter((step) => step === copiedBy || step.endsWith(`.${copiedBy}`));
  const own = found.find((step) => step === `${phase}${copiedBy}`);
  if (own !== undefined || found.length < 2) return own ?? found[0] ?? null;
  throw new Failure({
    code: 'invalid-file',
    message: `${system}: the run has several steps ${copiedBy}: ${found.join(', ')}.`,
    advice: 'Give them different names in the migration file. Nothing was changed by this step.',
  });
}

/** What one batch of a copying step copied, or found copied. */
export async function readPairs(
  { journal }: KindSetting,
  runId: string,
  stepId: string,
  index: number,
): Promise<Pair[]> {
  const key = { runId, stepId, index };
  const [intent, outcome] = await Promise.all([journal.readIntent(key), journal.readOutcome(key)]);
  if (!intent || !outcome) return [];
  const lost = new Set(outcome.lost);
  const copies = intent.changes.filter(
    (change): change is CopyChange => change.did === 'copy' && !lost.has(change.key),
  );
  return [...copies, ...(intent.found ?? [])].map((copy) => pairOf(copy, outcome));
}

function pairOf(copy: CopyChange | FoundCopy, { made }: Outcome): Pair {
  const { key, source, sourceVersion, size } = copy;
  const targetVersion = 'versionId' in copy ? copy.versionId : (made?.[key] ?? null);
  return { source, sourceVersion, size, target: key, targetVersion };
}
