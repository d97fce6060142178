/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function ratio(over: number, under: number): string {
  return `${(over / under).toFixed(2)} ×`;
}

/** One figure against its aim; `met` null = there is no aim. */
export type Line = readonly [what: string, measured: string, aim: string, met: boolean | null];

export function lineTable(lines: readonly Line[]): string {
  const met = (answer: boolean | null): string => (answer === null ? '' : answer ? 'yes' : '**no**');
  const rows = lines.map(([what, measured, aim, answer]) => [what, measured, aim, met(answer)]);
  return table(['what', 'measured', 'aim', 'met'], rows);
}
