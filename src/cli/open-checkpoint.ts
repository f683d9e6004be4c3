import type { Command } from 'commander';

/** Puts what a checkpoint holds in the place of the run or file that a command was given, if the command opens such. */
export async function openCheckpoint(command: Command): Promise<void> {
  if (!command.options.some(({ long }) => long === '--checkpoint')) return;
  const { checkpoint } = command.opts<{ checkpoint?: number }>();
  const [path] = command.processedArgs as string[];
  if (typeof path !== 'string' || (checkpoint === undefined && !path.endsWith('.safetensors'))) return;
  const { trainedAt } = await import('../jobs/node/write-checkpoint-adapter.ts');
  command.processedArgs[0] = await trainedAt(path, checkpoint);
  // The action of the command knows nothing of it.
  command.setOptionValue('checkpoint', undefined);
}
