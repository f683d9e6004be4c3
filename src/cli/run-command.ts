import { closeSync, openSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Command, CommanderError, type Option } from 'commander';
import { isAgreed } from '../parallel/agreed.ts';
import { rankAmongSeveral } from '../parallel/node/launch.ts';
import { ComputationError } from '../support/computation-error.ts';
import { fileError } from '../support/file-error.ts';
import { programVersion } from '../support/node/program-version.ts';
import { printable } from '../support/printable.ts';
import { PROGRAM } from '../support/program.ts';
import { UserError } from '../support/user-error.ts';
import { assertAlone } from './assert-alone.ts';
import { compareCommand } from './commands/compare.ts';
import { embedCommand } from './commands/embed.ts';
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
import { serveCommand } from './commands/serve.ts';
import { sweepCommand } from './commands/sweep.ts';
import { tokenizeCommand } from './commands/tokenize.ts';
import { trainCommand } from './commands/train.ts';
import { webCommand } from './commands/web.ts';
import { openCheckpoint } from './open-checkpoint.ts';
import { USER_MISTAKE } from './user-mistake.ts';

// Patterns come with configs and models. A pattern that backtracks too long is handed to a linear-time engine.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');

const HELP = 'help';

/**
 * Runs a command line and prints its result. `process.exitCode` is 2 for a user's mistake, 1 for bugs in this program
 * and for failed computations, and 130 for runs stopped by a signal.
 *
 * @param words after the program's name
 */
export async function runCommand(words: readonly string[]): Promise<void> {
  const program = new Command(PROGRAM)
    .description('Fine-tune Hugging Face transformers with AdaLoRA and its baselines.')
    .version(programVersion())
    .helpCommand(`${HELP} [command]`, 'show help for a command')
    .showSuggestionAfterError()
    .hook('preAction', async (_, command) => {
      assertAlone(command);
      await openCheckpoint(command);
    });
  // Commands load their code when they run, so that --help and errors are fast.
  for (const command of [
    initCommand(),
    recipesCommand(),
    trainCommand(),
    evalCommand(),
    predictCommand(),
    embedCommand(),
    generateCommand(),
    planCommand(),
    inspectCommand(),
    reportCommand(),
    reproduceCommand(),
    sweepCommand(),
    compareCommand(),
    scoreCommand(),
    serveCommand(),
    tokenizeCommand(),
    exportCommand(),
    mergeCommand(),
    webCommand(),
  ]) {
    program.addCommand(command);
  }
  for (const command of [program, ...program.commands]) command.exitOverride().configureHelp({ optionTerm });
  if (words.length === 0) return program.outputHelp();
  const [name] = words;
  const isKnown = [HELP, ...program.commands.map((command) => command.name())].includes(name);
  try {
    // For an unknown command, --help would print the program's help as if it were correct.
    await program.parseAsync(isKnown || name.startsWith('-') ? words : [name], { from: 'user' });
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

/**
 * A flag in one spelling: with that of config keys beside it, `--max_length`, no line of help would have room for its
 * text.
 */
function optionTerm({ flags }: Option): string {
  return flags.replace(/^--\w*_\w*, (?=--)/, '');
}

function exitCodeOf(error: unknown): number {
  // The first process reports it.
  if (isAgreed(error) && rankAmongSeveral(process.env)) return 0;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USER_MISTAKE; // it has printed its message
  const mistake = error instanceof UserError ? error : (fileError(error) ?? noHandles());
  if (mistake) {
    console.error(printable(mistake.message));
    return USER_MISTAKE;
  }
  console.error(error instanceof ComputationError ? printable(error.message) : error);
  return 1;
}

/** The error if no file can be opened: module loaders and the engine report it in many ways. */
function noHandles(): UserError | undefined {
  try {
    closeSync(openSync(process.execPath, 'r'));
    return undefined;
  } catch (error) {
    return fileError(error);
  }
}
