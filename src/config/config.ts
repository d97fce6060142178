import { z } from 'zod';
import type { Secret } from '../shared/secret.ts';
import { checklistConfig } from './checklist-config.ts';
import { maintenanceConfig } from './maintenance-config.ts';
import { onCallConfig } from './oncall-config.ts';
import { runbooksConfig } from './runbooks-config.ts';
import { schedulesConfig } from './schedules-config.ts';
import { stepUpConfig } from './step-up-config.ts';
import { secretRef, systemConfig } from './system-config.ts';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'lower-case letters, digits and dashes, at most 40');

const group = z.strictObject({
  /** Slack user ids. */
  users: z.array(z.string()).default([]),
  /** A Slack user group's id. */
  group: z.string().optional(),
});

const environment = z.strictObject({
  production: z.boolean().default(true),
  /** The channel's name, without #. */
  channel: z.string(),
  approvals: z
    .strictObject({ required: z.number().int().min(0).default(1), expiresMinutes: z.number().int().min(1).default(60) })
    .default({ required: 1, expiresMinutes: 60 }),
  /** How far a changing step's count may have moved between vote and start. Steps that destroy: always 0. */
  tolerancePercent: z.number().min(0).max(50).default(3),
  /** Days for which what a run keeps aside (dropped columns, renamed tables) stays, from its end on: undo works until then. */
  holdDays: z.number().int().min(0).max(3650).default(14),
  /** Minutes after which a run that stopped while services are down undoes itself, unless somebody decides; absent = never. */
  undoAfterMinutes: z.number().int().min(1).max(1440).optional(),
  /** How many failures of stores are tried again in a run before it stops. */
  stopAfterErrors: z.number().int().min(1).max(10_000).default(10),
  /** Fields whose values may be shown in samples and conflicts, as `Collection.field`; everything else is masked. */
  show: z.array(z.string().regex(/^[^.]+\.[^.]+$/)).default([]),
  /** What migration files and checks call `${name}`. */
  variables: z.record(z.string(), z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/)).default({}),
  checklist: checklistConfig,
  systems: z.record(name, systemConfig),
});

export const configSchema = z.strictObject({
  bot: z.strictObject({
    database: secretRef,
    /** 32 bytes in base64: seals journals and signs manifests. */
    key: secretRef,
    backups: z.string(),
    packs: z.array(z.string()).default(['packs/tas']),
    /** Stable and unique per worker: the pod's name. */
    executor: z.string().default('worker-0'),
    logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  }),
  slack: z.strictObject({
    mode: z.enum(['http', 'socket']),
    botToken: secretRef,
    signingSecret: secretRef.optional(),
    appToken: secretRef.optional(),
    port: z.number().int().min(0).default(3000),
    /** Only for a simulated workspace. */
    apiUrl: z.url().optional(),
  }),
  people: z.strictObject({
    viewers: group.default({ users: [] }),
    operators: group.default({ users: [] }),
    approvers: group.default({ users: [] }),
    /** Who may use the terminal: by token, or in a sandbox by name alone. */
    terminal: z
      .array(
        z.strictObject({
          user: z.string(),
          name: z.string(),
          tokenSha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .optional(),
        }),
      )
      .default([]),
    /** True lets `--as <name>` stand for the person without a token; refused when any environment is production. */
    trustNames: z.boolean().default(false),
  }),
  environments: z.record(name, environment),
  maintenance: maintenanceConfig,
  oncall: onCallConfig,
  runbooks: runbooksConfig,
  schedules: schedulesConfig,
  stepUp: stepUpConfig,
});

export type Config = z.infer<typeof configSchema>;
export type EnvironmentConfig = Config['environments'][string];
export type SystemConfig = EnvironmentConfig['systems'][string];

/** Reads a secret reference of the configuration. */
export type RevealSecret = (reference: string) => Secret;
