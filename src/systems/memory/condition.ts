import { Failure } from '../../shared/failure.ts';
import type { Json } from '../../shared/json.ts';
import { asText, type Fields, type MemoryStore } from './memory-store.ts';

type Test = (record: Fields) => boolean;

const clause =
  /^\s*(?<field>[A-Za-z_]\w*)\s+(?:is\s+(?<state>missing|present|shared)|=\s*(?<value>"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false)|matches\s+\/(?<regex>(?:[^/\\]|\\.)+)\/)\s*/;

/** Reads `field is missing and other = "x"`; throws `invalid-statement`. */
export function parseCondition(store: MemoryStore, collection: string, text: string): Test {
  const tests: Test[] = [];
  let rest = text;
  for (;;) {
    const match = clause.exec(rest);
    if (!match?.groups) throw invalid(text);
    tests.push(testOf(store, collection, match.groups));
    rest = rest.slice(match[0].length);
    if (rest === '') return (record) => tests.every((test) => test(record));
    if (!/^and\s/.test(rest)) throw invalid(text);
    rest = rest.slice(3);
  }
}

function testOf(store: MemoryStore, collection: string, parts: { [name: string]: string | undefined }): Test {
  const { field = '', state, value, regex } = parts;
  if (state === 'missing') return (record) => asText(record[field]) === null;
  if (state === 'present') return (record) => asText(record[field]) !== null;
  if (state === 'shared') {
    const seen = new Map<string | null, number>();
    for (const record of store.records(collection).values()) {
      const text = asText(record[field]);
      seen.set(text, (seen.get(text) ?? 0) + 1);
    }
    return (record) => asText(record[field]) !== null && (seen.get(asText(record[field])) ?? 0) > 1;
  }
  if (regex !== undefined) {
    const pattern = new RegExp(regex);
    return (record) => pattern.test(asText(record[field]) ?? '');
  }
  const wanted = JSON.parse(value ?? 'null') as Json;
  return (record) => record[field] === wanted;
}

/** Reads `<Collection> where <condition>`: the rows are the violations. */
export function parseStatement(store: MemoryStore, text: string): { collection: string; test: Test } {
  const match = /^\s*([A-Za-z_]\w*)\s+where\s+(.+)$/s.exec(text);
  if (!match?.[1] || !match[2]) throw invalid(text);
  return { collection: match[1], test: parseCondition(store, match[1], match[2]) };
}

function invalid(text: string): Failure {
  return new Failure({
    code: 'invalid-statement',
    message: `“${text.slice(0, 200)}” is not a condition of a memory system.`,
    advice: 'Write `<Collection> where <field> is missing`, `= "…"`, `is shared` or `matches /…/`, joined by `and`.',
  });
}
