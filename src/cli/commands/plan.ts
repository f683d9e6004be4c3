import { Command } from 'commander';
import type { Plan } from '../../jobs/plan/plan.ts';
import type { RunConfig } from '../../run/config/run-config.ts';
import { CONFIG_NAME, configPath } from '../config-path.ts';
import { repeated } from '../flags.ts';
import { STOPPED, stopOnSignal } from '../stop-on-signal.ts';
import { downloadDisplay } from '../terminal/download-display.ts';

interface Flags {
  set: string[];
  measure?: boolean;
  json?: boolean;
}

export function planCommand(): Command {
  return new Command('plan')
    .description('Show what a run would train, its steps and its memory, without loading the weights.')
    .argument('[config]', `YAML file; default: ${CONFIG_NAME} in this folder`)
    .option('--set <key=value>', 'replace a value (any number of times)', repeated, [])
    .option(
      '--measure',
      'train for some seconds over each base_dtype, for its memory, its speed and the time to expect',
    )
    .option('--json', 'print JSON, one object a line')
    .action(run);
}

async function run(path: string | undefined, { set, measure, json }: Flags): Promise<void> {
  const { loadConfig } = await import('../load-config.ts');
  const config = loadConfig(configPath(path), set);
  const { plan } = await import('../../jobs/node/plan.ts');
  const found = await plan(config, { onDownload: downloadDisplay(process.stderr) });
  const planned = measure ? await measured(config, found) : found;
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

/** The plan with what a short calibration of each base finds; nothing when it is stopped. */
async function measured(config: RunConfig, plan: Plan): Promise<Plan | undefined> {
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
