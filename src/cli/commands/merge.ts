import { Command, Option } from 'commander';
import type { MergedDtype } from '../../trained/node/merge.ts';

interface Flags {
  output: string;
  dtype?: MergedDtype;
  model?: string;
  json?: boolean;
}

export function mergeCommand(): Command {
  return new Command('merge')
    .description('Write the model that an adapter makes of its base, as a checkpoint of its own.')
    .argument(
      '<run or adapter>',
      'folder of a run, or of an adapter in the format of PEFT or AdapterHub; or its Hub id',
    )
    .requiredOption('-o, --output <folder>', 'new or empty')
    .addOption(
      new Option('--dtype <type>', 'type of the weights; by default that of the base').choices([
        'float32',
        'float16',
        'bfloat16',
      ]),
    )
    .option('--model <folder or id>', 'the base model, where it is not the one the adapter names')
    .option('--json', 'print JSON, one object a line: where it is')
    .action(run);
}

async function run(path: string, { output, dtype, model, json }: Flags): Promise<void> {
  const { writeMerged } = await import('../../trained/node/merge.ts');
  const { openTuned } = await import('../../trained/node/open-tuned.ts');
  const { openingDisplay } = await import('../terminal/opening-display.ts');
  const opened = await openTuned(path, { model, ...openingDisplay() });
  try {
    writeMerged(opened, output, { dtype });
  } finally {
    opened.model.close();
  }
  console.log(json ? JSON.stringify({ output }) : `The model is in ${output}`);
}
