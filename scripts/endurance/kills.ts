import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Random } from '../../src/support/random.ts';
import { Workspace } from '../../tests/support/workspace.ts';
import { differences } from './same-run.ts';

/*
 * npx tsx scripts/endurance/kills.ts [--count 100] [--seed 1]
 *
 * Kills runs by SIGKILL at random moments and resumes them until they end: each has to be the same to the byte as one that was left
 * alone. Three methods, a base of bytes, and batches that are accumulated.
 */
const { values } = parseArgs({
  options: { count: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
});
const COMMON = [
  ...['training.num_train_epochs=12', 'training.save_steps=7', 'training.load_best_model_at_end=true'],
  ...['adalora.tinit=10%', 'adalora.tfinal=40%', 'adalora.lora_dropout=0.1'],
];
const RUNS: Record<string, string[]> = {
  adalora: [],
  lora: ['method=lora'],
  prune_lora: ['method=prune_lora'],
  int8: ['base_dtype=int8'],
  accumulated: ['training.gradient_accumulation_steps=2', 'training.per_device_train_batch_size=8'],
};

const workspace = new Workspace();
const random = new Random(Number(values.seed), 'kills');
let killed = 0;
let failures = 0;
try {
  const share = Math.ceil(Number(values.count) / Object.keys(RUNS).length);
  for (const [name, settings] of Object.entries(RUNS))
    await killedSoOften(name, [...COMMON, ...settings], share);
  console.log(`seed ${values.seed}: ${killed} kills, ${failures} failures`);
} finally {
  workspace.remove();
}
process.exitCode = failures > 0 ? 1 : 0;

async function killedSoOften(name: string, settings: readonly string[], count: number): Promise<void> {
  const args = (output: string) => [
    ...['train', 'run.yaml', '--resume'],
    ...[...settings, `output=${output}`].flatMap((one) => ['--set', one]),
  ];
  const began = performance.now();
  const whole = `${name}-whole`;
  const { code, stderr } = await workspace.run(...args(whole));
  if (code !== 0) throw new Error(`${name}: ${stderr}`);
  const lasts = performance.now() - began;
  const own = { kills: 0, ends: 0 };
  while (own.kills < count) {
    const { process: child, ended } = workspace.start(args(name));
    await Promise.race([ended, setTimeout(random.uniform() * lasts)]);
    child.kill('SIGKILL');
    const { signal, ...end } = await ended;
    if (signal === 'SIGKILL') {
      own.kills++;
      continue;
    }
    own.ends++;
    const other = end.code === 0 ? differences(workspace, name, whole) : [`code ${end.code}: ${end.stderr}`];
    if (other.length > 0) fail(`${name} after ${own.kills} kills: ${other.join(', ')}`);
    workspace.delete(name);
  }
  const last = await workspace.run(...args(name));
  const other = last.code === 0 ? differences(workspace, name, whole) : [`code ${last.code}: ${last.stderr}`];
  if (other.length > 0) fail(`${name} at its end: ${other.join(', ')}`);
  killed += own.kills;
  console.log(`${name}: ${own.kills} kills, ${own.ends + 1} runs that ended, ${Math.round(lasts)} ms alone`);
}

function fail(what: string): void {
  failures++;
  console.log(what);
}
