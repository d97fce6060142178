import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../shared/failure.ts';
import { canonicalJson, type Json } from '../shared/json.ts';
import type { Secret } from '../shared/secret.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Relative, without ways out of the folder. */
const innerPath = z.string().regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\0]+$/);

const partSchema = z.strictObject({
  systemType: z.string(),
  /** Who the server was: PostgreSQL system_identifier, Neo4j store id, MinIO deployment id. */
  identity: z.string(),
  format: z.string(),
  files: z.array(z.strictObject({ path: innerPath, bytes: z.number().int().min(0), sha256 })),
  fingerprint: z.strictObject({ counts: z.record(z.string(), z.number()), hash: z.string() }),
  excludes: z.array(z.string()),
  seconds: z.number(),
});

/** Manifest version 1 of a backup set, without its signature. */
const contentSchema = z.strictObject({
  version: z.literal(1),
  id: z.string().regex(/^bak-[0-9a-z-]+$/),
  environment: z.string(),
  createdAt: z.iso.datetime(),
  engine: z.string(),
  parts: z.record(z.string(), partSchema),
});

export type StoredPart = z.infer<typeof partSchema>;
export type BackupSet = z.infer<typeof contentSchema>;

export const storedPartSchema = partSchema;

/** The manifest's text: the set and an HMAC-SHA-256 over its canonical JSON. */
export function signManifest(set: BackupSet, key: Secret): string {
  return `${JSON.stringify({ ...set, signature: signatureOf(set, key) }, null, 2)}\n`;
}

/** Reads a manifest; throws `corrupt-backup` when it is no manifest or was not signed with this key. */
export function readManifest(text: string, key: Secret): BackupSet {
  const envelope = z.looseObject({ signature: sha256 }).safeParse(parseJson(text));
  if (!envelope.success) throw corrupt('its manifest cannot be read');
  const { signature, ...content } = envelope.data;
  const set = contentSchema.safeParse(content);
  if (!set.success) throw corrupt(`its manifest does not fit: ${set.error.issues[0]?.path.join('.')}`);
  const expected = Buffer.from(signatureOf(set.data, key), 'hex');
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex')))
    throw corrupt('its manifest was not signed by this bot');
  return set.data;
}

export function corrupt(what: string, cause?: unknown): Failure {
  return new Failure({
    code: 'corrupt-backup',
    message: `The backup set cannot be trusted: ${what}.`,
    advice: 'Nothing was restored. Take another set; keep this one for a look at what happened to it.',
    cause,
  });
}

function signatureOf(set: BackupSet, key: Secret): string {
  return createHmac('sha256', key.reveal())
    .update(canonicalJson(set as unknown as Json))
    .digest('hex');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
