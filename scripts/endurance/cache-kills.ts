import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startHubServer } from '../../tests/support/hub-server.ts';
import { writeMadeAdapter } from '../../tests/support/made-adapter.ts';
import { tinyRows } from '../../tests/support/tiny-data.ts';
import { Workspace } from '../../tests/support/workspace.ts';

/*
 * npx tsx scripts/endurance/cache-kills.ts [--every 1] (build first)
 *
 * Kills a command directly before each file operation with which it fills a cache: bases as int8 and int4, and files of
 * the Hub. The same command then must end well with the same output, and leave a cache like that of an undisturbed
 * command. A second link to a file of the cache may remain: it takes no space, and the next write in its folder removes it.
 */
const { values } = parseArgs({ options: { every: { type: 'string', default: '1' } } });
const PRELOAD = pathToFileURL('tests/support/die-at.mjs').href;
const SENTENCES = resolve('src/tasks/sentence-embedding/fixtures/model');

const workspace = new Workspace();
let kills = 0;
let failures = 0;
let links = 0;
const hub = await startHubServer({
  name: 'owner/sentences',
  commit: 'c'.repeat(40),
  large: ['model.safetensors'],
  files: Object.fromEntries(
    readdirSync(SENTENCES, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(SENTENCES.length + 1), readFileSync(path)]),
  ),
});
try {
  writeMadeAdapter(workspace.path('adapter'), workspace.path('model'), { seed: 1 });
  workspace.write(
    'texts.txt',
    tinyRows(3, 1)
      .map(({ text }) => `${text}\n`)
      .join(''),
  );
  const predict = ['predict', 'adapter', 'texts.txt', '--model', 'model', '--text', '0'];
  await killedEverywhere('int8', [...predict, '--base-dtype', 'int8']);
  await killedEverywhere('int4', [...predict, '--base-dtype', 'int4']);
  await killedEverywhere('hub', ['embed', 'owner/sentences', 'texts.txt']);
  console.log(`${kills} kills, ${failures} failures, ${links} second links`);
} finally {
  await hub.close();
  workspace.remove();
}
process.exitCode = failures > 0 ? 1 : 0;

async function killedEverywhere(name: string, words: readonly string[]): Promise<void> {
  const whole = await ended(words, `${name}-whole`);
  if (whole.code !== 0) return fail(name, whole.stderr);
  const expected = filesIn(`${name}-whole`);
  let operation = 1;
  for (; ; operation += Number(values.every)) {
    const cache = `${name}-${operation}`;
    const { signal } = await ended(words, cache, operation);
    if (signal !== 'SIGKILL') break;
    kills++;
    const again = await ended(words, cache);
    if (again.code !== 0) fail(cache, `code ${again.code}: ${again.stderr}`);
    else if (again.stdout !== whole.stdout) fail(cache, 'another output');
    const other = filesIn(cache).filter((file) => !expected.includes(file));
    const missing = expected.filter((file) => !filesIn(cache).includes(file));
    if (missing.length > 0) fail(cache, `lacks ${missing}`);
    for (const file of other) {
      if (file.endsWith('.tmp') && lstatSync(workspace.path(cache, file)).nlink > 1) links++;
      else fail(cache, `has ${file}`);
    }
    workspace.delete(cache);
  }
  console.log(`${name}: killed before operations 1 to ${operation - 1}`);
}

/** Runs a command with a cache, and kills it before an operation. */
function ended(words: readonly string[], cache: string, operation?: number) {
  const place = workspace.path(cache);
  return workspace.start(words, {
    env: {
      ADALORA_CACHE: place,
      HF_HUB_CACHE: place,
      HF_HUB_OFFLINE: '',
      HF_ENDPOINT: hub.endpoint,
      ...(operation && { NODE_OPTIONS: `--import ${PRELOAD}`, DIE_AT: `${operation}` }),
    },
  }).ended;
}

function filesIn(cache: string): string[] {
  const folder = workspace.path(cache);
  return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort() : [];
}

function fail(where: string, what: string): void {
  failures++;
  console.log(`${where}: ${what}`);
}
