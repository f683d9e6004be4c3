import { Command, Help, type Option } from 'commander';
import { programVersion } from '../../support/node/process-status.ts';
import { PROGRAM } from '../../support/program.ts';
import { compareCommand } from './commands/compare.ts';
import { embedCommand } from './commands/embed.ts';
import { evalCommand } from './commands/eval.ts';
import { exportCommand } from './commands/export.ts';
import { generateCommand } from './commands/generate.ts';
import { initCommand } from './commands/init.ts';
import { inspectCommand } from './commands/inspect.ts';
import { planCommand } from './commands/plan.ts';
import { predictCommand } from './commands/predict.ts';
import { pushCommand } from './commands/push.ts';
import { reportCommand } from './commands/report.ts';
import { serveCommand } from './commands/serve.ts';
import { slimCommand } from './commands/slim.ts';
import { trainCommand } from './commands/train.ts';
import { webCommand } from './commands/web.ts';

/** Matches commander's message for a missing argument or option. */
const MISSING = /missing required argument '(.+)'|required option '(.+)' not specified/;

export const HELP = 'help';

/** The command line with all commands. Commands load their code when they run, so that --help and errors are fast. */
export function createProgram(): Command {
  const program = new Command(PROGRAM)
    .description('Fine-tune Hugging Face transformers with AdaLoRA and its baselines.')
    .version(programVersion())
    .helpCommand(`${HELP} [command]`, 'show help for a command')
    .showSuggestionAfterError();
  const commands = [
    initCommand(),
    trainCommand(),
    evalCommand(),
    predictCommand(),
    embedCommand(),
    generateCommand(),
    planCommand(),
    inspectCommand(),
    reportCommand(),
    compareCommand(),
    serveCommand(),
    exportCommand(),
    pushCommand(),
    webCommand(),
    slimCommand(),
  ];
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
