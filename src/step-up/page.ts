import { createHash } from 'node:crypto';

/** What a browser is shown. All of it is words; `renderPage` escapes them. */
export interface Page {
  readonly status: 200 | 400 | 403 | 404 | 405 | 409 | 410 | 500 | 503;
  readonly title: string;
  readonly lines: readonly string[];
  /** What is asked about, as name and value. */
  readonly facts?: readonly (readonly [string, string])[];
  /** A button that posts to this very address. */
  readonly button?: string;
  /** Where the browser goes by itself. */
  readonly next?: URL;
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#1d1c1d;background:#fff}
h1{font-size:1.4rem}dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1rem}dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}
button,a.next{font:inherit;font-weight:600;padding:.6rem 1.2rem;border:0;border-radius:.4rem;background:#0b5cad;color:#fff;cursor:pointer;display:inline-block}
@media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#1a1d21}}`;
const styleHash = createHash('sha256').update(style).digest('base64');

/** No script, no frame, nothing from elsewhere, nothing kept, and no address handed on. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex, nofollow',
};

export function renderPage({ title, lines, facts = [], button, next }: Page): string {
  const listed = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join('');
  const address = next === undefined ? null : escapeHtml(next.href);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    address === null ? '' : `<meta http-equiv="refresh" content="0; url=${address}">`,
    `<title>${escapeHtml(title)}</title><style>${style}</style></head><body><main><h1>${escapeHtml(title)}</h1>`,
    ...lines.map((line) => `<p>${escapeHtml(line)}</p>`),
    listed === '' ? '' : `<dl>${listed}</dl>`,
    button === undefined ? '' : `<form method="post"><p><button>${escapeHtml(button)}</button></p></form>`,
    address === null ? '' : `<p><a class="next" href="${address}" rel="noreferrer">Go on</a></p>`,
    '</main></body></html>',
  ].join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Words of data: no markup, no control or direction marks, not without end. */
function escapeHtml(text: string): string {
  return text
    .slice(0, 4_000)
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, ' ')
    .replace(/[&<>"']/g, (sign) => entities[sign] ?? '');
}
