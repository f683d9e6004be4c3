import { Command, Option } from 'commander';
import type { MergedDtype } from '../../trained/node/merge-adapter.ts';

interface Flags {
  output: string;
  dtype?: MergedDtype;
  model?: string;
}

export function mergeCommand(): Command {
  return new Command('merge')
    .description('Write the model that an adapter makes of its base, as a checkpoint of its own.')
    .argument('<run or adapter>', 'folder of a run, or of an adapter in the format of PEFT')
    .requiredOption('-o, --output <folder>', 'new or empty')
    .addOption(
      new Option('--dtype <type>', 'type of the weights; by default that of the base').choices([
        'float32',
        'float16',
        'bfloat16',
      ]),
    )
    .option('--model <folder or id>', 'the base model, where it is not the one the adapter names')
    .action(run);
}

async function run(path: string, { output, ...options }: Flags): Promise<void> {
  const { mergeAdapter } = await import('../../trained/node/merge-adapter.ts');
  const { assertNewFolder } = await import('../assert-new-folder.ts');
  assertNewFolder(output);
  await mergeAdapter(path, output, options);
  console.log(`The model is in ${output}`);
}
