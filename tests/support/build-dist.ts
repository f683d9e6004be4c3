import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Before any test: builds dist/, which the end-to-end tests run, if it is missing or older than the sources. */
export default function buildDist(): void {
  // Wrong types still give a build: the type check reports them.
  spawnSync(process.execPath, ['scripts/prepare.mjs'], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (!existsSync('dist/cli/main.js')) throw new Error('the build failed');
}
