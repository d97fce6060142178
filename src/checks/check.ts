import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../shared/failure.ts';
import { readYamlFile } from '../shared/yaml-file.ts';

const id = z.string().regex(/^[a-z][a-z0-9-]{1,59}$/, 'lower-case letters, digits and dashes');

const side = z.strictObject({
  system: z.string(),
  collection: z.string(),
  /** The field that both sides have in common; unique on each. */
  key: z.string(),
  /** Compared in this order with the other side's fields. */
  fields: z.array(z.string()).default([]),
  where: z.string().optional(),
});

const shared = {
  id,
  title: z.string().max(120),
  advice: z.string().max(500),
  /** `failed` stops a migration that names the check; `warning` is only reported. */
  severity: z.enum(['failed', 'warning']).default('failed'),
  /** Part of `/tas validate`; false = only where a migration requires it. */
  standing: z.boolean().default(true),
};

/** A rule within one system: its statement returns a row for each violation. */
const statementCheck = z.strictObject({ ...shared, system: z.string(), violations: z.string() });

/** A rule across two systems: equal keys and equal fields on both sides. */
const comparisonCheck = z.strictObject({
  ...shared,
  compare: z.strictObject({
    left: side,
    right: side,
    /** `both` = the same keys on both sides; `left` = every key of the left is on the right. */
    keys: z.enum(['both', 'left']).default('both'),
  }),
});

const checkFile = z.strictObject({ checks: z.array(z.union([statementCheck, comparisonCheck])) });

export type StatementCheck = z.infer<typeof statementCheck>;
export type ComparisonCheck = z.infer<typeof comparisonCheck>;
export type Check = StatementCheck | ComparisonCheck;

/** All checks of the packs in file order, by id. Throws `invalid-file` with line and column. */
export async function readChecks(
  packs: readonly string[],
  variables: { readonly [name: string]: string },
): Promise<ReadonlyMap<string, Check>> {
  const checks = new Map<string, Check>();
  for (const pack of packs) {
    const folder = join(pack, 'checks');
    const files = await readdir(folder).catch(() => [] as string[]);
    for (const file of files.filter((name) => /\.ya?ml$/.test(name)).sort()) {
      const content = await readYamlFile(join(folder, file), checkFile, variables);
      for (const check of content.checks) {
        if (checks.has(check.id)) throw doubled(check.id);
        checks.set(check.id, check);
      }
    }
  }
  return checks;
}

function doubled(checkId: string): Failure {
  return new Failure({
    code: 'invalid-file',
    message: `Two checks have the id ${checkId}.`,
    advice: 'Give one of them another id. Nothing was changed.',
  });
}
