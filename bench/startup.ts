import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DATA, isThere, MODEL } from './data/data-cases.ts';

/**
 * Milliseconds from the command to the first training step. It trains MiniLM on CoLA's 8,551 sentences, which
 * are all read and tokenized before. Undefined if the model or the data are missing.
 */
export async function startup(runs: number): Promise<number[] | undefined> {
  if (!isThere('cola')) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'adalora-startup-'));
  try {
    const taken: number[] = [];
    for (let i = 0; i < runs; i++) taken.push(await untilFirstStep(join(folder, `${i}`)));
    return taken;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function untilFirstStep(output: string): Promise<number> {
  const settings = {
    model: MODEL,
    'data.train': DATA.cola.train,
    'data.validation': null,
    'training.max_steps': 3,
    'adalora.tinit': 1,
    'adalora.tfinal': 1,
    'training.eval_strategy': 'no',
    output,
  };
  const sets = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const command = ['dist/cli/main.js', 'train', 'examples/cola.yaml', '--json', ...sets];
  const startedAt = performance.now();
  const child = spawn('node', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  // The first output is the start event of training.
  await once(child.stdout, 'data');
  const taken = performance.now() - startedAt;
  child.stdout.resume();
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`adalora train ended with ${code}`);
  return taken;
}
