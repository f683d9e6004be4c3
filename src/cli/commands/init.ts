import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { UserError } from '../../support/user-error.ts';
import { shellQuoted } from '../shell-quoted.ts';
import { starterFiles } from '../starter-files.ts';

export function initCommand(): Command {
  return new Command('init')
    .description(
      'Write a commented config and a few labelled rows to begin with; `adalora train` works at once.',
    )
    .argument('[folder]', 'where to; default: the current folder', '.')
    .action(run);
}

/** All files or none: where one is there already, nothing is written. */
function run(folder: string): void {
  const files = starterFiles().map(({ name, content }) => ({ path: join(folder, name), content }));
  const there = files.filter(({ path }) => existsSync(path));
  if (there.length > 0) {
    throw new UserError({
      where: folder,
      expected: 'a folder without the files that are to be written',
      got: there.map(({ path }) => path).join(', '),
      hint: 'Name another folder: adalora init FOLDER',
    });
  }
  for (const { path, content } of files) atomicWrite(path, content);
  console.log(`Written: ${files.map(({ path }) => path).join(', ')}`);
  const isHere = relative('.', folder) === '';
  console.log(`Next: ${isHere ? '' : `${shellQuoted(['cd', folder])} && `}npx adalora train`);
}
