import { Command } from 'commander';
import type { FolderMachine } from '../../../studies/jobs/machine.ts';
import type { Plan } from '../../../studies/jobs/plan/plan.ts';
import type { AskedRun } from '../../../studies/jobs/rows-in-memory.ts';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import { CONFIG_NAME, configPath } from '../config-path.ts';
import { sharedOption } from '../flags.ts';
import { addConfigOptions, assertNoColumns, type KeyOptions, keySettings } from '../key-options.ts';
import { STOPPED, stopOnSignal } from '../stop-on-signal.ts';
import { downloadDisplay } from '../terminal/download-display.ts';

interface Flags extends KeyOptions {
  measure?: boolean;
  json?: boolean;
}

export function planCommand(): Command {
  const command = new Command('plan')
    .description('Show what a run would train, its steps and its memory, without loading the weights.')
    .argument('[config or rows]', `YAML file (default: ${CONFIG_NAME} in this folder), or rows as for train`);
  return addConfigOptions(command)
    .option(
      '--measure',
      'train for some seconds with each base_dtype to measure memory, speed and total time',
    )
    .addOption(sharedOption('json'))
    .action(run);
}

async function run(path: string | undefined, flags: Flags): Promise<void> {
  const { measure, json } = flags;
  const { withAllErrors } = await import('../../../studies/jobs/with-all-errors.ts');
  const { THIS_NODE } = await import('../../../studies/jobs/node/machine.ts');
  const asked = await withAllErrors(THIS_NODE, () => readConfig(path, flags));
  const { planAsked } = await import('../../../studies/jobs/plan/plan.ts');
  const estimated = await planAsked(THIS_NODE, asked, downloadDisplay(process.stderr));
  const planned = measure ? await measured(THIS_NODE, asked.config, estimated) : estimated;
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

/** The config to plan. For a data file, it is not written. */
async function readConfig(path: string | undefined, flags: Flags): Promise<AskedRun> {
  const { isDataFile } = await import('../starting/read-data-file.ts');
  const { runConfigAt } = await import('../run-config-at.ts');
  if (path === undefined || !isDataFile(path)) {
    assertNoColumns(flags);
    return runConfigAt(configPath(path), keySettings(flags));
  }
  const { configForData } = await import('../starting/config-for-data.ts');
  const { readConfigText } = await import('../load-config.ts');
  const { inFiles } = await import('../../../studies/jobs/rows-in-memory.ts');
  const { parseRunConfig } = await import('../../../training/run/config/parse-run-config.ts');
  const tell = flags.json ? console.error : console.log;
  const { name, text, set } = await configForData({ path, options: flags }, tell);
  const { value, where } = readConfigText(text, name, set);
  return inFiles(parseRunConfig(value, where));
}

/**
 * Adds the results of a short calibration with each base type to a plan. Undefined if a signal stopped it.
 */
async function measured(machine: FolderMachine, config: ParsedConfig, plan: Plan): Promise<Plan | undefined> {
  const { measureBases } = await import('../../../studies/jobs/calibration/measure-bases.ts');
  const { measureDisplay } = await import('../terminal/train-display.ts');
  const display = measureDisplay(process.stderr);
  const stop = stopOnSignal(display.close);
  try {
    const bases = await measureBases(machine, config, plan.bases, {
      signal: stop.signal,
      onEvent: display.show,
    });
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
