import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf, type JsonObject } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import {
  type BatchRequest,
  defineStepKind,
  type StepContext,
  type StepPreview,
  type UndoBatchResult,
  type UndoContext,
} from '../../system.ts';
import { durationText, milliseconds } from '../../wait-for.ts';
import type { RemoveChange } from '../change.ts';
import { attemptsEnd, followJob, type JobOrder, lastJob } from '../follow-job.ts';
import { jobManifest, jobName, jobSource, podsOfJob } from '../job.ts';
import type { StepKey } from '../journal.ts';
import { type KindSetting, runPart } from '../part.ts';
import { containersOf, logRight, readLogs } from '../pod-logs.ts';
import { pathOf, resources } from '../resources.ts';
import type { Right } from '../rights.ts';
import { sampleOf } from '../undo.ts';
import { patternText } from './check-logs.ts';
import type { ClusterKind } from './index.ts';

const inputSchema = z.strictObject({
  namespace: z.string().min(1).describe('One of those that the configuration names.'),
  name: z
    .string()
    .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/)
    .max(50)
    .describe('What the Job’s name begins with; run and step make it unique.'),
  from: jobSource.describe('`cronJob: name`, or `manifest:` with a Job.'),
  within: durationText.default('30m').describe('How long it may take; then its pods are ended and the step fails.'),
  expect: patternText
    .optional()
    .describe('A regular expression that has to match one of its last lines, e.g. `, 0 failed`.'),
  undoJob: jobSource
    .optional()
    .describe('A Job that takes back what this one does. Absent = its undo removes it only.'),
});
type Input = z.infer<typeof inputSchema>;

const rights: readonly Right[] = [
  ...(['get', 'create', 'patch', 'delete'] as const).map((verb) => ({ verb, kind: 'Job' as const })),
  { verb: 'get', kind: 'CronJob' },
  { verb: 'list', kind: 'Pod' },
  logRight,
];

/** Makes a Job, follows it to its end, and fails with its reason. For integration and smoke tests. */
export function runJobKind(setting: KindSetting): ClusterKind {
  const kind = defineStepKind<Input>({
    name: 'kubernetes.run-job',
    effect: 'changes',
    input: inputSchema,
    describe: ({ namespace, name, from }) =>
      `runs the Job ${namespace}/${name}${'cronJob' in from ? ` of the CronJob ${from.cronJob}` : ''}`,
    preview: (input, context) => preview(setting, input, context),
    async performBatch(input, batch, context) {
      await setting.journal.writeEntry(context, 'direction', 'forth');
      return followJob(setting, context, batch, orderOf(setting, input, input.from));
    },
    verify: ({ expect, ...input }, context) =>
      expect === undefined ? Promise.resolve([]) : checkLines(setting, input, expect, context),
    async previewUndo(input, context) {
      const changes = await plannedRemovals(setting, context.undoes);
      const source = await sourceOfUndo(setting, input, context);
      return {
        count: changes.length,
        exact: true,
        keysHash: digestOf(changes.map(({ uid }) => uid)),
        schemaHash: digestOf({ system: setting.system }),
        samples: changes.slice(0, 5).map(sampleOf),
        undoClass: input.undoJob ? 'reversible' : 'one-way',
        locks: source ? [`another Job takes it back; waits up to ${input.within} for it`] : [],
        bytes: 4_000,
        findings: [],
      };
    },
    undoBatch: (input, batch, context) => undo(setting, input, batch, context),
    narrow: () => null,
  });
  return { kind, rights };
}

function orderOf(
  { cluster }: KindSetting,
  input: Pick<Input, 'namespace' | 'name' | 'within'>,
  from: Input['from'],
): JobOrder {
  const { namespace, name } = input;
  const withinMs = milliseconds(input.within);
  return {
    namespace,
    name,
    withinMs,
    async manifest() {
      const made = await jobManifest(cluster, namespace, from, withinMs);
      if (made) return made;
      throw new Failure({
        code: 'precondition-failed',
        message: `${cluster.place.system}: there is no CronJob ${namespace}/${'cronJob' in from ? from.cronJob : ''}.`,
        advice: 'Nothing was begun. Create it, or correct the step.',
      });
    },
  };
}

async function preview(setting: KindSetting, input: Input, { runId, stepId }: StepContext): Promise<StepPreview> {
  const { namespace, name, from, undoJob, within } = input;
  setting.cluster.checkNamespace(namespace);
  const withinMs = milliseconds(within);
  const sources = [from, ...(undoJob ? [undoJob] : [])];
  const manifests = await Promise.all(
    sources.map((source) => jobManifest(setting.cluster, namespace, source, withinMs)),
  );
  const findings = await Promise.all(
    manifests.map((manifest, i) => tryJob(setting, namespace, jobName(name, runId, stepId, i), manifest)),
  );
  const key = `${name}-…`;
  return {
    count: 1,
    exact: true,
    keysHash: digestOf([namespace, name]),
    // The Job is signed as it is: a CronJob that changes meanwhile makes another plan.
    schemaHash: digestOf({ system: setting.system, manifests }),
    samples: [{ collection: `${namespace}/Job`, key, before: { exists: false }, after: { exists: true } }],
    undoClass: undoJob ? 'reversible' : 'one-way',
    locks: [`waits up to ${within} for the Job to end; then its pods are ended`],
    bytes: 4_000,
    findings: findings.flat(),
  };
}

