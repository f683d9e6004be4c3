import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const BUILT = 'dist/cli/main.js';

/** Before any test: builds dist/, which the end-to-end tests run, where it is missing or older than the sources. */
export default function buildDist(): void {
  const builtAt = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    isCompiled(name),
  );
  const changedAt = [
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    ...sources.map((name) => join('src', name)),
  ]
    .map((path) => statSync(path).mtimeMs)
    .reduce((latest, time) => Math.max(latest, time));
  if (changedAt < builtAt) return;
  // Types that are wrong still give a build: that is for the type check to say.
  spawnSync('npm', ['run', 'build'], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (!existsSync(BUILT)) throw new Error('the build failed');
}

function isCompiled(name: string): boolean {
  return name.endsWith('.ts') && !name.endsWith('.test.ts');
}
