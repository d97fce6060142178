import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const cli = resolve(import.meta.dirname, '../../src/cli.ts');

/** Everything that a file brings in, at once and later; types are not brought in. */
function brought(file: string, later: boolean, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const source = readFileSync(file, 'utf8').replaceAll(/^import type .*?from '[^']+';$/gms, '');
  const specifiers = [...source.matchAll(/^(?:import|export)\s(?:[^;]*?from )?'([^']+)';$/gms)].map(
    (match) => match[1],
  );
  if (later) specifiers.push(...[...source.matchAll(/import\('([^']+)'\)/g)].map((match) => match[1]));
  for (const specifier of specifiers) {
    if (specifier === undefined) continue;
    if (specifier.startsWith('.')) brought(resolve(dirname(file), specifier), later, found);
    else found.add(specifier);
  }
  return found;
}

describe('the terminal', () => {
  it('never loads Bolt', () => {
    const all = brought(cli, true);
    expect(all.has('pg')).toBe(true);
    expect([...all].filter((name) => name.startsWith('@slack/'))).toEqual([]);
  });

  it('loads no package before it knows that it needs one', () => {
    expect([...brought(cli, false)].filter((name) => !name.startsWith('/') && !name.startsWith('node:'))).toEqual([]);
  });
});
