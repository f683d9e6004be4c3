import { relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';
import { LongestFirst } from './tests/support/longest-first.ts';

/**
 * Threads start from dist/ instead of the sources, because Node 20 cannot run TypeScript. It is built before any
 * test.
 */
const threadsOfDist: Plugin = {
  name: 'threads-of-dist',
  enforce: 'pre',
  transform(code, id) {
    const own = relative(resolve('src'), id);
    if (own.startsWith('..') || !/new Worker\(|startThread\(/.test(code)) return undefined;
    const built = pathToFileURL(resolve('dist', own)).href;
    return code.replaceAll(/(new URL\('\.\/[\w-]+\.js', )import\.meta\.url\)/g, `$1'${built}')`);
  },
};

/** The package's entries by their names. */
const ENTRIES: Record<string, string> = {
  adalora: 'tests/support/adalora.ts',
  'adalora/nn': 'src/models/nn/index.ts',
  'adalora/tuners': 'src/methods/tuners/index.ts',
};

/** In unit tests, the methods of `examples/methods` use the sources, and define nothing for other tests. */
const methodsOnSources: Plugin = {
  name: 'methods-on-sources',
  enforce: 'pre',
  resolveId(name, importer) {
    const entry = importer?.startsWith(resolve('examples/methods')) && ENTRIES[name];
    return entry ? resolve(entry) : undefined;
  },
};

/**
 * These start processes, servers and browsers, change their process, define tasks or media, or train the built-in
 * model for minutes: each file gets its own process. `npm test` leaves them to `npm run test:system`; CI runs all.
 */
const SYSTEM = [
  'tests/browser/*.test.ts',
  'tests/contracts/{bases,media}.test.ts',
  'tests/{bundlers,clients,demo,huge-pages,learns-few-rows,library,mpi,open,pack,pack-without-cuda}.test.ts',
  'tests/{own-methods,push,readme-code,resume}.test.ts',
  'tests/{serve,session,slurm,web,webgpu,worst-files}.test.ts',
  'src/engine/runtime/node/create-session.test.ts',
  'src/studies/jobs/stages.test.ts',
];

export default defineConfig({
  plugins: [threadsOfDist, methodsOnSources],
  test: {
    projects: [
      // Vitest runs projects in the order of their names: the long files of `e2e` and `system` come before the many
      // short ones of `unit`.
      {
        extends: true,
        test: { name: 'e2e', include: ['tests/**/*.test.ts'], exclude: SYSTEM, isolate: false },
      },
      { extends: true, test: { name: 'system', include: SYSTEM } },
      // Most of these take less time than loading their imports, so the files of a worker load them once.
      {
        extends: true,
        test: { name: 'unit', include: ['{src,web}/**/*.test.ts'], exclude: SYSTEM, isolate: false },
      },
    ],
    globalSetup: ['tests/support/build-dist.ts', 'tests/support/memory-folder.ts'],
    // ONNX Runtime's native addon needs its own process; two cores run at most two.
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // For models as small as in most tests, one thread is the fastest, and two files run at once. Huge pages would
    // start Node a second time for each command.
    env: { ADALORA_THREADS: '1', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' },
    // Only a test that hangs takes so long, however busy the machine is.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
