import type { Expression } from './expression.ts';

interface Span {
  readonly place: string;
  readonly firstLine: number;
  readonly lines: number;
}

/** A composed statement that knows which of its lines came from which place of a migration file. */
export interface Statement {
  readonly text: string;
  /** The place and the line within it of a line of the statement; null for the bot's own text. */
  placeOf(line: number): { place: string; line: number } | null;
}

/** Template tag: expressions stand in brackets on lines of their own; strings go in as they are (escape names before). */
export function cypher(
  texts: TemplateStringsArray,
  ...values: readonly (string | Expression | readonly Expression[])[]
): Statement {
  const spans: Span[] = [];
  let text = '';
  const put = (expression: Expression) => {
    text += '(\n';
    const lines = expression.cypher.split('\n').length;
    spans.push({ place: expression.place, firstLine: text.split('\n').length, lines });
    text += `${expression.cypher}\n)`;
  };
  for (const [i, part] of texts.entries()) {
    text += part;
    const value = values[i];
    if (typeof value === 'string') text += value;
    else if (Array.isArray(value)) {
      for (const [j, expression] of (value as readonly Expression[]).entries()) {
        if (j > 0) text += ', ';
        put(expression);
      }
    } else if (value) put(value as Expression);
  }
  return {
    text,
    placeOf(line) {
      const span = spans.find(({ firstLine, lines }) => line >= firstLine && line < firstLine + lines);
      return span ? { place: span.place, line: line - span.firstLine + 1 } : null;
    },
  };
}
