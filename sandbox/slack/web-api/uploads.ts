/** A file between the promise of an upload and its place in a channel. */
export interface Upload {
  readonly id: string;
  readonly name: string;
  /** Bytes that were announced. */
  readonly length: number;
  /** Null until the bytes have come. */
  content: Buffer | null;
}

export interface Uploads {
  /** Announces a file; its bytes are sent to `/upload/<id>`. */
  announce(name: string, length: number): Upload;
  find(id: string): Upload | undefined;
  /** Null until the bytes have come. */
  content(id: string): { readonly name: string; readonly content: Buffer } | null;
}

export function createUploads(): Uploads {
  const uploads = new Map<string, Upload>();
  return {
    announce(name, length) {
      const upload: Upload = { id: `F0${String(uploads.size + 1).padStart(7, '0')}`, name, length, content: null };
      uploads.set(upload.id, upload);
      return upload;
    },
    find: (id) => uploads.get(id),
    content(id) {
      const { name, content } = uploads.get(id) ?? { name: '', content: null };
      return content && { name, content };
    },
  };
}
