import { writeAdapter } from '../../formats/adapters/node/adapter-folder.ts';
import { suggest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { copyNotes } from './notes-file.ts';
import type { OpenedTuned } from './open-tuned.ts';

/**
 * Writes an adapter in another form that computes the same.
 *
 * @throws UserError naming the forms that there are
 */
export function exportAdapter(
  { adapter, folder }: Pick<OpenedTuned, 'adapter' | 'folder'>,
  form: string,
  output: string,
): void {
  const forms = Object.keys(adapter?.kind.exports ?? {});
  const written = adapter?.kind.exports[form];
  if (!adapter || !written) {
    throw new UserError({
      where: folder,
      expected: forms.length > 0 ? `a form of an adapter (${forms.join(', ')})` : 'what has another form',
      got: adapter ? `${form} of an adapter of kind ${adapter.kind.name}` : 'a whole model',
      hint: forms.length > 0 ? suggest(form, forms) : undefined,
    });
  }
  writeAdapter(output, written(adapter.stored, folder));
  copyNotes(folder, output);
}
