import type { Command } from 'commander';
import { PROGRAM } from '../support/program.ts';

/** Matches commander's message for a missing argument or option. */
const MISSING = /missing required argument '(.+)'|required option '(.+)' not specified/;

/** Makes a command describe a missing argument or option, and show its usage. */
export function explainMissing(command: Command): void {
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
