import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { createSeal } from '../../../src/shared/sealed.ts';
import { createDeeplakeSystem, type DeeplakeOptions } from '../../../src/systems/deeplake/deeplake-system.ts';
import type { System } from '../../../src/systems/system.ts';
import { deeplakePython } from './deeplake-python.ts';

/** What a user does to a dataset; `path` is relative to the root. The form of each is in `users.py`. */
export interface Deed {
  readonly do: 'create' | 'append' | 'change' | 'delete' | 'read' | 'columns' | 'messages' | 'watch';
  readonly path: string;
  readonly [parameter: string]: unknown;
}

/** A root of a test's own, written with DeepLake itself. */
export interface ScratchVectors {
  readonly root: string;
  system(over?: Partial<DeeplakeOptions>): System;
  /** Carries deeds out one after the other, in a process of their own, and answers what each answered. */
  users(...deeds: readonly Deed[]): Promise<unknown[]>;
  remove(): Promise<void>;
}

export async function scratchVectors(
  over: { readonly root?: string; readonly s3?: DeeplakeOptions['s3'] } = {},
): Promise<ScratchVectors> {
  const python = (await deeplakePython()) ?? 'python3';
  const root = over.root ?? (await mkdtemp(join(tmpdir(), 'tas-vectors-')));
  const { s3 } = over;
  const creds = s3 && {
    aws_access_key_id: s3.accessKey,
    aws_secret_access_key: s3.secretKey.reveal(),
    aws_region: s3.region,
    endpoint_url: s3.endpointUrl,
  };
  const shared = {
    name: 'vectors',
    root,
    python,
    seal: createSeal(Buffer.alloc(32, 7)),
    logger: pino({ level: 'silent' }),
  };
  return {
    root,
    system: (options = {}) => createDeeplakeSystem({ ...shared, ...(s3 ? { s3 } : {}), ...options }),
    async users(...deeds) {
      const child = spawn(python, [join(import.meta.dirname, 'users.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
      child.stdin.end(JSON.stringify(deeds.map((deed) => ({ ...deed, path: `${root}/${deed.path}`, creds }))));
      const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      if (child.exitCode !== 0) throw new Error(errors.slice(-2_000));
      return JSON.parse(output) as unknown[];
    },
    async remove() {
      if (!over.root) await rm(root, { recursive: true, force: true });
    },
  };
}

/** Ids `v-01`, `v-02` and so on. */
export function idsOf(count: number, prefix = 'v'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${String(i + 1).padStart(2, '0')}`);
}
