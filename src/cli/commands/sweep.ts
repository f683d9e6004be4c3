import { join } from 'node:path';
import { Command } from 'commander';
import { assertNewFolder } from '../../formats/node/assert-new-folder.ts';
import { PROGRAM } from '../../support/program.ts';
import { UserError } from '../../support/user-error.ts';
import { repeated, threadsOption, threadsSetting } from '../flags.ts';
import { inShard, type Shard, shardOption } from '../shard.ts';
import { shellQuoted } from '../shell-quoted.ts';
import { stopOnSignal } from '../stop-on-signal.ts';
import { tellTrained } from '../tell-trained.ts';

interface Flags {
  set: string[];
  threads?: number;
  shard: Shard;
  resume?: boolean;
}

/** Default share of the training rows that is held out to choose the best run. */
const HELD_OUT = 0.1;

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
    .action(run);
}

async function run(file: string, { set, threads, shard, resume }: Flags): Promise<void> {
  const { readConfig } = await import('../load-config.ts');
  const { sweepRuns } = await import('../../experiments/sweep/sweep-runs.ts');
  const { shown } = await import('../../support/problem.ts');
  const { value, where } = readConfig(file, [...set, ...threadsSetting(threads)]);
  const { held_out: share = HELD_OUT, ...settings } = value;
  if (typeof share !== 'number' || !(share >= 0 && share < 1)) {
    const expected = 'at least 0 and less than 1';
    throw new UserError({ where: where(['held_out']), key: 'held_out', expected, got: shown(share) });
  }
  const sweepList = sweepRuns(settings, where, share > 0);
  const output = settings.output as string;
  // With several shards, another one may have created the folder.
  if (!resume && shard.of === 1) assertNewFolder(output);
  const runs = await withHeldOut(sweepList, share, output);
  const shardRuns = inShard(runs, shard);
  const { assertOwnRuns } = await import('../../experiments/node/assert-own-runs.ts');
  // Checks the runs of all shards, because the table contains them.
  await assertOwnRuns(runs);
  const { trainAll } = await import('../../experiments/node/train-all.ts');
  const { runsDisplay } = await import('../terminal/runs-display.ts');
  const { writeSweep } = await import('../../experiments/node/write-sweep.ts');
  const { bestName, isTied } = await import('../../experiments/sweep/sweep-results.ts');
  const { describeSettings } = await import('../../experiments/sweep/sweep-markdown.ts');
  const stop = stopOnSignal(() => console.error('Stopping after a checkpoint.'));
  try {
    const display = runsDisplay(
      process.stdout,
      shardRuns.map(({ name }) => name),
    );
    const trained = await trainAll(shardRuns, { output, ...display, signal: stop.signal });
    const written = writeSweep(runs, output);
    const remarks: string[] = [];
    if (written) {
      const { results } = written;
      const missing = results.rows.reduce((sum, row) => sum + row.of - row.runs.length, 0);
      const sofar = missing > 0 ? ` so far (${missing} of ${runs.length} runs are not finished)` : '';
      const by = share > 0 ? 'held-out training rows' : 'data.validation';
      for (const row of results.best) {
        const whose = results.best.length > 1 ? ` ${row.method}` : '';
        const path = join(output, `${bestName(row, results)}.yaml`);
        const tie = isTied(row, results) ? ', of equal scores the lowest loss' : '';
        remarks.push(`Best${whose} by ${results.metric} on ${by}${tie}${sofar}: ${describeSettings(row)}`);
        remarks.push(`On all training rows: ${shellQuoted([PROGRAM, 'train', path])}`);
      }
    }
    tellTrained(output, trained, written?.markdown, remarks);
    if (trained.stopped) console.error('To continue, run the same command with --resume.');
  } finally {
    stop.release();
  }
}

type Runs = ReturnType<typeof import('../../experiments/sweep/sweep-runs.ts').sweepRuns>;

/** Runs that train on all rows except the held-out rows, and are scored on these. */
async function withHeldOut(runs: Runs, share: number, output: string): Promise<Runs> {
  if (share === 0) return runs;
  const { sweptConfig } = await import('../../experiments/sweep/sweep-runs.ts');
  const { writeAllHeldOut } = await import('../../experiments/node/held-out-data.ts');
  const parts = await writeAllHeldOut(runs.map(sweptConfig), share, output);
  return runs.map((run, i) => ({
    ...run,
    config: { ...run.config, data: { ...(run.config.data as object), ...parts[i] } },
  }));
}
