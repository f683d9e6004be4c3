import { Command, InvalidArgumentError } from 'commander';
import type { BaseDtype } from '../../bases/base-dtype.ts';
import { baseDtypeOption, count, portNumber } from '../flags.ts';

export interface ServeFlags {
  model?: string;
  host: string;
  port: number;
  apiKeyEnv?: string;
  baseDtype?: BaseDtype;
  allowLoading?: boolean;
  slots?: number;
  maxBatch: number;
  maxBatchTokens: number;
  maxWait: number;
  maxQueue: number;
  maxBody: number;
  timeout: number;
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve many adapters of one base model over HTTP: /predict, /v1/completions and more.')
    .argument(
      '<folders...>',
      'folders of adapters or runs, or folders of such; what comes and goes there does so here',
    )
    .option('--model <folder or id>', 'the base model, where it is not the one the adapters name')
    .option('--host <address>', 'the address to listen at', '127.0.0.1')
    .option('--port <port>', 'the port to listen at, 0 for any', portNumber, 8080)
    .option('--api-key-env <name>', 'the environment variable with the key that clients must show')
    .addOption(baseDtypeOption())
    .option('--allow-loading', 'let clients load and unload adapters of the folders')
    .option('--slots <count>', 'adapters that are ready to compute with at a time', count)
    .option('--max-batch <rows>', 'rows, or texts being written, of a batch', count, 32)
    .option('--max-batch-tokens <tokens>', 'tokens of a batch', count, 8192)
    .option('--max-wait <ms>', 'how long a row waits for others', milliseconds, 2)
    .option('--max-queue <rows>', 'rows and prompts that may wait; more are refused', count, 512)
    .option('--max-body <bytes>', 'bytes of a request', count, 2 ** 21)
    .option('--timeout <seconds>', 'how long a request may take', count, 300)
    .action(async (folders: string[], flags: ServeFlags) => {
      const { runServer } = await import('../serve/run-server.ts');
      await runServer(folders, flags);
    });
}

function milliseconds(value: string): number {
  if (/^\d{1,4}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('expected milliseconds, at most 9999.');
}
