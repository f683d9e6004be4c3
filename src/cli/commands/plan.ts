import { Command } from 'commander';
import type { Plan } from '../../jobs/plan/plan.ts';
import type { ParsedConfig } from '../../run/config/run-config.ts';
import { CONFIG_NAME, configPath } from '../config-path.ts';
import { repeated, threadsOption, threadsSetting } from '../flags.ts';
import { STOPPED, stopOnSignal } from '../stop-on-signal.ts';
import { downloadDisplay } from '../terminal/download-display.ts';

interface Flags {
  set: string[];
  threads?: number;
  measure?: boolean;
  json?: boolean;
}

export function planCommand(): Command {
  return new Command('plan')
    .description('Show what a run would train, its steps and its memory, without loading the weights.')
    .argument('[config]', `YAML file (default: ${CONFIG_NAME} in this folder)`)
    .option('--set <key=value>', 'set a key of the config (repeatable)', repeated, [])
    .addOption(threadsOption())
    .option(
      '--measure',
      'train for some seconds with each base_dtype to measure memory, speed and total time',
    )
    .option('--json', 'print JSON Lines')
    .action(run);
}

async function run(path: string | undefined, { set, threads, measure, json }: Flags): Promise<void> {
  const { runConfigAt } = await import('../run-config-at.ts');
  const { withAllErrors } = await import('../../jobs/node/with-all-errors.ts');
  const settings = [...set, ...threadsSetting(threads)];
  const { config, withRows } = await withAllErrors(() => runConfigAt(configPath(path), settings));
  const { plan } = await import('../../jobs/node/plan.ts');
  const estimated = await plan(withRows, { onDownload: downloadDisplay(process.stderr) });
  const planned = measure ? await measured(config, estimated) : estimated;
  if (!planned) {
    process.exitCode = STOPPED;
    return;
  }
  if (json) {
    console.log(JSON.stringify(planned));
    return;
  }
  const { describePlan } = await import('../terminal/describe-plan.ts');
  console.log(describePlan(planned));
}

/**
 * Adds the results of a short calibration with each base type to a plan. Undefined if a signal stopped it.
 */
async function measured(config: ParsedConfig, plan: Plan): Promise<Plan | undefined> {
  const { measureBases } = await import('../../jobs/node/calibration/measure-bases.ts');
  const { measureDisplay } = await import('../terminal/measure-display.ts');
  const display = measureDisplay(process.stderr);
  const stop = stopOnSignal(display.close);
  try {
    const bases = await measureBases(config, plan.bases, { signal: stop.signal, onEvent: display.show });
    if (bases.every(({ failure }) => failure !== undefined)) process.exitCode = 1;
    return { ...plan, bases };
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    throw error;
  } finally {
    display.close();
    stop.release();
  }
}
