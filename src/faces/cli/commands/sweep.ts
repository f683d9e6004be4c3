import { Command } from 'commander';
import { PROGRAM } from '../../../support/program.ts';
import { repeated, threadsOption, threadsSetting } from '../flags.ts';
import type { ExperimentFlags } from '../run-experiment.ts';
import { shardOption } from '../shard.ts';
import { shellQuoted } from '../shell-quoted.ts';

export function sweepCommand(): Command {
  return new Command('sweep')
    .description(
      'Train every combination of the values listed in a config, and choose the best one of each method on held-out training rows.',
    )
    .argument(
      '<file>',
      'YAML config with lists instead of values. Its key held_out is the share of training rows on which the best is chosen (default: 0.1)',
    )
    .option('--set <key=value>', 'set a key or a list (repeatable)', repeated, [])
    .addOption(threadsOption())
    .addOption(shardOption())
    .option('--resume', 'continue with the runs in the output folder (always on for a shard)')
    .option('--plan', 'print the runs and their time on this machine, then stop')
    .option('--json', 'with --plan: print one JSON line per combination')
    .action(run);
}

async function run(
  file: string,
  { set, threads, ...flags }: ExperimentFlags & { set: string[] },
): Promise<void> {
  const { readConfig } = await import('../load-config.ts');
  const { sweepOf } = await import('../../../studies/experiments/sweep/sweep-of.ts');
  const { bestCombinations } = await import('../../../studies/experiments/sweep/best-combinations.ts');
  const { writeBest } = await import('../../../studies/experiments/node/write-best.ts');
  const { runExperimentHere } = await import('../run-experiment.ts');
  const { value, where } = readConfig(file, [...set, ...threadsSetting(threads)]);
  const sweep = sweepOf(value, where);
  await runExperimentHere(sweep.experiment, flags, {
    about: ([task]) => bestCombinations(task!, sweep).map(({ text }) => text),
    onResults: ([task]) =>
      bestCombinations(task!, sweep).map(
        (best) => `On all training rows: ${shellQuoted([PROGRAM, 'train', writeBest(best, sweep)])}`,
      ),
  });
}
