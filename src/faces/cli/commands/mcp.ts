import { basename, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { UserError } from '../../../support/user-error.ts';

export function mcpCommand(): Command {
  return new Command('mcp')
    .description(
      'Offer models as tools (classify, embed, search) to a client of the Model Context Protocol, over standard input and output.',
    )
    .argument(
      '<runs...>',
      'folders of runs, adapters or models, or Hub ids; a tool names one by its last part',
    )
    .action(run);
}

async function run(paths: string[]): Promise<void> {
  const { openTrained } = await import('../../../studies/jobs/node/open-trained.ts');
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
