import { Command } from 'commander';
import { addUseFlags, openFlags, readingFlags, type UseFlags } from '../flags.ts';

export function evalCommand(): Command {
  const command = new Command('eval')
    .description('Score a trained model on a file: labelled rows, or for a language model text.')
    .argument('<run or adapter>', 'folder of a run, or of an adapter in the format of PEFT or AdapterHub')
    .argument('<file>', 'TSV, CSV or JSON Lines; for a language model text, JSON Lines, or a folder of them')
    .option('--json', 'print one JSON object');
  return addUseFlags(command).action(run);
}

async function run(path: string, file: string, flags: UseFlags & { json?: boolean }): Promise<void> {
  const { open } = await import('../../trained/node/open.ts');
  const trained = await open(path, openFlags(flags));
  try {
    const { reading } = trained.context();
    const scores = await trained.evaluate(
      file,
      trained.definition().withFlags(reading, readingFlags(flags), file),
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
