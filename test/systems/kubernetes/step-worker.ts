/** Carries a step out from a batch on, as a process that can be killed: what each batch answered goes to stdout as a line. */
import { pino } from 'pino';
import { createSeal } from '../../../src/shared/sealed.ts';
import { createKubernetesSystem } from '../../../src/systems/kubernetes/kubernetes-system.ts';
import type { BatchRequest } from '../../../src/systems/system.ts';
import { kindOf, stepContext } from '../step-contexts.ts';

export interface StepWork {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly home: string;
  readonly kind: string;
  readonly input: object;
  readonly stepId: string;
  readonly batch: BatchRequest;
}

const work = JSON.parse(process.argv[2] ?? '') as StepWork;
const system = createKubernetesSystem({
  name: 'cluster',
  kubeconfig: work.kubeconfig,
  namespaces: [work.namespace],
  home: work.home,
  seal: createSeal(Buffer.alloc(32, 7)),
  logger: pino({ level: 'silent' }),
});
const kind = kindOf(system, work.kind);
const input = kind.input.parse(work.input);
for (let batch: BatchRequest | null = work.batch; batch !== null; ) {
  const { cursor, done } = await kind.performBatch(input, batch, stepContext({ stepId: work.stepId }));
  process.stdout.write(`${JSON.stringify({ cursor, done })}\n`);
  batch = cursor === null ? null : { ...batch, index: batch.index + 1, cursor, done: batch.done + done };
}
await system.close();
