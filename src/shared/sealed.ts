import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const NONCE = 12;
const TAG = 16;
const VERSION = 1;

/** Seals journal bodies: zstd, then AES-256-GCM. Records and personal data leave their store only in this form. */
export interface Seal {
  /** `label` names the place (run/step/batch); a body moved to another place does not open. */
  seal(plain: Uint8Array, label: string): Promise<Buffer>;
  open(sealed: Uint8Array, label: string): Promise<Buffer>;
}

/** A seal under one key of 32 bytes. Sealed form: version (1 byte), nonce (12), tag (16), ciphertext. */
export function createSeal(key: Uint8Array): Seal {
  if (key.length !== 32) throw new Error(`a seal's key has 32 bytes, this one has ${key.length}`);
  return {
    async seal(plain, label) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(label));
      const body = Buffer.concat([cipher.update(await compress(plain)), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body]);
    },
    async open(sealed, label) {
      const bytes = Buffer.from(sealed);
      if (bytes[0] !== VERSION) throw new Error(`sealed body has version ${bytes[0]}, known is ${VERSION}`);
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 1 + NONCE)).setAAD(Buffer.from(label));
      decipher.setAuthTag(bytes.subarray(1 + NONCE, 1 + NONCE + TAG));
      return decompress(Buffer.concat([decipher.update(bytes.subarray(1 + NONCE + TAG)), decipher.final()]));
    },
  };
}
