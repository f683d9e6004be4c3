import { once } from 'node:events';
import { Command } from 'commander';

export function tokenizeCommand(): Command {
  return new Command('tokenize')
    .description('Print one JSON line per input line: ids, tokens, offsets.')
    .argument('<model>', 'folder of a model, a run or an adapter, or its Hub id')
    .argument('[file]', 'file with one text per line (default: standard input)')
    .action(run);
}

async function run(path: string, file: string | undefined): Promise<void> {
  const { openTokenizer } = await import('../../../use/trained/node/open-tokenizer.ts');
  const { readInput } = await import('../standard-input.ts');
  const { fileLines } = await import('../../../input/data/file-lines.ts');
  const { textFile } = await import('../../../input/data/node/text-files.ts');
  const tokenizer = await openTokenizer(path);
  const isTyped = file === undefined || file === '-';
  const content = isTyped ? await readInput() : textFile(file).read();
  for (const { text } of fileLines(content, isTyped ? 'standard input' : file)) {
    const { inputIds, tokens, starts, ends } = tokenizer.encodeWithOffsets(text);
    const offsets = Array.from(starts, (start, i) => [start, ends[i]]);
    const json = JSON.stringify({ ids: [...inputIds], tokens, offsets });
    if (!process.stdout.write(`${json}\n`)) await once(process.stdout, 'drain');
  }
}
