import { Command, Option } from 'commander';
import type { TrainEvent } from '../../run/events.ts';
import { printable } from '../../support/printable.ts';
import { PROGRAM } from '../../support/program.ts';
import { UserError } from '../../support/user-error.ts';
import { CONFIG_NAME, configPath } from '../config-path.ts';
import { addColumnFlags, portNumber, repeated, threadsOption, threadsSetting } from '../flags.ts';
import { shellQuoted } from '../shell-quoted.ts';
import type { ColumnFlags } from '../starting/choose-columns.ts';
import { STOPPED, stopOnSignal } from '../stop-on-signal.ts';

interface Flags extends ColumnFlags {
  set: string[];
  model?: string;
  threads?: number;
  resume?: boolean;
  json?: boolean;
  live?: boolean;
  port?: number;
  tensorboard?: boolean;
}

export function trainCommand(): Command {
  const command = new Command('train')
    .description(
      'Fine-tune a model from a config, or from a file of labelled rows. For a file, the config is written too.',
    )
    .argument(
      '[config or rows]',
      `YAML file (default: ${CONFIG_NAME} in this folder), a program that exports the config (.mjs, .ts), or CSV, TSV, JSON Lines, parquet`,
    )
    .option(
      '--set <key=value>',
      'set a key, as in --set training.learning_rate=1e-3 (repeatable)',
      repeated,
      [],
    )
    .option('--model <folder or id>', 'model to fine-tune, the same as --set model=...')
    .addOption(threadsOption())
    .option('--resume', 'continue from the newest checkpoint in the output folder')
    .option('--json', 'print every event as one JSON line')
    .option('--live', 'serve a live page of the run on 127.0.0.1 and print its address')
    .addOption(
      new Option('--port <port>', 'port of the live page (default: a free one)')
        .argParser(portNumber)
        .implies({ live: true }),
    )
    .option('--tensorboard', 'write TensorBoard event files to tensorboard/ in the output folder');
  return addColumnFlags(command).action(run);
}

async function run(
  path: string | undefined,
  { resume, json, model, threads, ...rest }: Flags,
): Promise<void> {
  // Settings are parsed as YAML. Without quotes, a name such as 1e3 would become a number.
  const named = model === undefined ? [] : [`model=${JSON.stringify(model)}`];
  const flags = { ...rest, set: [...rest.set, ...named, ...threadsSetting(threads)] };
  const { runConfigAt } = await import('../run-config-at.ts');
  const { launchOf } = await import('../../parallel/node/launch.ts');
  const rank = launchOf(process.env)?.rank ?? 0;
  if (rank > 0) return follow(rank, { configFile: path, set: flags.set, resume });
  const { withAllErrors } = await import('../../jobs/node/with-all-errors.ts');
  const { configFile, set } = await withAllErrors(() => configOf(path, { resume, json, ...flags }));
  const { config, withRows } = await withAllErrors(() => runConfigAt(configPath(configFile), set));
  const { train } = await import('../../jobs/node/train.ts');
  const { jsonDisplay, trainDisplay } = await import('../terminal/train-display.ts');
  const display = json
    ? jsonDisplay(process.stdout)
    : trainDisplay(process.stdout, config.training.metric_for_best_model);
  const stop = stopOnSignal(() => {
    display.close();
    console.error('Finishing the step and writing a checkpoint. Press again to quit at once.');
  });
  const { endWithParent } = await import('../end-with-parent.ts');
  endWithParent(stop.request);
  const { watchRun } = await import('../watch-run.ts');
  const watch = await watchRun(config, flags, stop.request);
  const onEvent = (event: TrainEvent) => {
    display.show(event);
    watch.show(event);
  };
  try {
    const { reason } = await train(withRows, { resume, onEvent, signal: stop.signal });
    display.close();
    await watch.close();
    if (reason === 'stopped') {
      const file = configFile === undefined ? [] : [configFile];
      const settings = set.flatMap((setting) => ['--set', setting]);
      console.error(`To continue: ${shellQuoted([PROGRAM, 'train', ...file, ...settings, '--resume'])}`);
      process.exitCode = STOPPED;
    } else if (!json) {
      console.log(`The run is in ${printable(config.output)}`);
      const { nextSteps } = await import('../next-steps.ts');
      console.log(printable(nextSteps(config)));
    }
  } catch (error) {
    await watch.close(error as Error);
    throw error;
  } finally {
    display.close();
    stop.release();
  }
}

/** The config to train with, and the settings that override it. For a data file, writes a config first. */
async function configOf(path: string | undefined, { set, json, ...flags }: Flags) {
  const { isDataFile } = await import('../starting/read-data-file.ts');
  if (path === undefined || !isDataFile(path)) {
    const [flag] = (['text', 'textPair', 'label'] as const).filter((name) => flags[name] !== undefined);
    if (flag === undefined) return { configFile: path, set };
    const hint = `In a config, use data.${flag === 'textPair' ? 'text_pair' : flag}.`;
    throw new UserError({ key: `--${flag}`, fault: 'applies to a data file, not to a config', hint });
  }
  const { configForData } = await import('../starting/config-for-data.ts');
  return configForData(path, { ...flags, set }, json ? console.error : console.log);
}

/** Trains in a process other than the first, and prints nothing. */
async function follow(
  rank: number,
  { configFile, set, resume }: { configFile?: string } & Pick<Flags, 'set' | 'resume'>,
): Promise<void> {
  const { runConfigAt } = await import('../run-config-at.ts');
  const { train } = await import('../../jobs/node/train.ts');
  const { failQuietly } = await import('../fail-quietly.ts');
  const stop = stopOnSignal(() => {});
  try {
    const config = await runConfigAt(configPath(configFile), set ?? []);
    await train(config.withRows, { resume, signal: stop.signal });
  } catch (error) {
    await failQuietly(error, rank);
  } finally {
    stop.release();
  }
}
