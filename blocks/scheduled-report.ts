import type { OpenFinding, ValidationReport } from '../src/notices/notice.ts';
import { runLink } from './beside.ts';
import { cut } from './cut.ts';
import { plain } from './escape.ts';
import { type Block, context, limits, type Message, section, sections } from './message.ts';
import { sayCount, sayUtc } from './say.ts';

const mostShown = 40;
/** Characters of the first lines, the last one, titles and the picture's words. */
const kept = 3000;

/** What a scheduled validation found: pass or fail first, then what is new, what is fixed, and what stays. */
export function scheduledReport(report: ValidationReport, link: string | null = null): Message {
  const { totals, environment, runId, fresh, still, fixed } = report;
  const open = fresh.length + still.length;
  const headline = `${totals.failed > 0 ? '✗' : totals.warning > 0 ? '⚠' : '✓'} ${report.about === 'the-bot' ? 'the bot itself, for ' : ''}${plain(environment, 60)}: ${sayResult(report)}`;
  // What does not fit is counted; what is new comes first.
  const room = { left: limits.characters - kept };
  const news = [count(fresh.length, 'new'), count(fixed.length, 'fixed'), count(still.length, 'as before')].filter(
    Boolean,
  );
  const text = news.length === 0 ? headline : `${headline} (${news.join(', ')})`;
  return {
    text: cut(text, limits.text),
    blocks: [
      section(`*${headline}*${news.length === 0 ? '' : `\n${news.join(' · ')}`}`),
      ...listOf('New', fresh, report, room),
      ...listOf('Fixed since the last report', fixed, null, room),
      ...listOf('As before', still, report, room),
      context(
        `${totals.passed} passed · ${totals.warning} ${totals.warning === 1 ? 'warning' : 'warnings'} · ${totals.failed} failed · ${totals.skipped} skipped · ${sayUtc(report.at)} · ${runLink(runId, link)} · ${open === 0 ? 'nothing to do' : '/tas runs shows the run'}`,
      ),
    ],
  };
}

function sayResult({ totals }: ValidationReport): string {
  const checks = totals.passed + totals.warning + totals.failed;
  if (totals.failed > 0) return `${totals.failed} of ${checks} checks failed`;
  return totals.warning > 0 ? `${totals.warning} of ${checks} checks warn` : `all ${checks} checks passed`;
}

const count = (many: number, what: string): string => (many === 0 ? '' : `${many} ${what}`);

function listOf(
  title: string,
  findings: readonly OpenFinding[],
  report: ValidationReport | null,
  room: { left: number },
): Block[] {
  if (findings.length === 0) return [];
  const lines: string[] = [];
  for (const finding of findings.slice(0, mostShown)) {
    const line = lineOf(finding, report);
    const needed = JSON.stringify(line).length;
    if (needed > room.left) break;
    room.left -= needed;
    lines.push(line);
  }
  const more = findings.length - lines.length;
  return sections([`*${title}*`, ...lines, ...(more > 0 ? [`… and ${more} more`] : [])]);
}

/** What was fixed later is struck out, with when. */
function lineOf({ key, title, status, count: records, detail }: OpenFinding, report: ValidationReport | null): string {
  const text = `${plain(title, 150)}${records > 0 ? ` (${sayCount(records)})` : ''}`;
  const fixedAt = report?.fixedLater[key];
  if (report === null) return `✓ ${text}`;
  if (fixedAt !== undefined) return `✓ ~${text}~ fixed, seen at ${sayUtc(fixedAt)}`;
  return `${status === 'failed' ? '✗' : '⚠'} ${text}${detail === undefined ? '' : `\n    ${plain(detail, 250)}`}`;
}
