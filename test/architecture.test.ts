import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');

/** From top to bottom: a file imports from its own tier's folder or from lower tiers, never upwards or sideways. */
const tiers: readonly (readonly string[])[] = [
  [
    'src/app.ts',
    'src/open-desks.ts',
    'src/open-upkeep.ts',
    'src/main.ts',
    'src/cli.ts',
    'src/worker.ts',
    'src/worker-thread.ts',
    'src/keep-worker.ts',
  ],
  ['src/slack', 'src/terminal', 'src/step-up'],
  ['commands'],
  ['src/schedules', 'src/reports', 'src/maintenance', 'src/oncall', 'src/votes'],
  ['src/runs'],
  ['src/approvals', 'src/checklists'],
  ['src/plans'],
  ['src/backups', 'src/checks', 'src/migrations', 'src/notices'],
  ['src/systems'],
  ['src/shared'],
];

/** Handed in by the composition root: who may import them, and whether only their types. */
const handedIn: Readonly<Record<string, (importer: string, typesOnly: boolean) => boolean>> = {
  'src/config': (importer, typesOnly) =>
    tierOf(importer) === 0 || (typesOnly && /^src\/(slack|terminal|systems\/index\.ts)/.test(importer)),
  'src/storage': (importer) => tierOf(importer) === 0,
  blocks: (importer) => /^src\/(slack|terminal|step-up)\//.test(importer),
};

/** Each library that talks to the world has one home. */
const homes: Readonly<Record<string, readonly string[]>> = {
  '@slack/bolt': ['src/slack/'],
  '@dbos-inc/dbos-sdk': ['src/runs/engine.ts', 'src/storage/'],
  'neo4j-driver': ['src/systems/neo4j/'],
  pg: ['src/systems/postgres/', 'src/storage/'],
  'libpg-query': ['src/systems/postgres/sql/parse.ts'],
  kafkajs: ['src/systems/kafka/'],
  minio: ['src/systems/minio/'],
  '@redis/client': ['src/systems/redis/'],
  '@kubernetes/client-node': ['src/systems/kubernetes/'],
  'node-cron': ['src/schedules/'],
  vega: ['src/reports/'],
  'vega-lite': ['src/reports/'],
  '@resvg/resvg-js': ['src/reports/'],
  '@pagerduty/pdjs': ['src/oncall/'],
  'openid-client': ['src/step-up/'],
  pino: ['src/shared/logger.ts'],
  yaml: ['src/shared/yaml-file.ts'],
};

interface Import {
  readonly importer: string;
  /** A path from the project's root, or a package's name. */
  readonly target: string;
  readonly typesOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const files = ['src', 'commands', 'blocks'].flatMap(sourceFiles);

function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest);
  const found: Import[] = [];
  const add = (specifier: string, typesOnly: boolean): void => {
    const target = specifier.startsWith('.') ? relative(root, resolve(root, dirname(file), specifier)) : specifier;
    found.push({ importer: file, target, typesOnly });
  };
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      const typesOnly = ts.isImportDeclaration(node)
        ? node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
        : node.isTypeOnly;
      add(node.moduleSpecifier.text, typesOnly);
    }
    if (
      ts.isCallExpression(node) &&
      node.expression.kind === ts.SyntaxKind.ImportKeyword &&
      node.arguments[0] &&
      ts.isStringLiteral(node.arguments[0])
    ) {
      add(node.arguments[0].text, false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const imports = files.flatMap(importsOf);
const inside = imports.filter(({ target }) => /^(src|commands|blocks|sandbox|packs|test|bench)\//.test(target));

function tierOf(path: string): number {
  return tiers.findIndex((places) => places.some((place) => path === place || path.startsWith(`${place}/`)));
}

function folderOf(path: string): string {
  return tiers.flat().find((place) => path === place || path.startsWith(`${place}/`)) ?? path;
}

function handedInFolder(path: string): string | undefined {
  return Object.keys(handedIn).find((folder) => path.startsWith(`${folder}/`));
}

const say = ({ importer, target }: Import): string => `${importer} → ${target}`;

describe('the structure', () => {
  it('has a place for every file: a new folder has to be put into the tiers first', () => {
    expect(files.filter((file) => tierOf(file) < 0 && !handedInFolder(file))).toEqual([]);
  });

  it('lets imports go downwards only', () => {
    const upwards = inside.filter(({ importer, target }) => {
      const [from, to] = [tierOf(importer), tierOf(target)];
      if (handedInFolder(importer) || handedInFolder(target)) return false;
      return to < from || (to === from && to > 0 && folderOf(importer) !== folderOf(target));
    });
    expect(upwards.map(say)).toEqual([]);
  });

  it('hands configuration, storage and blocks in from above', () => {
    const wrong = inside.filter(({ importer, target, typesOnly }) => {
      const folder = handedInFolder(target);
      return folder !== undefined && handedInFolder(importer) !== folder && !handedIn[folder]?.(importer, typesOnly);
    });
    expect(wrong.map(say)).toEqual([]);
  });

  it('keeps blocks pure: types from elsewhere, and nothing that reads, waits or tells the time', () => {
    const impure = imports.filter(
      ({ importer, target, typesOnly }) =>
        importer.startsWith('blocks/') &&
        !target.startsWith('blocks/') &&
        !target.startsWith('src/shared/') &&
        !typesOnly,
    );
    expect(impure.map(say)).toEqual([]);
    const clocks = files.filter(
      (file) =>
        file.startsWith('blocks/') &&
        /Date\.now\(|new Date\(\)|Math\.random|process\./.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(clocks).toEqual([]);
  });

  it('keeps systems apart from each other', () => {
    const system = (path: string): string | undefined => /^src\/systems\/([^/]+)\//.exec(path)?.[1];
    const crossing = inside.filter(({ importer, target }) => {
      const [from, to] = [system(importer), system(target)];
      return from !== undefined && to !== undefined && from !== to;
    });
    expect(crossing.map(say)).toEqual([]);
  });

  it('gives every library that talks to the world one home', () => {
    const strays = imports.filter(
      ({ importer, target }) => homes[target]?.some((home) => importer.startsWith(home)) === false,
    );
    expect(strays.map(say)).toEqual([]);
  });

  it('reads the environment of the process in the configuration only', () => {
    const readers = files.filter(
      (file) => !file.startsWith('src/config/') && /process\.env\b/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(readers).toEqual([]);
  });

  it('never names the platform, the sandbox or tests in the core', () => {
    const outside = inside.filter(({ target }) => /^(sandbox|packs|test|bench)\//.test(target));
    expect(outside.map(say)).toEqual([]);
    const naming = files.filter((file) =>
      /audimodal|personal_tenant_id|aether/i.test(stripComments(readFileSync(join(root, file), 'utf8'))),
    );
    expect(naming).toEqual([]);
  });

  it('keeps files under 350 lines', () => {
    expect(files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 350)).toEqual([]);
  });
});

/** Comments may give an example. */
function stripComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}
