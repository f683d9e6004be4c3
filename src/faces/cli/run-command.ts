import { closeSync, openSync } from 'node:fs';
import { Command, CommanderError, Help, type Option } from 'commander';
import { THREADS } from '../../engine/runtime/session.ts';
import { isAgreed, markAgreed } from '../../program/parallel/communicator.ts';
import { rankAmongSeveral } from '../../program/parallel/launch.ts';
import { programVersion } from '../../support/node/process-status.ts';
import { PROGRAM } from '../../support/program.ts';
import { printable } from '../../support/text.ts';
import { ComputationError, fileError, UserError } from '../../support/user-error.ts';
import { declareCommands, getFacts } from './commands.ts';
import { hugePageEnvironment } from './huge-pages.ts';
import { flagFor } from './key-options.ts';

/** The exit code for a user's error. */
export const USER_MISTAKE = 2;

/** The command that runs. */
let running: Command | undefined;

/** Whether a signal would stop the command that runs gracefully. */
export function isStoppable(): boolean {
  return running !== undefined && getFacts(running).isStoppable === true;
}

/**
 * Runs a command line and prints its result. Sets `process.exitCode`: 2 for a user's error, 1 for a bug or
 * a failed computation, 130 for a run stopped by a signal.
 *
 * @param words the words after the program's name
 * @param restart replaces this process by the same with another environment, if it can
 */
export async function runCommand(
  words: readonly string[],
  restart?: (environment: NodeJS.ProcessEnv) => Promise<void>,
): Promise<void> {
  const program = createProgram().hook('preAction', async (_, command) => {
    const isLong = restart && getFacts(command).computes?.(words.slice(1));
    const environment = isLong ? hugePageEnvironment() : undefined;
    if (environment) await restart?.(environment);
    running = command;
    assertAlone(command);
    useThreads(command);
    await openCheckpoint(command);
  });
  for (const command of [program, ...program.commands]) command.exitOverride();
  if (words.length === 0) return program.outputHelp();
  const [name] = words;
  const isKnown = [HELP, ...program.commands.map((command) => command.name())].includes(name!);
  try {
    // With an unknown command, --help would print the program's help and hide the error.
    await program.parseAsync(isKnown || name!.startsWith('-') ? words : [name!], { from: 'user' });
  } catch (error) {
    process.exitCode = chooseExitCode(error);
    if (error instanceof CommanderError && error.code === 'commander.unknownOption') {
      const command = program.commands.find((one) => one.name() === name);
      await explainFlag(error.message, command);
    }
  }
}

/** Prints the flag for the key that an unknown flag probably means, if the command has `--set`. */
async function explainFlag(message: string, command: Command | undefined): Promise<void> {
  const [, unknown] = /'(-[^']*)'/.exec(message) ?? [];
  if (unknown === undefined || !command?.options.some(({ long }) => long === '--set')) return;
  const flag = await flagFor(unknown, command);
  if (flag !== undefined) console.error(`${unknown} is a key of the config: ${flag}`);
}

/** Passes `--threads` to the engine in every thread and child process. A training has it in its config. */
function useThreads(command: Command): void {
  const { threads } = command.opts<{ threads?: number }>();
  if (threads !== undefined) process.env[THREADS] = String(threads);
}

function chooseExitCode(error: unknown): number {
  // The first process reports errors that all processes have.
  if (isAgreed(error) && rankAmongSeveral(process.env)) return 0;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USER_MISTAKE; // Commander has already printed its message.
  const mistake = error instanceof UserError ? error : (fileError(error) ?? noHandles());
  if (mistake) {
    console.error(printable(mistake.message));
    return USER_MISTAKE;
  }
  console.error(error instanceof ComputationError ? printable(error.message) : error);
  return 1;
}

/** The error if no more files can be opened. Module loaders and the engine report this case in many ways. */
function noHandles(): UserError | undefined {
  try {
    closeSync(openSync(process.execPath, 'r'));
    return undefined;
  } catch (error) {
    return fileError(error);
  }
}

/** If a command has `--checkpoint`, opens the checkpoint and replaces the run or file in the arguments by it. */
async function openCheckpoint(command: Command): Promise<void> {
  if (!command.options.some(({ long }) => long === '--checkpoint')) return;
  const { checkpoint } = command.opts<{ checkpoint?: number }>();
  const [path] = command.processedArgs as string[];
  if (typeof path !== 'string' || (checkpoint === undefined && !path.endsWith('.safetensors'))) return;
  const { trainedAt } = await import('../../studies/jobs/checkpoint-adapter.ts');
  const { THIS_NODE } = await import('../../studies/jobs/node/machine.ts');
  command.processedArgs[0] = await trainedAt(THIS_NODE, path, checkpoint);
  // The option is handled here, so it is hidden from the command's action.
  command.setOptionValue('checkpoint', undefined);
}

/**
 * Rejects a command that runs in several processes but does not divide its work. Each process would do all of
 * the work, and overwrite the files of the others.
 *
 * @throws UserError, in all processes
 */
function assertAlone(command: Command): void {
  if (getFacts(command).isDivided || rankAmongSeveral(process.env) === undefined) return;
  const isSharded = command.options.some(({ long }) => long === '--shard');
  const shards = ' --shard i/n splits its work over jobs (docs/slurm.md).';
  throw markAgreed(
    new UserError({
      where: `${PROGRAM} ${command.name()}`,
      fault: 'runs in one process, but mpirun, mpiexec or srun started several',
      hint: `Start it without them.${isSharded ? shards : ''}`,
    }),
  );
}

/** Matches commander's message for a missing argument or option. */
const MISSING = /missing required argument '(.+)'|required option '(.+)' not specified/;

const HELP = 'help';

/** The command line with all commands. */
export function createProgram(): Command {
  const program = new Command(PROGRAM)
    .description('Fine-tune Hugging Face transformers with AdaLoRA and its baselines.')
    .version(programVersion())
    .helpCommand(`${HELP} [command]`, 'show help for a command')
    .showSuggestionAfterError();
  const commands = declareCommands();
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands]) command.configureHelp({ optionTerm, optionDescription });
  for (const command of commands) explainMissing(command);
  return program;
}

/**
 * Shows only one spelling of a flag. With the second spelling, `--max_length`, help lines would have no room
 * for the description.
 */
function optionTerm({ flags }: Option): string {
  return flags.replace(/^--\w*_\w*, (?=--)/, '');
}

/** Marks required options, and leaves out the default of repeatable options, an empty list. */
function optionDescription(option: Option): string {
  const isList = Array.isArray(option.defaultValue);
  const shown = isList ? Object.assign(Object.create(option), { defaultValue: undefined }) : option;
  const text = new Help().optionDescription(shown);
  return option.mandatory ? `${text} (required)` : text;
}

/** Makes a command describe a missing argument or option, and show its usage. */
function explainMissing(command: Command): void {
  command.configureOutput({ outputError: (text, write) => write(explained(text, command)) });
}

function explained(text: string, command: Command): string {
  const [, argument, flags] = MISSING.exec(text) ?? [];
  const missing =
    argument === undefined
      ? command.options.find((option) => option.flags === flags)
      : command.registeredArguments.find((known) => known.name() === argument);
  if (!missing) return text;
  const name = `${PROGRAM} ${command.name()}`;
  return [
    `${name} needs ${flags ?? `<${argument}>`}: ${missing.description}.`,
    `Usage: ${name} ${command.usage()}`,
    `For all options, see ${name} --help.\n`,
  ].join('\n');
}
