import type { Command } from 'commander';

/** If a command has `--checkpoint`, opens the checkpoint and replaces the run or file in the arguments by it. */
export async function openCheckpoint(command: Command): Promise<void> {
  if (!command.options.some(({ long }) => long === '--checkpoint')) return;
  const { checkpoint } = command.opts<{ checkpoint?: number }>();
  const [path] = command.processedArgs as string[];
  if (typeof path !== 'string' || (checkpoint === undefined && !path.endsWith('.safetensors'))) return;
  const { trainedAt } = await import('../jobs/node/write-checkpoint-adapter.ts');
  command.processedArgs[0] = await trainedAt(path, checkpoint);
  // The option is handled here, so it is hidden from the command's action.
  command.setOptionValue('checkpoint', undefined);
}
