import type { Random } from './random.ts';
import { sentences } from './words.ts';

/** A sort of document: its extension, the platform's `type` and MIME type. */
export interface Format {
  readonly extension: string;
  readonly type: string;
  readonly mime: string;
}

export const FORMATS: readonly Format[] = [
  { extension: 'pdf', type: 'pdf', mime: 'application/pdf' },
  { extension: 'md', type: 'markdown', mime: 'text/markdown' },
  { extension: 'txt', type: 'text', mime: 'text/plain' },
  { extension: 'csv', type: 'csv', mime: 'text/csv' },
  { extension: 'json', type: 'json', mime: 'application/json' },
];

/** A document's bytes: a file that programs for its format open, of about 1 to 30 kB. */
export function contentOf(extension: string, title: string, random: Random): Buffer {
  const paragraphs = Array.from({ length: random.integer(4, 40) }, () => sentences(random, random.integer(3, 12)));
  switch (extension) {
    case 'csv': {
      const rows = paragraphs.map((text, row) => `${row + 1},"${text}",${random.integer(1, 99_999) / 100}`);
      return Buffer.from(`number,note,amount\n${rows.join('\n')}\n`);
    }
    case 'json':
      return Buffer.from(`${JSON.stringify({ title, paragraphs }, null, 2)}\n`);
    case 'pdf':
      return pdfOf(paragraphs);
    case 'md':
      return Buffer.from(`# ${title}\n\n${paragraphs.join('\n\n')}\n`);
    default:
      return Buffer.from(`${paragraphs.join('\n\n')}\n`);
  }
}

/** A PDF of one page with a line a paragraph (cut at the page's edge), with a true cross-reference table. */
function pdfOf(paragraphs: readonly string[]): Buffer {
  const text = `BT /F1 9 Tf 40 780 Td 12 TL\n${paragraphs.map((line) => `(${line}) Tj T*`).join('\n')}\nET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${text.length} >>\nstream\n${text}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let body = '%PDF-1.4\n';
  const offsets: number[] = [];
  for (const [index, object] of objects.entries()) {
    offsets.push(body.length);
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  const trailer = `trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`;
  return Buffer.from(`${body}xref\n0 ${size}\n0000000000 65535 f \n${table}${trailer}`, 'latin1');
}
