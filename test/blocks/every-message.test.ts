import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../..');
const shown = /\b(Message|Modal|HomeView|View)\b/;
/** They work on messages that others made. */
const builders = ['fitCard', 'split', 'pages', 'withImage'];

interface Maker {
  readonly name: string;
  readonly body: string;
}

/** Exported functions in blocks/ that return what people see. */
function makers(): readonly Maker[] {
  return readdirSync(join(root, 'blocks'))
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const source = ts.createSourceFile(
        file,
        readFileSync(join(root, 'blocks', file), 'utf8'),
        ts.ScriptTarget.Latest,
        true,
      );
      return source.statements.filter(ts.isFunctionDeclaration).flatMap((declared) => {
        const isExported = declared.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
        const name = declared.name?.text ?? '';
        const returns = declared.type?.getText() ?? 'Message';
        if (!isExported || !shown.test(returns) || builders.includes(name)) return [];
        return [{ name, body: declared.getText() }];
      });
    });
}

/** Tests that hold messages to Slack's limits. */
const held = readdirSync(join(root, 'test/blocks'))
  .filter((file) => file.endsWith('.test.ts') && file !== 'every-message.test.ts')
  .map((file) => readFileSync(join(root, 'test/blocks', file), 'utf8'))
  .filter((text) => text.includes('blockErrors('))
  .join('\n');

const calls = (text: string, name: string): boolean => new RegExp(`\\b${name}\\(`).test(text);

describe('every message that the bot can send', () => {
  it('is held to Slack’s limits with hostile data: add new ones to limits.test.ts', () => {
    const all = makers();
    expect(all.length).toBeGreaterThan(30);
    const reached = new Set(all.filter(({ name }) => calls(held, name)));
    for (const maker of reached) {
      for (const other of all) if (calls(maker.body, other.name)) reached.add(other);
    }
    expect(all.filter((maker) => !reached.has(maker)).map(({ name }) => name)).toEqual([]);
  });
});
