import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf } from '../../../shared/json.ts';
import { suggest } from '../../../shared/suggest.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type StepPreview } from '../../system.ts';
import type { FieldsChange } from '../change.ts';
import { differing, type Fields, pointerTo } from '../fields.ts';
import { type FlagProperties, missingVariants, propertiesOf, readFlags, wishedProperties } from '../flag-file.ts';
import type { KindSetting } from '../part.ts';
import type { Right } from '../rights.ts';
import { previewUndo, sampleOf, undoBatch } from '../undo.ts';
import { walkParts } from '../walk.ts';
import type { ClusterKind } from './index.ts';

const wishes = ['state', 'defaultVariant', 'percentage', 'tenants'] as const;

const inputSchema = z
  .strictObject({
    flag: z.string().min(1).max(200).describe('The name of a flag that is there.'),
    state: z.enum(['on', 'off']).optional().describe('For everybody: `variant`, or `otherwise`. Ends its targeting.'),
    defaultVariant: z.string().min(1).optional().describe('What whoever no rule names gets; its targeting stays.'),
    percentage: z
      .number()
      .int()
      .min(0)
      .max(100)
      .optional()
      .describe('So many of a hundred tenants get `variant`, always the same ones; all others `otherwise`.'),
    tenants: z
      .array(z.string().min(1))
      .min(1)
      .max(1_000)
      .optional()
      .describe('These tenants get `variant`, all others `otherwise`.'),
    variant: z.string().min(1).default('on').describe('The variant to give.'),
    otherwise: z.string().min(1).default('off').describe('The variant of all others.'),
    by: z
      .string()
      .regex(/^[\w.$-]+$/)
      .default('tenant_id')
      .describe('The field of the evaluation context that says who asks.'),
  })
  .refine(
    (input) => wishes.filter((wish) => input[wish] !== undefined).length === 1,
    `give exactly one of ${wishes.join(', ')}`,
  );
type Input = z.infer<typeof inputSchema>;

export const configMapRights: readonly Right[] = [
  { verb: 'get', kind: 'ConfigMap' },
  { verb: 'patch', kind: 'ConfigMap' },
];

/** Turns a feature flag on or off, for all, a share or some tenants, in flagd's file. */
export function setFlagKind(setting: KindSetting): ClusterKind {
  const kind = defineStepKind<Input>({
    name: 'kubernetes.set-flag',
    effect: 'changes',
    input: inputSchema,
    describe: (input) => `sets the feature flag ${input.flag} ${sayWish(input)}`,
    writes: ({ flag }) => [{ collection: 'flags', field: flag }],
    preview: (input) => preview(setting, input),
    async performBatch(input, batch, context) {
      const plan = async () => {
        const { change, findings } = await readChange(setting, input);
        const wrong = findings.find(({ status }) => status === 'failed');
        if (wrong) throw refused(setting, wrong);
        return { version: 1 as const, changes: change ? [change] : [], conflicts: [] };
      };
      const { cursor, done } = await walkParts(setting, context, batch, 0, (part) => (part === 0 ? { plan } : null));
      return { cursor, done };
    },
    async verify(input) {
      const { change, findings } = await readChange(setting, input);
      const ok = change === null && findings.every(({ status }) => status !== 'failed');
      const title = ok ? `The flag ${input.flag} is set` : `The flag ${input.flag} is not as it was set`;
      return [{ check: 'flag-set', title, status: ok ? 'passed' : 'failed', count: ok ? 0 : 1, samples: [] }];
    },
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: (_input, batch, context) => undoBatch(setting, batch, context, 0),
    narrow: () => null,
  });
  return { kind, rights: configMapRights };
}

function sayWish({ state, defaultVariant, percentage, tenants, variant }: Input): string {
  if (state !== undefined) return `${state} for everybody`;
  if (defaultVariant !== undefined) return `to ${defaultVariant} by default`;
  if (percentage !== undefined) return `to ${variant} for ${percentage} % of the tenants`;
  const count = tenants?.length ?? 0;
  return `to ${variant} for ${count} ${count === 1 ? 'tenant' : 'tenants'}`;
}

