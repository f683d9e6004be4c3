import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { build } from 'esbuild';

/*
 * A part of `npm run build`: bundles src/ into dist/, because loading a thousand small modules takes longer than most
 * commands. Every entry point of the package, and every file that a thread or a process starts from, is a file at its
 * own place. The code that they share is in dist/chunks, so each class exists once.
 */

const { bin, exports, dependencies, optionalDependencies, peerDependencies } = JSON.parse(
  readFileSync('package.json', 'utf8'),
);
const sourceOf = (path) => posix.normalize(path).replace(/^dist\/(.+)\.js$/, 'src/$1.ts');
const published = Object.values(exports).map((entry) => entry.default);
/**
 * The command. npx keeps the path of a checkout's command in its cache and does not look at package.json again, so the
 * path in `bin` never changes, wherever the source is.
 */
const COMMAND = 'src/faces/cli/main.ts';
/** Modules that tests and scripts import from the build, to run them in other threads, processes and versions of Node. */
const TESTED = [
  'faces/cli/load-config',
  'faces/cli/run-command',
  'input/data/parquet/node/parquet-file',
  'studies/jobs/answer-training',
  'studies/jobs/node/machine',
  'input/store/node/folder-lock',
  'input/store/node/new-file',
].map((name) => `src/${name}.ts`);

/**
 * Packages in the bundle, because every start needs them and loads them from a hundred files each. They stay
 * dependencies: the declarations refer to them, and their licences come with them. `@hono/zod-openapi` must extend the
 * zod of the bundle.
 */
const BUNDLED = ['zod', 'yaml', '@hono/zod-openapi'];
const OUTSIDE = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }).filter(
  (name) => !BUNDLED.includes(name),
);

/** `new URL('./file', import.meta.url)`, with the path from the module's own place. */
const OWN_FILE = /new URL\(\s*(['"])(\.{1,2}\/[^'"]+)\1,\s*import\.meta\.url\s*\)/g;
/** The same while the bundle is made, with the path from the package's folder. */
const placed = (path) => `new URL("package:${path}", import.meta.url)`;
const PLACED = /new URL\("package:([^"]+)", import\.meta\.url\)/g;

const modules = new Map();
const started = new Set();
for (const name of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
  const text = readFileSync(join('src', name), 'utf8');
  const contents = text.replace(OWN_FILE, (_, _quote, path) => {
    const file = posix.join('dist', posix.dirname(name), path);
    if (file.endsWith('.js')) started.add(sourceOf(file));
    return placed(file);
  });
  if (contents !== text) modules.set(resolve('src', name), { contents, loader: 'ts' });
}

const { outputFiles } = await build({
  entryPoints: [...new Set([COMMAND, ...published.filter(Boolean).map(sourceOf), ...started, ...TESTED])],
  outbase: 'src',
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  mainFields: ['module', 'main'],
  external: ['node:*', '#*', ...OUTSIDE, ...OUTSIDE.map((name) => `${name}/*`)],
  write: false,
  logLevel: 'warning',
  plugins: [
    {
      name: 'own-files',
      setup: ({ onLoad }) => onLoad({ filter: /\.ts$/ }, ({ path }) => modules.get(path)),
    },
    {
      name: 'messages-in-english',
      setup: ({ onLoad }) =>
        onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({
          contents: "export { default as en } from './en.js';",
        })),
    },
  ],
});

for (const { path, text } of outputFiles) {
  const folder = dirname(path);
  const placed = text.replace(PLACED, (_, file) => {
    const there = relative(folder, file).replaceAll(sep, '/');
    return `new URL("${there.startsWith('.') ? there : `./${there}`}", import.meta.url)`;
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, placed);
}

for (const path of Object.values(bin)) {
  mkdirSync(dirname(path), { recursive: true });
  const command = relative(dirname(path), COMMAND.replace(/^src(.+)\.ts$/, 'dist$1.js')).replaceAll(sep, '/');
  writeFileSync(path, `#!/usr/bin/env node\nimport '${command}';\n`);
}
