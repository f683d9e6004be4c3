import { relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';
import { LongestFirst } from './tests/support/longest-first.ts';

/** Threads of the sources start from dist/, which is built before any test: Node 20 runs no TypeScript. */
const threadsOfDist: Plugin = {
  name: 'threads-of-dist',
  enforce: 'pre',
  transform(code, id) {
    const own = relative(resolve('src'), id);
    if (own.startsWith('..') || !code.includes('new Worker(')) return undefined;
    const built = pathToFileURL(resolve('dist', own)).href;
    return code.replaceAll(/(new URL\('\.\/[\w-]+\.js', )import\.meta\.url\)/g, `$1'${built}')`);
  },
};

/** Start processes, servers and browsers of their own, or change what their process has: each file gets a process. */
const SYSTEM = [
  'tests/browser/*.test.ts',
  'tests/contracts/bases.test.ts',
  'tests/{bundlers,demo,huge-pages,library,mpi,open,pack,pack-without-cuda,readme-code,resume}.test.ts',
  'tests/{serve,session,slurm,web,webgpu}.test.ts',
  'src/runtime/node/create-session.test.ts',
];

export default defineConfig({
  plugins: [threadsOfDist],
  test: {
    projects: [
      // Vitest runs projects by their names: the long files of `e2e` and `system` come before the many short ones of `unit`.
      {
        extends: true,
        test: { name: 'e2e', include: ['tests/**/*.test.ts'], exclude: SYSTEM, isolate: false },
      },
      { extends: true, test: { name: 'system', include: SYSTEM } },
      // Most of these take less time than loading what they test: the files of a worker load it once.
      {
        extends: true,
        test: { name: 'unit', include: ['{src,web}/**/*.test.ts'], exclude: SYSTEM, isolate: false },
      },
    ],
    globalSetup: 'tests/support/build-dist.ts',
    // ONNX Runtime's native addon wants a process of its own; two cores bear two at most.
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // For models as small as those of most tests one is the quickest, and two files run at once.
    env: { ADALORA_THREADS: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
