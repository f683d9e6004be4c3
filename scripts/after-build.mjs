import { chmodSync, existsSync, rmSync, symlinkSync } from 'node:fs';

/*
 * Makes dist/ runnable: sets the executable bit, and links the command into node_modules/.bin, where `npx adalora` finds
 * it at once (else npx would first install this folder into its cache, which builds it all over).
 */
chmodSync('dist/cli/main.js', 0o755);
if (existsSync('node_modules/.bin') && process.platform !== 'win32') {
  rmSync('node_modules/.bin/adalora', { force: true });
  symlinkSync('../../dist/cli/main.js', 'node_modules/.bin/adalora');
}
