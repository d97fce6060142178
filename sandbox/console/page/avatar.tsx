import type { ReactNode } from 'react';

/** The first letters of a name, on a colour that follows from it. */
export function Avatar({ name, isBot = false }: { readonly name: string; readonly isBot?: boolean }): ReactNode {
  const letters = name
    .split(/\s+/)
    .map(([first = '']) => first)
    .join('')
    .slice(0, 2)
    .toUpperCase();
  const colour = [...name].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % 6;
  return (
    <span className={isBot ? 'avatar bot' : `avatar tone-${colour}`} aria-hidden="true">
      {isBot ? 'T' : letters}
    </span>
  );
}
