import { resolve } from 'node:path';
import { build } from 'esbuild';

/** The page's files by path, made in memory. */
export type Bundle = ReadonlyMap<string, { readonly type: string; readonly body: Uint8Array | string }>;

const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>TAS sandbox</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/main.css">
    <script type="module" src="/main.js"></script>
  </head>
  <body><div id="page"></div></body>
</html>
`;

export async function bundlePage(): Promise<Bundle> {
  const folder = resolve(import.meta.dirname, 'page');
  const { outputFiles } = await build({
    entryPoints: [resolve(folder, 'main.tsx')],
    outdir: folder,
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    tsconfigRaw: {},
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  });
  const body = (ending: string): Uint8Array =>
    outputFiles.find(({ path }) => path.endsWith(ending))?.contents ?? new Uint8Array();
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', body: html }],
    ['/main.js', { type: 'text/javascript; charset=utf-8', body: body('.js') }],
    ['/main.css', { type: 'text/css; charset=utf-8', body: body('.css') }],
  ]);
}
