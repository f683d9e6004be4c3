import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Builds dist/ if it is missing or older than its sources. npm runs this on install, and again when `npx
 * adalora` is first called in a checkout. The second time, dist/ is already new enough.
 */

const BUILT = 'dist/cli/main.js';
const builtAt = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const sources = ['src', 'web'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.\w+$/.test(name) && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name)),
);
const changedAt = Math.max(
  ...['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/bundle.mjs', ...sources].map(
    (path) => statSync(path).mtimeMs,
  ),
);
if (changedAt >= builtAt) {
  const { status } = spawnSync('npm', ['run', 'build'], { stdio: ['ignore', 'inherit', 'inherit'] });
  process.exitCode = status ?? 1;
}
