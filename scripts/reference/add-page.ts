import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Puts the page that trains into the documentation site, which typedoc has written, and points the first link of every page
 * to it. typedoc.json has that link with a placeholder, because typedoc does not adapt links to a page's folder.
 */

const SITE = 'docs/reference';
const PAGE = 'train';
const PLACEHOLDER = 'TRAIN_PAGE';

const { status } = spawnSync(process.execPath, ['dist/cli/main.js', 'web', '--output', join(SITE, PAGE)], {
  stdio: 'inherit',
});
if (status !== 0) throw new Error('The page that trains was not written. Run: npm run build');

for (const name of readdirSync(SITE, { recursive: true, encoding: 'utf8' })) {
  const path = name.replaceAll('\\', '/');
  if (!path.endsWith('.html') || path.startsWith(`${PAGE}/`)) continue;
  const up = '../'.repeat(path.split('/').length - 1);
  const html = readFileSync(join(SITE, path), 'utf8');
  if (!html.includes(PLACEHOLDER)) throw new Error(`${path} has no link to the page that trains`);
  writeFileSync(join(SITE, path), html.replaceAll(PLACEHOLDER, `${up}${PAGE}/index.html`));
}
