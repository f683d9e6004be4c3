import { Command, Option } from 'commander';

export function exportCommand(): Command {
  return new Command('export')
    .description('Write an adapter in another form that computes the same.')
    .argument('<run or adapter>', 'folder of a run, or of an adapter in the format of PEFT')
    .addOption(
      new Option('--as <form>', 'lora: plain LoRA, for programs that do not know AdaLoRA')
        .choices(['lora'])
        .makeOptionMandatory(),
    )
    .requiredOption('-o, --output <folder>', 'new or empty')
    .action(run);
}

async function run(path: string, { output }: { output: string }): Promise<void> {
  const { readAdapter, writeAdapter } = await import('../../formats/peft/node/adapter-folder.ts');
  const { locateAdapter } = await import('../../trained/node/locate-trained.ts');
  const { copyAdapterNotes } = await import('../../trained/node/adapter-notes.ts');
  const { assertNewFolder } = await import('../assert-new-folder.ts');
  const { plainLora } = await import('../../tuners/low-rank/plain-lora.ts');
  const { folder } = locateAdapter(path);
  const { config, tensors } = plainLora(readAdapter(folder), folder);
  assertNewFolder(output);
  writeAdapter(output, config, tensors);
  copyAdapterNotes(folder, output);
  console.log(`The adapter is in ${output}`);
}
