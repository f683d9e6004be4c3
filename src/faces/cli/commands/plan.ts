import { Command } from 'commander';
import type { AskedRun } from '../../../studies/jobs/rows-in-memory.ts';
import { CONFIG_NAME, configPath } from '../config-path.ts';
import { sharedOption } from '../flags.ts';
import { addConfigOptions, assertNoColumns, type KeyOptions, keySettings } from '../key-options.ts';
import { downloadDisplay } from '../terminal/download-display.ts';

interface Flags extends KeyOptions {
  json?: boolean;
}

export function planCommand(): Command {
  const command = new Command('plan')
    .description('Show what a run would train, its steps and its memory, without loading the weights.')
    .argument('[config or rows]', `YAML file (default: ${CONFIG_NAME} in this folder), or rows as for train`);
  return addConfigOptions(command).addOption(sharedOption('json')).action(run);
}

async function run(path: string | undefined, flags: Flags): Promise<void> {
  const { json } = flags;
  const { withAllErrors } = await import('../../../studies/jobs/with-all-errors.ts');
  const { THIS_NODE } = await import('../../../studies/jobs/node/machine.ts');
  const asked = await withAllErrors(THIS_NODE, () => readConfig(path, flags));
  const { planAsked } = await import('../../../studies/jobs/plan/plan.ts');
  const planned = await planAsked(THIS_NODE, asked, downloadDisplay(process.stderr));
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
  const { withOwnMethods } = await import('../own-methods.ts');
  const { inFiles } = await import('../../../studies/jobs/rows-in-memory.ts');
  const { parseRunConfig } = await import('../../../training/run/config/parse-run-config.ts');
  const tell = flags.json ? console.error : console.log;
  const { name, text, set } = await configForData({ path, options: flags }, tell);
  const { value, where } = await withOwnMethods(readConfigText(text, name, set));
  return inFiles(parseRunConfig(value, where));
}
