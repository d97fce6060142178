import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../..');
const shown = /\b(Message|Modal|HomeView|View)\b/;
/** They work on messages that others made. */
const builders = ['fitCard', 'split', 'pages', 'withImage'];

interface Maker {
  readonly name: string;
  /** What it says to return; where it says nothing it may be anything. */
  readonly returns: string;
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
      return source.statements.filter(isExported).flatMap(declaredIn).filter(isMaker);
    });
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

/** A function, whether it is declared as one or put into a constant. */
function declaredIn(statement: ts.Statement): readonly Maker[] {
  if (ts.isFunctionDeclaration(statement)) return [makerOf(statement.name?.text ?? '', statement)];
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations.flatMap(({ name, initializer }) =>
    initializer && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer))
      ? [makerOf(name.getText(), initializer)]
      : [],
  );
}

function makerOf(name: string, made: ts.SignatureDeclaration): Maker {
  return { name, returns: made.type?.getText() ?? 'Message', body: made.getText() };
}

function isMaker({ name, returns }: Maker): boolean {
  return shown.test(returns) && !builders.includes(name);
}

/** The tests of messages in which this stands. */
function testsWith(words: string): string {
  return readdirSync(join(root, 'test/blocks'))
    .filter((file) => file.endsWith('.test.ts') && file !== 'every-message.test.ts')
    .map((file) => readFileSync(join(root, 'test/blocks', file), 'utf8'))
    .filter((text) => text.includes(words))
    .join('\n');
}

const calls = (text: string, name: string): boolean => new RegExp(`\\b${name}\\(`).test(text);

/** Makers that neither these tests call, nor any that they call. */
function forgottenIn(tests: string): readonly string[] {
  const all = makers();
  const reached = new Set(all.filter(({ name }) => calls(tests, name)));
  for (const maker of reached) {
    for (const other of all) if (calls(maker.body, other.name)) reached.add(other);
  }
  return all.filter((maker) => !reached.has(maker)).map(({ name }) => name);
}

describe('every message, window and tab that the bot can show', () => {
  it('is held to Slack’s limits with hostile data: add new ones to limits.test.ts', () => {
    expect(forgottenIn(testsWith('blockErrors('))).toEqual([]);
  });

  it('is shown as people see it on an ordinary day: add new ones to snapshots.test.ts or answer-snapshots.test.ts', () => {
    expect(forgottenIn(testsWith('toMatchSnapshot('))).toEqual([]);
  });

  it('is found, whoever makes it: without tests none is left out', () => {
    const all = forgottenIn('');
    expect(all.length).toBeGreaterThan(30);
    expect(all).toEqual(expect.arrayContaining(['runCard', 'askWindow', 'homeView', 'statusMessage', 'approvalCard']));
  });
});
