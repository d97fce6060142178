/** One token of a piece of Cypher. `name` is a token's identifier without its quotation. */
export interface Token {
  readonly kind: 'name' | 'text' | 'parameter' | 'other' | 'comment' | 'unfinished';
  readonly text: string;
  readonly name: string;
  /** Offset of its first character. */
  readonly at: number;
}

const PATTERNS: readonly [Token['kind'], RegExp][] = [
  ['comment', /\/\/[^\n\r]*|\/\*[\s\S]*?\*\//y],
  ['text', /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y],
  ['name', /`(?:[^`]|``)*`|[\p{L}\p{Nl}\p{Pc}][\p{L}\p{Nl}\p{Nd}\p{Pc}\p{Mn}\p{Mc}\p{Sc}]*/uy],
  ['parameter', /\$(?:`(?:[^`]|``)*`|[\p{L}\p{Nl}\p{Nd}\p{Pc}]+)/uy],
  ['unfinished', /['"`]|\/\*/y],
  ['other', /\d[\p{L}\p{Nd}_.]*|\s+|[\s\S]/uy],
];

function unquote(text: string): string {
  return text.startsWith('`') ? text.slice(1, -1).replaceAll('``', '`') : text;
}

/** Cuts Cypher into tokens, quotations and comments whole. Unicode escapes must have been refused before. */
export function tokenize(cypher: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < cypher.length) {
    for (const [kind, pattern] of PATTERNS) {
      pattern.lastIndex = at;
      const text = pattern.exec(cypher)?.[0];
      if (text === undefined) continue;
      const name = kind === 'name' ? unquote(text) : kind === 'parameter' ? unquote(text.slice(1)) : '';
      tokens.push({ kind, text, name, at });
      at += text.length;
      break;
    }
  }
  return tokens;
}

/** Functions called with a namespace (`apoc.text.join(`), dotted and in lower case. */
export function namespacedCalls(tokens: readonly Token[]): { name: string; at: number }[] {
  const solid = tokens.filter((token) => token.kind !== 'comment' && token.text.trim() !== '');
  const calls: { name: string; at: number }[] = [];
  for (const [i, token] of solid.entries()) {
    if (token.text !== '(' || solid[i - 1]?.kind !== 'name') continue;
    let first = i - 1;
    while (solid[first - 1]?.text === '.' && solid[first - 2]?.kind === 'name') first -= 2;
    if (first === i - 1) continue;
    const names = solid.slice(first, i).filter((part) => part.kind === 'name');
    calls.push({ name: names.map((part) => part.name.toLowerCase()).join('.'), at: solid[first]?.at ?? 0 });
  }
  return calls;
}