/** Asks the server whether it would take the Job; nothing is made. */
async function tryJob(
  { cluster }: KindSetting,
  namespace: string,
  name: string,
  manifest: JsonObject | null,
): Promise<Finding[]> {
  const wrong = (title: string, advice: string): Finding[] => [
    { check: 'job-accepted', title, status: 'failed', count: 1, samples: [], advice },
  ];
  if (manifest === null) return wrong(`There is no such CronJob in ${namespace}`, 'Create it, or correct the step.');
  const metadata = { ...(manifest.metadata as JsonObject), name };
  try {
    await cluster.request(
      { verb: 'create', resource: 'jobs.batch', namespace },
      {
        method: 'POST',
        path: `${pathOf(resources.Job, namespace)}?dryRun=All`,
        body: { apiVersion: 'batch/v1', kind: 'Job', ...manifest, metadata },
      },
    );
    return [];
  } catch (error) {
    if (!(error instanceof Failure) || error.retryable) throw error;
    return wrong(error.message, error.advice);
  }
}

async function checkLines(
  setting: KindSetting,
  input: Pick<Input, 'namespace' | 'name'>,
  expect: string,
  context: StepContext,
): Promise<Finding[]> {
  const pattern = new RegExp(expect);
  const job = await lastJob(setting, context, input);
  const pods = job ? await podsOfJob(setting.cluster, job) : [];
  let read = false;
  for (const pod of [...pods].reverse()) {
    for (const { name } of containersOf(pod)) {
      const logs = await readLogs(setting.cluster, pod, name, { tailLines: 200 });
      if ('none' in logs) continue;
      read = true;
      if (!logs.lines.some((line) => pattern.test(line))) continue;
      return [{ check: 'job-said', title: 'The Job said what it should', status: 'passed', count: 0, samples: [] }];
    }
  }
  const title = read ? 'The Job did not say what it should' : 'What the Job said cannot be read';
  const advice = read ? 'See its log.' : 'Leave `expect` out where logs are not to be had.';
  return [{ check: 'job-said', title, status: 'failed', count: 1, samples: [], advice }];
}

/** Jobs that the step made and that are still there. */
async function plannedRemovals({ cluster, journal }: KindSetting, key: StepKey): Promise<RemoveChange[]> {
  const changes: RemoveChange[] = [];
  for (const part of await journal.listParts(key)) {
    const intent = await journal.readIntent({ ...key, part });
    const outcome = await journal.readOutcome({ ...key, part });
    for (const [number, change] of (intent?.changes ?? []).entries()) {
      if (change.did !== 'create') continue;
      const found = await cluster.get(change.object);
      const mark = `${key.runId}/${key.stepId}/${part}`;
      const ours =
        found !== null &&
        (found.metadata.uid === outcome?.made[number] || found.metadata.annotations?.['tas-bot/made-by'] === mark);
      if (!ours) continue;
      changes.push({ did: 'remove', object: change.object, uid: found.metadata.uid, manifest: change.manifest });
    }
  }
  return changes;
}

/** An undo runs the Job that takes back, an undo of that the Job itself again; without such a Job nothing runs. */
async function sourceOfUndo(
  { journal }: KindSetting,
  { from, undoJob }: Input,
  { undoes }: UndoContext,
): Promise<Input['from'] | null> {
  const wasUndo = (await journal.readEntry(undoes, 'direction')) === 'back';
  if (!undoJob) return null;
  return wasUndo ? from : undoJob;
}

/** First the Jobs go, so that none runs any more; then the one that takes back, if there is one. */
async function undo(
  setting: KindSetting,
  input: Input,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  const nothing = { kept: 0, missing: 0 };
  const source = await sourceOfUndo(setting, input, context);
  if (batch.cursor === null) {
    const wasUndo = (await setting.journal.readEntry(context.undoes, 'direction')) === 'back';
    await setting.journal.writeEntry(context, 'direction', wasUndo ? 'forth' : 'back');
    const { done } = await runPart(setting, context, attemptsEnd, 0, async () => {
      return { version: 1, changes: await plannedRemovals(setting, context.undoes), conflicts: [] };
    });
    return { cursor: source ? { attempt: 0, waitedMs: 0 } : null, done, ...nothing };
  }
  if (!source) return { cursor: null, done: 0, ...nothing };
  const result = await followJob(setting, context, batch, orderOf(setting, input, source));
  return { ...result, ...nothing };
}
