import { Command } from 'commander';
import { repeated } from '../flags.ts';
import { shellQuoted } from '../shell-quoted.ts';
import { STOPPED, stopOnSignal } from '../stop-on-signal.ts';

interface Flags {
  set: string[];
  resume?: boolean;
  json?: boolean;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('Fine-tune a model as a config says; the result goes to its output folder.')
    .argument('<config>', 'YAML file; examples/ has some')
    .option(
      '--set <key=value>',
      'replace a value, as in --set training.learning_rate=1e-3 (any number of times)',
      repeated,
      [],
    )
    .option('--resume', 'continue the run in the output folder from its newest checkpoint')
    .option('--json', 'print events as lines of JSON')
    .action(run);
}

async function run(path: string, { set, resume, json }: Flags): Promise<void> {
  const { loadConfig } = await import('../load-config.ts');
  const config = loadConfig(path, set);
  const { train } = await import('../../train/node/train.ts');
  const { jsonDisplay, trainDisplay } = await import('../terminal/train-display.ts');
  const display = json
    ? jsonDisplay(process.stdout)
    : trainDisplay(process.stdout, config.training.metric_for_best_model);
  const stop = stopOnSignal(() => {
    display.close();
    console.error('Finishing the step, then writing a checkpoint (press again to quit at once).');
  });
  try {
    const { reason } = await train(config, { resume, onEvent: display.show, signal: stop.signal });
    display.close();
    if (reason === 'stopped') {
      const settings = set.flatMap((setting) => ['--set', setting]);
      console.error(`To continue: ${shellQuoted(['adalora', 'train', path, ...settings, '--resume'])}`);
      process.exitCode = STOPPED;
    } else if (!json) {
      console.log(`The run is in ${config.output}`);
    }
  } finally {
    display.close();
    stop.release();
  }
}
