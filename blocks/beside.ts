import type { Outlook } from '../src/runs/outlook.ts';
import { bare, code, linkTo } from './escape.ts';

/** What a message about a run tells beside the run itself. */
export interface Beside {
  /** To the run's own message; null = there is none, or Slack did not say where. */
  readonly link: string | null;
  readonly outlook: Outlook | null;
}

export const nothingBeside: Beside = { link: null, outlook: null };

/** A run's id, which leads to the run's own message where that is known. */
export function runLink(runId: string, link: string | null): string {
  return link === null ? code(runId) : linkTo(link, bare(runId, 40));
}
