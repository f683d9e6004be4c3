import { relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

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

/** Changes what the engine is to find in its process. */
const ALONE = 'src/runtime/node/create-session.test.ts';

export default defineConfig({
  plugins: [threadsOfDist],
  test: {
    projects: [
      {
        extends: true,
        // Most of these take less time than loading what they test: the files of a worker load it once.
        test: { name: 'sources', include: ['{src,web}/**/*.test.ts'], exclude: [ALONE], isolate: false },
      },
      { extends: true, test: { name: 'whole', include: ['tests/**/*.test.ts', ALONE] } },
    ],
    globalSetup: 'tests/support/build-dist.ts',
    // ONNX Runtime's native addon wants a process of its own; two cores bear two at most.
    pool: 'forks',
    maxWorkers: 2,
    // For models as small as those of most tests one is the quickest, and two files run at once.
    env: { ADALORA_THREADS: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
