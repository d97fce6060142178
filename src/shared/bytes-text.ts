const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `999 B`, `12.0 MB`, `740 GB`: powers of 1,000. */
export function sayBytes(bytes: number): string {
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}
