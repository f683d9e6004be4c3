import type { Command } from 'commander';

/** Replaces the run or file in a command's arguments by the content of its checkpoint, if the command opens one. */
export async function openCheckpoint(command: Command): Promise<void> {
  if (!command.options.some(({ long }) => long === '--checkpoint')) return;
  const { checkpoint } = command.opts<{ checkpoint?: number }>();
  const [path] = command.processedArgs as string[];
  if (typeof path !== 'string' || (checkpoint === undefined && !path.endsWith('.safetensors'))) return;
  const { trainedAt } = await import('../jobs/node/write-checkpoint-adapter.ts');
  command.processedArgs[0] = await trainedAt(path, checkpoint);
  // The command's action does not know this option.
  command.setOptionValue('checkpoint', undefined);
}
