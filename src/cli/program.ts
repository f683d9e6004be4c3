import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { fileError } from '../support/file-error.ts';
import { PROGRAM } from '../support/program.ts';
import { UserError } from '../support/user-error.ts';
import { evalCommand } from './commands/eval.ts';
import { exportCommand } from './commands/export.ts';
import { generateCommand } from './commands/generate.ts';
import { initCommand } from './commands/init.ts';
import { inspectCommand } from './commands/inspect.ts';
import { mergeCommand } from './commands/merge.ts';
import { planCommand } from './commands/plan.ts';
import { predictCommand } from './commands/predict.ts';
import { recipesCommand } from './commands/recipes.ts';
import { reportCommand } from './commands/report.ts';
import { reproduceCommand } from './commands/reproduce.ts';
import { scoreCommand } from './commands/score.ts';
import { trainCommand } from './commands/train.ts';

/** A mistake of the user's. Faults of this program exit with 1, runs stopped by a signal with 130. */
const USER_MISTAKE = 2;

// Who reads our output may stop early (`adalora predict ... | head`): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const program = new Command(PROGRAM)
  .description('Fine-tune Hugging Face transformers with AdaLoRA and its baselines.')
  .version(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version)
  .helpCommand(false)
  .showSuggestionAfterError();
// Commands load what they need when they run: --help and mistakes answer at once.
for (const command of [
  initCommand(),
  recipesCommand(),
  trainCommand(),
  evalCommand(),
  predictCommand(),
  generateCommand(),
  planCommand(),
  inspectCommand(),
  reportCommand(),
  reproduceCommand(),
  scoreCommand(),
  exportCommand(),
  mergeCommand(),
]) {
  program.addCommand(command);
}
for (const command of [program, ...program.commands]) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USER_MISTAKE; // it has printed its message
  const mistake = error instanceof UserError ? error : fileError(error);
  if (mistake) {
    console.error(mistake.message);
    return USER_MISTAKE;
  }
  console.error(error);
  return 1;
}
