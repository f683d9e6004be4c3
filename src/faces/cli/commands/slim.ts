import { Command } from 'commander';
import { addUp } from '../../../support/numbers.ts';
import { sharedOption } from '../flags.ts';

export function slimCommand(): Command {
  return new Command('slim')
    .description(
      'Delete the engine files in node_modules that this machine does not need: binaries of other platforms, and builds for pages.',
    )
    .option('--keep-web', 'keep the builds for pages, for `adalora web` and for bundling your own page')
    .addOption(sharedOption('dryRun'))
    .action(run);
}

async function run({
  keepWeb = false,
  dryRun = false,
}: {
  keepWeb?: boolean;
  dryRun?: boolean;
}): Promise<void> {
  const { sparePaths, bytesAt: sizeOf, remove } = await import('../../../engine/runtime/node/spare-files.ts');
  const spare = sparePaths({ keepWeb });
  const bytes = addUp(spare, sizeOf);
  for (const path of spare) {
    console.log(path);
    if (!dryRun) remove(path);
  }
  const size = `${Math.round(bytes / 1e6)} MB`;
  console.log(spare.length === 0 ? 'Nothing to delete.' : `${dryRun ? 'Would delete' : 'Deleted'}: ${size}.`);
}
