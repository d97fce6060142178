import { z } from 'zod';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type StepPreview } from '../../system.ts';
import { planMaintenance, refusedMaintenance } from '../maintenance.ts';
import type { KindSetting } from '../part.ts';
import { previewUndo, sampleOf, undoBatch } from '../undo.ts';
import { walkParts } from '../walk.ts';
import type { ClusterKind } from './index.ts';
import { configMapRights } from './set-flag.ts';

const inputSchema = z.strictObject({
  on: z.boolean().describe('True turns maintenance mode on, false off.'),
  message: z.string().max(2_000).default('').describe('What users read while it is on.'),
  until: z.iso.datetime({ offset: true }).optional().describe('When it should be over, for the users: ISO 8601.'),
});
type Input = z.infer<typeof inputSchema>;

/** Turns maintenance mode on or off where the configuration says it is written. */
export function setMaintenanceKind(setting: KindSetting): ClusterKind {
  const { cluster } = setting;
  const kind = defineStepKind<Input>({
    name: 'kubernetes.set-maintenance',
    effect: 'changes',
    input: inputSchema,
    describe: ({ on }) => `turns maintenance mode ${on ? 'on' : 'off'}`,
    preview: (input, context) => preview(setting, input, context.runId),
    async performBatch(input, batch, context) {
      const plan = async () => {
        const { changes, findings } = await planMaintenance(setting, input, context.runId);
        const [wrong] = findings;
        if (wrong) throw refusedMaintenance(cluster, wrong);
        return { version: 1 as const, changes, conflicts: [] };
      };
      const { cursor, done } = await walkParts(setting, context, batch, 0, (part) => (part === 0 ? { plan } : null));
      return { cursor, done };
    },
    async verify(input, context) {
      const { changes, findings } = await planMaintenance(setting, input, context.runId);
      const ok = changes.length === 0 && findings.length === 0;
      const mode = input.on ? 'on' : 'off';
      const title = ok ? `Maintenance mode is ${mode}` : `Maintenance mode is not ${mode} everywhere`;
      return [
        {
          check: 'maintenance-set',
          title,
          status: ok ? 'passed' : 'failed',
          count: ok ? 0 : 1,
          samples: [],
        },
      ];
    },
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context, 0),
    narrow: () => null,
  });
  const needsIngress = setting.maintenance?.ingress !== undefined;
  const ingress = (['get', 'patch'] as const).map((verb) => ({ verb, kind: 'Ingress' as const }));
  return { kind, rights: [...configMapRights, ...(needsIngress ? ingress : [])] };
}

async function preview(setting: KindSetting, input: Input, runId: string): Promise<StepPreview> {
  const { changes, findings } = await planMaintenance(setting, input, runId);
  const objects = changes.map(({ object, uid }) => `${object.kind} ${object.namespace}/${object.name} ${uid}`);
  return {
    count: changes.length,
    exact: true,
    keysHash: digestOf(objects),
    schemaHash: digestOf({ system: setting.system }),
    samples: changes.map(sampleOf),
    undoClass: 'reversible',
    locks: input.on ? ['users read that maintenance is going on until it is turned off'] : [],
    bytes: 2_000 * changes.length,
    findings: [...findings, ...judge(input)],
  };
}

function judge({ on, message, until }: Input): Finding[] {
  const failed = (check: string, title: string, advice: string): Finding[] => [
    { check, title, status: 'failed', count: 1, samples: [], advice },
  ];
  if (!on) return [];
  if (message.trim() === '') return failed('maintenance-message', 'Users would read nothing', 'Give it a message.');
  if (until !== undefined && Date.parse(until) < Date.now()) {
    return failed('maintenance-until', 'Maintenance should be over already', 'Give an `until` that is to come.');
  }
  return [];
}
