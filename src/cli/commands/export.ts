import { Command } from 'commander';

export function exportCommand(): Command {
  return new Command('export')
    .description('Write an adapter in another form that computes the same.')
    .argument(
      '<run or adapter>',
      'folder of a run, or of an adapter in the format of PEFT or AdapterHub; or its Hub id',
    )
    .requiredOption('--as <form>', 'lora: plain LoRA, for programs that do not know AdaLoRA')
    .requiredOption('-o, --output <folder>', 'new or empty')
    .action(run);
}

async function run(path: string, { as: form, output }: { as: string; output: string }): Promise<void> {
  const { readAdapter } = await import('../../formats/adapters/node/adapter-folder.ts');
  const { exportAdapter } = await import('../../trained/node/export-adapter.ts');
  const { locateAdapter } = await import('../../trained/node/locate-trained.ts');
  const { kindOf } = await import('../../tuners/registry.ts');
  const { assertNewFolder } = await import('../assert-new-folder.ts');
  const { folder } = await locateAdapter(path);
  const stored = readAdapter(folder);
  assertNewFolder(output);
  exportAdapter({ folder, adapter: { stored, kind: kindOf(stored, folder) } }, form, output);
  console.log(`The adapter is in ${output}`);
}
