import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Workspace } from '../../tests/support/workspace.ts';
import { differences } from './same-run.ts';

/*
 * npx tsx scripts/endurance/full-disk.ts [--every 1] [--from 1]
 *
 * Repeats a short training. In the n-th repetition, the disk is full from the n-th file operation on. Each
 * time, the run must end with a message and exit code 2. When it is resumed with enough space, its result
 * must be byte for byte that of an undisturbed run.
 */
const { values } = parseArgs({
  options: { every: { type: 'string', default: '1' }, from: { type: 'string', default: '1' } },
});
const PRELOAD = pathToFileURL('tests/support/full-at.mjs').href;
const SETTINGS = ['training.max_steps=12', 'training.save_steps=4', 'adalora.tinit=2', 'adalora.tfinal=3'];

const workspace = new Workspace();
let failures = 0;
try {
  await workspace.train(...SETTINGS, 'output=whole');
  let operation = Number(values.from);
  for (; await tried(operation); operation += Number(values.every));
  console.log(`operations up to ${operation}: ${failures} failures`);
} finally {
  workspace.remove();
}
process.exitCode = failures > 0 ? 1 : 0;

/** Whether the run had at least `operation` operations. */
async function tried(operation: number): Promise<boolean> {
  const args = ['train', 'run.yaml', ...[...SETTINGS, 'output=full'].flatMap((one) => ['--set', one])];
  const env = { NODE_OPTIONS: `--import ${PRELOAD}`, FULL_AT: `${operation}` };
  const full = await workspace.start(args, { env }).ended;
  if (full.code === 0) return false;
  const told = /^\S.*ENOSPC/m.test(full.stderr) && !/^ {4}at /m.test(full.stderr);
  if (full.code !== 2 || !told) fail(operation, `code ${full.code}: ${full.stderr}`);
  const again = await workspace.run(...args, '--resume');
  if (again.code !== 0) fail(operation, `resumed, code ${again.code}: ${again.stderr}`);
  else {
    const other = differences(workspace, 'full', 'whole');
    if (other.length > 0) fail(operation, `another ${other.join(', ')}`);
  }
  workspace.delete('full');
  return true;
}

function fail(operation: number, what: string): void {
  failures++;
  console.log(`#${operation} ${what}`);
}
