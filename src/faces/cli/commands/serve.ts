import { Command, InvalidArgumentError } from 'commander';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import { baseDtypeOption, count, portNumber, repeated, threadsOption } from '../flags.ts';

export interface ServeFlags {
  model?: string;
  host: string;
  port: number;
  apiKeyEnv?: string;
  baseDtype?: BaseDtype;
  allowLoading?: boolean;
  cors: string[];
  slots?: number;
  maxBatch: number;
  maxBatchTokens: number;
  maxWait: number;
  maxQueue: number;
  maxBody?: number;
  maxPixels?: number;
  timeout: number;
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve many adapters of one base model over HTTP: /predict, /v1/completions and more.')
    .argument(
      '<folders...>',
      'folders of adapters or runs; changes in them are picked up while the server runs',
    )
    .option('--model <folder or id>', 'base model (default: the one that the adapters name)')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 picks a free one', portNumber, 8080)
    .option('--api-key-env <name>', 'environment variable that holds the API key')
    .addOption(baseDtypeOption())
    .option('--allow-loading', 'let clients load and unload adapters from the folders')
    .option(
      '--cors <origin>',
      'let pages of an origin call the server, or * for all (repeatable)',
      repeated,
      [],
    )
    .addOption(threadsOption())
    .option('--slots <count>', 'number of adapters kept ready in memory', count)
    .option('--max-batch <rows>', 'rows per batch, or texts generated at once', count, 32)
    .option('--max-batch-tokens <tokens>', 'tokens per batch', count, 8192)
    .option('--max-wait <ms>', 'longest time that a row waits for a batch', milliseconds, 2)
    .option('--max-queue <rows>', 'rows and prompts that may wait; further requests get 503', count, 512)
    .option('--max-body <bytes>', 'bytes per request (default: 2097152; for pictures 33554432)', count)
    .option('--max-pixels <count>', 'pixels per picture (default: 25000000)', count)
    .option('--timeout <seconds>', 'time limit of a request', count, 300)
    .action(async (folders: string[], flags: ServeFlags) => {
      const { runServer } = await import('../run-server.ts');
      await runServer(folders, flags);
    });
}

function milliseconds(value: string): number {
  if (/^\d{1,4}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Use a number of milliseconds up to 9999.');
}
