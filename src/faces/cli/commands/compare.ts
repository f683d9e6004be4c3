import { Command } from 'commander';
import { repeated, threadsOption } from '../flags.ts';
import type { ExperimentFlags } from '../run-experiment.ts';
import { shardOption } from '../shard.ts';

export function compareCommand(): Command {
  return new Command('compare')
    .description(
      'Tune several groups of settings on held-out training rows, train each with several seeds, and compare them.',
    )
    .argument(
      '<file>',
      'YAML config, explained in docs/paper.md: rows (the settings to compare), grid (values to try), tasks, halving (drop weak values early), seeds (default: 5), held_out (default: 0.1)',
    )
    .option('--set <key=value>', 'set a key of the file (repeatable)', repeated, [])
    .addOption(threadsOption())
    .addOption(shardOption())
    .option('--resume', 'continue with the runs in the output folder (always on for a shard)')
    .option('--plan', 'print the runs and their time on this machine, then stop')
    .option('--json', 'with --plan: print one JSON line per row and task')
    .action(run);
}

async function run(file: string, { set, ...flags }: ExperimentFlags & { set: string[] }): Promise<void> {
  const { readConfig } = await import('../load-config.ts');
  const { comparison } = await import('../../../studies/experiments/compare/comparison.ts');
  const { runExperimentHere } = await import('../run-experiment.ts');
  const { value, where } = readConfig(file, set);
  const experiment = comparison(value, where);
  await runExperimentHere(experiment, flags);
}
