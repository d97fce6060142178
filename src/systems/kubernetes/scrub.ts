const longest = 200;

/** What must not leave a log: each with what stands in its place. Order matters: the most exact first. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]+-----.*/g, '[key]'],
  [/\beyJ[\w-]{5,}\.[\w-]+\.?[\w-]*/g, '[token]'],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1[secret]@'],
  [/\b(bearer|basic|apikey)\s+[\w.~+/=-]{6,}/gi, '$1 [secret]'],
  [
    /(["']?[\w.-]*(?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|credential|authorization|cookie|session)[\w.-]*["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;&}]+)/gi,
    '$1[secret]',
  ],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b|\b(?:sk|ghp|gho|xox[abp])[-_][\w-]{10,}/g, '[secret]'],
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, '[address]'],
  [/\b[0-9a-f]{32,}\b/gi, '[hex]'],
  [/\b(?=[\w+/]*\d)(?=[\w+/]*[A-Z])(?=[\w+/]*[a-z])[\w+/]{40,}={0,2}/g, '[base64]'],
];

/** A line of a log without what looks like a secret or an address, control characters, and what is too long. */
export function scrubLine(line: string): string {
  let plain = line.slice(0, 4_000);
  for (const [pattern, instead] of secrets) plain = plain.replaceAll(pattern, instead);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: logs have colours, which nobody wants in a message
  plain = plain.replaceAll(/\u001b\[[0-9;]*m|[\u0000-\u001f\u007f]/g, ' ').trim();
  return plain.length > longest ? `${plain.slice(0, longest - 1)}…` : plain;
}
