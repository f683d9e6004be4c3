import { basename, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import { UserError } from '../../../support/user-error.ts';
import { assertOnly, count, keyOption, newCommand, repeated, sharedOption } from '../flags.ts';

export interface ServeFlags {
  mcp?: boolean;
  model?: string;
  host: string;
  port?: number;
  apiKeyEnv?: string;
  baseDtype?: BaseDtype;
  allowLoading?: boolean;
  cors: string[];
  slots?: number;
  maxBatch: number;
  maxQueue: number;
}

export function serveCommand(): Command {
  const command = newCommand('serve', { isStoppable: true })
    .description('Serve many adapters of one base model over HTTP: /predict, /v1/completions and more.')
    .argument(
      '<folders...>',
      'folders of adapters or runs; changes in them are picked up while the server runs',
    )
    .option(
      '--mcp',
      'offer models as tools (classify, embed, search) of the Model Context Protocol over standard input and output; takes runs, adapters, models or Hub ids',
    )
    .addOption(sharedOption('model'))
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(sharedOption('port'))
    .option('--api-key-env <name>', 'environment variable that holds the API key')
    .addOption(sharedOption('baseDtype'))
    .option('--allow-loading', 'let clients load and unload adapters from the folders')
    .option(
      '--cors <origin>',
      'let pages of an origin call the server, or * for all (repeatable)',
      repeated,
      [],
    )
    .addOption(keyOption('threads').argParser(count))
    .option('--slots <count>', 'number of adapters kept ready in memory', count)
    .option('--max-batch <rows>', 'rows per batch, or texts generated at once', count, 32)
    .option('--max-queue <rows>', 'rows and prompts that may wait; further requests get 503', count, 512);
  return command.action(async (paths: string[], flags: ServeFlags) => {
    if (flags.mcp) {
      assertOnly(command, '--mcp', ['mcp', 'threads']);
      return offerTools(paths);
    }
    const { runServer } = await import('../run-server.ts');
    await runServer(paths, flags);
  });
}

/** Offers models as tools until standard input ends. */
async function offerTools(paths: readonly string[]): Promise<void> {
  const { openTrained } = await import('../../../studies/jobs/node/main-entry.ts');
  const { serveMcp } = await import('../../servers/mcp/mcp-server.ts');
  const { programVersion } = await import('../../../support/node/process-status.ts');
  const names = paths.map((path) => basename(resolve(path)));
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new UserError({ where: twice, fault: 'is the name of two models' });
  const opened = await Promise.all(paths.map((path) => openTrained(path)));
  const models = new Map(names.map((name, i) => [name, opened[i]!]));
  const send = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
  await serveMcp(models, createInterface({ input: process.stdin }), send, programVersion());
  await Promise.all(opened.map((model) => model.close()));
}
