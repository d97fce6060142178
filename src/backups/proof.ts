import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson } from '../shared/json.ts';
import type { Secret } from '../shared/secret.ts';
import { writeDurably } from './durable-file.ts';

/**
 * How far a part was tried: restored into a place beside the live data; read whole, as a restore would, and compared with
 * what was backed up; or its checksums alone.
 */
export const trialDepths = ['restored', 'read', 'checksums'] as const;
export type TrialDepth = (typeof trialDepths)[number];

/** When a set was tried and passed the checks, and how long that took. */
export interface Proof {
  /** ISO 8601. */
  readonly at: string;
  readonly seconds: number;
  /** How far each system's part was tried. Absent = an older version did not note it. */
  readonly systems?: { readonly [system: string]: TrialDepth };
}

const fileName = 'proven.json';
const fileSchema = z.strictObject({
  at: z.iso.datetime(),
  seconds: z.number().min(0),
  systems: z.record(z.string(), z.enum(trialDepths)).exactOptional(),
  signature: z.string().regex(/^[0-9a-f]{64}$/),
});

/** A set is proven after it was signed: so this lies beside the manifest, under a signature of its own. */
export async function writeProof(setFolder: string, setId: string, proof: Proof, key: Secret): Promise<void> {
  const signature = signatureOf(setId, proof, key);
  await writeDurably(join(setFolder, fileName), `${JSON.stringify({ ...proof, signature })}\n`);
}

/** It turned out not to be what it was taken for. */
export async function removeProof(setFolder: string): Promise<void> {
  await rm(join(setFolder, fileName), { force: true });
}

/** Null where the set was not proven, or somebody else says so. */
export async function readProof(setFolder: string, setId: string, key: Secret): Promise<Proof | null> {
  try {
    const { signature, ...proof } = fileSchema.parse(JSON.parse(await readFile(join(setFolder, fileName), 'utf8')));
    const same = timingSafeEqual(Buffer.from(signature, 'hex'), Buffer.from(signatureOf(setId, proof, key), 'hex'));
    return same ? proof : null;
  } catch {
    return null;
  }
}

function signatureOf(setId: string, { at, seconds, systems }: Proof, key: Secret): string {
  return createHmac('sha256', key.reveal())
    .update(canonicalJson(['proof', setId, at, seconds, ...(systems === undefined ? [] : [systems])]))
    .digest('hex');
}
