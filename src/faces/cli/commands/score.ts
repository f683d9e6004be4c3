import { Argument, Command } from 'commander';
import { PROGRAM } from '../../../support/program.ts';
import { printable } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import type { ScoredFiles } from '../../../tasks/official-scores/score-kind.ts';
import { SCORE_KINDS } from '../../../tasks/official-scores/score-kinds.ts';

type Flags = Record<keyof ScoredFiles, string>;
type OptionalFile = Exclude<keyof ScoredFiles, 'predictions'>;

const FLAG: Readonly<Record<OptionalFile, string>> = { references: '--references', nullOdds: '--null-odds' };

export function scoreCommand(): Command {
  return new Command('score')
    .description('Compute the official scores of a predictions file and print them as JSON.')
    .addArgument(new Argument('<kind>', 'metric or task to score').choices(Object.keys(SCORE_KINDS)))
    .requiredOption(
      '--predictions <file>',
      'predictions (squad: {"id": "answer"}; rouge and bleu: one text per line; others: docs/tasks.md)',
    )
    .option(
      '--references <file>',
      'reference answers (squad: a dev JSON of v1.1 or v2.0; rouge and bleu: one text per line)',
    )
    .option(
      '--null_odds, --null-odds <file>',
      'squad v2.0: JSON with the odds of "no answer" for each question id; also prints the best threshold',
    )
    .option('--json', 'print JSON Lines (the default)')
    .action(run);
}

async function run(name: string, flags: Flags): Promise<void> {
  const { dataFiles } = await import('../../../input/data/node/text-files.ts');
  const kind = await SCORE_KINDS[name]!();
  const others = Object.keys(FLAG) as OptionalFile[];
  const missing = kind.needs.find((file) => flags[file] === undefined);
  const where = `${PROGRAM} score ${name}`;
  if (missing) throw new UserError({ where, fault: `needs ${FLAG[missing]} FILE` });
  const idle = others.find((file) => flags[file] !== undefined && !kind.takes.includes(file));
  if (idle) throw new UserError({ where, fault: `does not use ${FLAG[idle]}` });
  const fileAt = async (path: string) => (await dataFiles(path, false))[0]!;
  const files: ScoredFiles = { predictions: await fileAt(flags.predictions) };
  for (const file of others) if (flags[file] !== undefined) files[file] = await fileAt(flags[file]);
  console.log(JSON.stringify(kind.score(files, (message) => console.error(printable(message)))));
}
