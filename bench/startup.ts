import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFile, GLUE, isThere, MODEL } from './data/data-cases.ts';

/**
 * Milliseconds from the command to the first training step: MiniLM on CoLA's 8,551 sentences, every file read, every
 * sentence tokenized. Undefined where the model or the data are missing.
 */
export function startup(runs: number): number[] | undefined {
  if (!isThere('cola')) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'adalora-startup-'));
  try {
    return Array.from({ length: runs }, (_, i) => once(join(folder, `${i}`)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function once(output: string): number {
  const settings = {
    model: MODEL,
    'data.train': dataFile(GLUE, 'cola', 'train'),
    'data.validation': null,
    'training.max_steps': 3,
    'adalora.tinit': 1,
    'adalora.tfinal': 1,
    'training.eval_strategy': 'no',
    output,
  };
  const sets = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const command = ['dist/cli/main.js', 'train', 'examples/cola.yaml', '--json', ...sets];
  const { stdout, stderr, status } = spawnSync('node', command, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.split('\n')[0]).startup_ms;
}
