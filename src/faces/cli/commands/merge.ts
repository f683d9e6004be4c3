import { Command, Option } from 'commander';
import type { MergedDtype } from '../../../use/trained/node/merge.ts';
import { checkpointOption } from '../flags.ts';

interface Flags {
  output: string;
  dtype?: MergedDtype;
  model?: string;
  json?: boolean;
}

export function mergeCommand(): Command {
  return new Command('merge')
    .description('Merge an adapter into its base model and write a full checkpoint.')
    .argument('<run or adapter>', 'folder of a run or of an adapter (PEFT or AdapterHub), or its Hub id')
    .requiredOption('-o, --output <folder>', 'output folder, new or empty')
    .addOption(
      new Option('--dtype <type>', 'type of the weights (default: that of the base model)').choices([
        'float32',
        'float16',
        'bfloat16',
      ]),
    )
    .option('--model <folder or id>', 'base model (default: the one that the adapter names)')
    .addOption(checkpointOption())
    .option('--json', 'print the output folder as JSON')
    .action(run);
}

async function run(path: string, { output, dtype, model, json }: Flags): Promise<void> {
  const { writeMerged } = await import('../../../use/trained/node/merge.ts');
  const { openTuned } = await import('../../../use/trained/node/open-tuned.ts');
  const { openingDisplay } = await import('../terminal/opening-display.ts');
  const opened = await openTuned(path, { model, ...openingDisplay() });
  try {
    writeMerged(opened, output, { dtype });
  } finally {
    opened.model.close();
  }
  console.log(json ? JSON.stringify({ output }) : `The model is in ${output}`);
}
