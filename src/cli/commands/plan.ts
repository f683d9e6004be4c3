import { Command } from 'commander';
import { CONFIG_NAME, configPath } from '../config-path.ts';
import { repeated } from '../flags.ts';

export function planCommand(): Command {
  return new Command('plan')
    .description('Show what a run would train, its steps and its memory, without loading the weights.')
    .argument('[config]', `YAML file; default: ${CONFIG_NAME} in this folder`)
    .option('--set <key=value>', 'replace a value (any number of times)', repeated, [])
    .option('--json', 'print one JSON object')
    .action(run);
}

async function run(
  path: string | undefined,
  { set, json }: { set: string[]; json?: boolean },
): Promise<void> {
  const { loadConfig } = await import('../load-config.ts');
  const config = loadConfig(configPath(path), set);
  const { plan } = await import('../../train/node/plan.ts');
  const planned = await plan(config);
  if (json) {
    console.log(JSON.stringify(planned));
    return;
  }
  const { describePlan } = await import('../terminal/describe-plan.ts');
  console.log(describePlan(planned));
}
