import { Command } from 'commander';
import type { Processes } from '../../parallel/node/join-processes.ts';
import { UserError } from '../../support/user-error.ts';
import {
  addSplitFlags,
  addUseFlags,
  namedFiles,
  openFlags,
  readingFlags,
  type SplitFlags,
  type UseFlags,
} from '../flags.ts';
import { inAllProcesses } from '../in-all-processes.ts';

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('Score a trained model on a file: labelled rows, or for a language model text.')
    .argument('<run or adapter>', 'folder of a run, or of an adapter in the format of PEFT or AdapterHub')
    .argument('[file]', 'TSV, CSV or JSON Lines; for a language model text, JSON Lines, or a folder of them')
    .option('--json', 'print one JSON object');
  return addUseFlags(addSplitFlags(command)).action((path, file, flags) =>
    inAllProcesses((processes) => run(path, file, flags, processes)),
  );
}

async function run(
  path: string,
  file: string | undefined,
  flags: UseFlags & SplitFlags & { json?: boolean },
  processes: Processes,
): Promise<void> {
  const { open } = await import('../../trained/node/open.ts');
  const trained = await open(path, { ...openFlags(flags), processes });
  try {
    const task = trained.definition();
    const files = await namedFiles(file, flags, task.takesFolders);
    if (!files) throw new UserError({ where: 'eval', expected: 'a file, or --dataset', got: 'neither' });
    const { reading } = trained.context();
    const scores = await trained.evaluate(
      files,
      task.withFlags(reading, readingFlags(flags), files[0].name),
      (message) => console.error(message),
    );
    if (flags.json) {
      console.log(JSON.stringify(scores));
      return;
    }
    const width = Math.max(...Object.keys(scores).map((name) => name.length));
    for (const [name, score] of Object.entries(scores))
      console.log(`${name.padEnd(width)}  ${score.toFixed(4)}`);
  } finally {
    await trained.close();
  }
}
