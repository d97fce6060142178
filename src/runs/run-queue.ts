/** Names that fronts and workers share. They are stored with queued runs: an incompatible engine takes a new workflow name. */
export const runQueue = {
  name: 'tas-runs',
  workflow: 'carry-out-run-2',
  /** Fixed, so that a restarted bot takes up what an older build of the same engine left. */
  applicationVersion: 'tas-engine-2',
  application: 'tas-bot',
} as const;

/** The workflow of one attempt at a run. */
export function workflowId(runId: string, attempt: number): string {
  return attempt === 1 ? runId : `${runId}.${attempt}`;
}
