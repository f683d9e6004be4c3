import { Argument, Command } from 'commander';
import { printable } from '../../support/printable.ts';
import { PROGRAM } from '../../support/program.ts';
import { UserError } from '../../support/user-error.ts';
import type { ScoredFiles } from '../score/score-kind.ts';
import { SCORE_KINDS } from '../score/score-kinds.ts';

type Flags = Record<keyof ScoredFiles, string>;
type OptionalFile = Exclude<keyof ScoredFiles, 'predictions'>;

const FLAG: Readonly<Record<OptionalFile, string>> = { references: '--references', nullOdds: '--null-odds' };

export function scoreCommand(): Command {
  return new Command('score')
    .description('Official scores of files that any system wrote, as one JSON object.')
    .addArgument(new Argument('<kind>', 'whose scores').choices(Object.keys(SCORE_KINDS)))
    .requiredOption(
      '--predictions <file>',
      'what was predicted: for squad {"id": "answer"}, for rouge and bleu a text a line',
    )
    .option(
      '--references <file>',
      'what is right: for squad a dev JSON of v1.1 or v2.0, for rouge and bleu a text a line',
    )
    .option(
      '--null_odds, --null-odds <file>',
      'squad v2.0: {"id": odds of no answer}, for the best thresholds',
    )
    .option('--json', 'print JSON, one object a line, as without it')
    .action(run);
}

async function run(name: string, flags: Flags): Promise<void> {
  const { dataFiles } = await import('../../data/node/text-files.ts');
  const kind = await SCORE_KINDS[name]();
  const others = Object.keys(FLAG) as OptionalFile[];
  const missing = kind.needs.find((file) => flags[file] === undefined);
  const where = `${PROGRAM} score ${name}`;
  if (missing) throw new UserError({ where, expected: `${FLAG[missing]} FILE`, got: 'none' });
  const idle = others.find((file) => flags[file] !== undefined && !kind.takes.includes(file));
  if (idle) throw new UserError({ where, expected: `no ${FLAG[idle]}`, got: flags[idle] });
  const fileAt = async (path: string) => (await dataFiles(path, false))[0];
  const files: ScoredFiles = { predictions: await fileAt(flags.predictions) };
  for (const file of others) if (flags[file] !== undefined) files[file] = await fileAt(flags[file]);
  console.log(JSON.stringify(kind.score(files, (message) => console.error(printable(message)))));
}