async function preview(setting: KindSetting, input: Input): Promise<StepPreview> {
  const { change, findings, uid } = await readChange(setting, input);
  return {
    count: change ? 1 : 0,
    exact: true,
    keysHash: digestOf([uid, input.flag]),
    schemaHash: digestOf({ system: setting.system, uid }),
    samples: change ? [{ ...sampleOf(change), key: input.flag }] : [],
    undoClass: 'reversible',
    locks: [],
    bytes: 2_000,
    findings,
  };
}

interface Wanted {
  /** Null = the flag is so already, or cannot be set. */
  readonly change: FieldsChange | null;
  readonly findings: readonly Finding[];
  readonly uid: string;
}

/** Only what differs is in the change, and only the flag's own properties: other flags are others' business. */
async function readChange({ cluster, flags }: KindSetting, input: Input): Promise<Wanted> {
  if (!flags) return nothing('', 'The configuration names no feature flags', 'Give the cluster `flags`.');
  const object = { kind: 'ConfigMap', namespace: flags.namespace, name: flags.configMap } as const;
  const place = `${object.namespace}/${object.name}`;
  const found = await cluster.get(object);
  const uid = found?.metadata.uid ?? '';
  const text = (found?.data as { readonly [key: string]: string } | undefined)?.[flags.key];
  if (found === null || text === undefined) {
    const what = found === null ? `There is no ConfigMap ${place}` : `The ConfigMap ${place} has no ${flags.key}`;
    return nothing(uid, what, 'Create it, or correct `flags` of the configuration.');
  }
  const file = readFlags(text);
  if ('wrong' in file) {
    return nothing(
      uid,
      `${flags.key} of ${place} is not in flagd's format: ${file.wrong}`,
      'Correct the file; it is left as it is.',
    );
  }
  const flag = Object.hasOwn(file.flags, input.flag) ? file.flags[input.flag] : undefined;
  if (flag === undefined) {
    const near = suggest(input.flag, Object.keys(file.flags));
    const advice = near ? `Is ${near} meant?` : `It has ${Object.keys(file.flags).slice(0, 5).join(', ') || 'none'}.`;
    return nothing(uid, `There is no flag ${input.flag} in ${place}`, advice);
  }
  const missing = missingVariants(flag, input);
  if (missing.length > 0) {
    const has = Object.keys(flag.variants).slice(0, 5).join(', ');
    return nothing(uid, `The flag ${input.flag} has no variant ${missing.join(', ')}`, `It has ${has}.`);
  }
  const wanted = pathed(flags.key, input.flag, wishedProperties(flag, input));
  const paths = differing(found, wanted);
  if (paths.length === 0) return { change: null, findings: [], uid };
  const now = pathed(flags.key, input.flag, propertiesOf(flag));
  const pick = (fields: Fields): Fields => Object.fromEntries(paths.map((path) => [path, fields[path] ?? null]));
  return { change: { did: 'fields', object, uid, before: pick(now), after: pick(wanted) }, findings: [], uid };
}

function pathed(key: string, flag: string, properties: FlagProperties): Fields {
  const entries = Object.entries(properties);
  return Object.fromEntries(
    entries.map(([name, value]) => [pointerTo('data', key, '=json', 'flags', flag, name), value]),
  );
}

function nothing(uid: string, title: string, advice: string): Wanted {
  return {
    change: null,
    uid,
    findings: [{ check: 'flag-there', title, status: 'failed', count: 1, samples: [], advice }],
  };
}

function refused({ cluster }: KindSetting, { title, advice }: Finding): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${cluster.place.system}: ${title}.`,
    advice: `Nothing was changed. ${advice ?? ''}`.trim(),
  });
}
