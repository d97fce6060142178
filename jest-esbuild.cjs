// Turns one TypeScript file into an ES module for jest. Types are checked by tsc, not here.
const { transformSync } = require('esbuild');
const { createHash } = require('node:crypto');

module.exports = {
  getCacheKey: (source, file, options) =>
    createHash('sha256').update(source).update(file).update(options.configString).digest('hex'),
  process: (source, file) => ({
    code: transformSync(source, {
      loader: file.endsWith('.tsx') ? 'tsx' : 'ts',
      jsx: 'automatic',
      format: 'esm',
      target: 'node22',
      sourcemap: 'inline',
      sourcefile: file,
    }).code,
  }),
};
