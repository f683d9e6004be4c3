import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import { readEvent, type TrainEvent } from '../../../training/run/events.ts';
import { watchRun } from './train.ts';

let output: string;
beforeEach(() => {
  output = mkdtempSync(join(tmpdir(), 'adalora-'));
});
afterEach(() => {
  rmSync(output, { recursive: true, force: true });
  vi.restoreAllMocks();
});

const START = { type: 'start', step: 0, total_steps: 4, train_examples: 8, eval_examples: 0 };

it('writes the report of an active run, which reloads itself until the end, and never throws', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const config = {
    model: 'm',
    method: 'lora',
    task: 'regression',
    data: { train: 'a.tsv' },
    training: {},
    seed: 0,
  };
  writeFileSync(join(output, 'config.yaml'), JSON.stringify(config));
  writeFileSync(join(output, 'metrics.jsonl'), `${JSON.stringify(START)}\n`);
  const report = () => readFileSync(join(output, 'report.html'), 'utf8');
  const watch = await watchRun({ output, training: {} } as ParsedConfig, { live: true });
  expect(existsSync(join(output, 'report.html'))).toBe(false);
  watch.show(readEvent(START) as TrainEvent);
  expect(printed).toHaveBeenCalledWith(`Live report: ${join(output, 'report.html')}`);
  expect(report()).toContain('http-equiv="refresh"');
  await watch.close();
  expect(report()).not.toContain('http-equiv="refresh"');
  rmSync(output, { recursive: true });
  await watch.close();
  expect(printed.mock.calls.at(-1)).toEqual([expect.stringContaining('No report of this moment')]);
});
