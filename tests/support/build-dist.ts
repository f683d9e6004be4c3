import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Before any test, builds dist/ if it is missing or older than the sources. The end-to-end tests run it. */
export default function buildDist(): void {
  // Type errors do not fail the build. The type check reports them.
  spawnSync(process.execPath, ['scripts/prepare.mjs'], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (!existsSync('dist/cli/main.js')) throw new Error('the build failed');
}
