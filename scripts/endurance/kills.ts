import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Random } from '../../src/support/random.ts';
import { Workspace } from '../../tests/support/workspace.ts';
import { differences } from './same-run.ts';
import { type Setting, writeSettings } from './settings.ts';

/*
 * npx tsx scripts/endurance/kills.ts [--count 100] [--seed 1] [--only NAME,NAME]
 *
 * Kills runs by SIGKILL at random moments and resumes them until they end. Each result must be byte for byte
 * that of an undisturbed run. Covers every method, seven tasks, int8 and int4 bases, decoders, gradient
 * accumulation, a sweep, a comparison and a table of the paper. The kills are distributed over these settings.
 */
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});

const workspace = new Workspace({ ADALORA_THREADS: '1' });
const random = new Random(Number(values.seed), 'kills');
let killed = 0;
let failures = 0;
try {
  const only = values.only?.split(',');
  const settings = writeSettings(workspace).filter(({ name }) => only?.includes(name) ?? true);
  for (const [i, setting] of settings.entries()) {
    const left = Number(values.count) - killed;
    await killedSoOften(setting, Math.ceil(left / (settings.length - i)));
  }
  console.log(`seed ${values.seed}: ${killed} kills, ${failures} failures`);
} finally {
  workspace.remove();
}
process.exitCode = failures > 0 ? 1 : 0;

async function killedSoOften({ name, args: words, output }: Setting, count: number): Promise<void> {
  const args = (folder: string) => [...words, ...(output?.(folder) ?? ['--set', `output=${folder}`])];
  const whole = `${name}-whole`;
  let startedAt = 0;
  // The first run fills caches. The second one then takes as long as the killed runs.
  for (let i = 0; i < 2; i++) {
    workspace.delete(whole);
    const { code, stderr } = await workspace.start(args(whole)).ended;
    if (code !== 0) return fail(`${name}: ${stderr}`);
    if (i === 0) startedAt = performance.now();
  }
  const lasts = performance.now() - startedAt;
  const counts = { kills: 0, ends: 0 };
  while (counts.kills < count) {
    const { process: child, ended } = workspace.start(args(name));
    await Promise.race([ended, setTimeout(random.uniform() * lasts)]);
    child.kill('SIGKILL');
    const { signal, ...end } = await ended;
    if (signal === 'SIGKILL') {
      counts.kills++;
      continue;
    }
    counts.ends++;
    const other = end.code === 0 ? differences(workspace, name, whole) : [`code ${end.code}: ${end.stderr}`];
    if (other.length > 0) fail(`${name} after ${counts.kills} kills: ${other.join(', ')}`);
    workspace.delete(name);
  }
  const last = await workspace.start(args(name)).ended;
  const other = last.code === 0 ? differences(workspace, name, whole) : [`code ${last.code}: ${last.stderr}`];
  if (other.length > 0) fail(`${name} at its end: ${other.join(', ')}`);
  killed += counts.kills;
  console.log(
    `${name}: ${counts.kills} kills, ${counts.ends + 1} runs that ended, ${Math.round(lasts)} ms alone`,
  );
}

function fail(what: string): void {
  failures++;
  console.log(what);
}
