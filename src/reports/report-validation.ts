import type { NewNotice, NoticeImage, Notices, OpenFinding, ValidationReport } from '../notices/notice.ts';
import type { Run } from '../runs/run.ts';
import type { FindingStatus } from '../systems/finding.ts';
import { compareFindings, openFindings } from './compare-findings.ts';
import type { ReportStore } from './report-store.ts';

interface Deps {
  readonly store: ReportStore;
  readonly notices: Notices;
  /** Null = it cannot be drawn here; the report goes without it. */
  readonly drawTrend: (history: readonly ValidationReport[]) => Promise<NoticeImage | null>;
}

interface Subject {
  readonly id: string;
  /** Says nothing where there is nothing new. */
  readonly quiet: boolean;
  readonly channel: string;
}

/** A quiet schedule gives a sign of life after so long, in milliseconds. */
const longestSilence = 7 * 24 * 3_600_000;
const charted = 30;

/** Reports a validation that is done, beside the one before: once, however often it is asked to. Earlier messages say what is fixed. */
export async function reportValidation(deps: Deps, subject: Subject, run: Run): Promise<void> {
  const { store, notices } = deps;
  const report = await makeReport(store, subject.id, run);
  const told = await isWorthTelling(store, subject, report);
  await store.add(report, told);
  const added: NewNotice[] = [];
  // An edit takes the place of the whole message: it brings the picture of its time again.
  const withTrend = async (content: ValidationReport): Promise<Omit<NewNotice, 'anew'>> => {
    const image = await deps.drawTrend(await store.history(subject.id, content.at, charted));
    return { ...noticeOf(subject, content), ...(image === null ? {} : { image }) };
  };
  if (told) added.push({ ...(await withTrend(report)), anew: true });
  for (const [since, keys] of bySince(report.fixed)) {
    const earlier = await store.markFixed(since, keys, report.at);
    if (earlier !== null) {
      added.push({ ...(await withTrend(earlier)), anew: false, once: `report:${since}:fixed-by:${run.id}` });
    }
  }
  await notices.add(added);
}

async function makeReport(store: ReportStore, schedule: string, run: Run): Promise<ValidationReport> {
  const at = run.endedAt ?? run.requestedAt;
  const itself = run.plan.action === 'self-check';
  const before = await store.lastBefore(schedule, at);
  const known = before === null ? [] : [...before.fresh, ...before.still];
  const count = (wanted: FindingStatus): number => run.findings.filter(({ status }) => status === wanted).length;
  return {
    kind: 'validation-report',
    ...(itself ? { about: 'the-bot' as const } : {}),
    schedule,
    environment: run.environment,
    runId: run.id,
    at,
    totals: { passed: count('passed'), warning: count('warning'), failed: count('failed'), skipped: count('skipped') },
    ...compareFindings(known, openFindings(run.findings, run.id, itself)),
    fixedLater: {},
  };
}

async function isWorthTelling(store: ReportStore, { id, quiet }: Subject, report: ValidationReport): Promise<boolean> {
  if (!quiet || report.fresh.length > 0 || report.fixed.length > 0) return true;
  const last = await store.lastTold(id);
  return last === null || Date.parse(report.at) - Date.parse(last) >= longestSilence;
}

function noticeOf({ channel }: Subject, content: ValidationReport): Omit<NewNotice, 'anew'> {
  const topic = `report:${content.runId}`;
  return { topic, to: { channel }, once: topic, content };
}

function bySince(findings: readonly OpenFinding[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { since, key } of findings) found.set(since, [...(found.get(since) ?? []), key]);
  return found;
}
