import type { DataOptions } from '../data/row.ts';
import { UserError } from '../support/user-error.ts';
import type { DataFlags } from './flags.ts';

/** How to read a file of rows, but for its format. */
export type Columns = Omit<DataOptions, 'format'>;

/**
 * How to read a file for a trained model: as in its run, except for what flags say. With a column given by flag the
 * file is another than the run's, and has a header if a column in use has a name.
 *
 * @param needsLabel false to predict: then a file without labels is as good
 * @throws UserError when a label is needed and neither says where it stands
 */
export function useColumns(run: Columns, flags: DataFlags, needsLabel: boolean): Columns {
  const { text, text_pair, label, header, quote, label_separator, task } = { ...run, ...flags };
  if (needsLabel && label === undefined) {
    throw new UserError({ where: '--label', expected: 'the column of the label', got: 'nothing' });
  }
  const isOther = [flags.text, flags.text_pair, flags.label].some((column) => column !== undefined);
  const inUse = isOther ? [text, text_pair, needsLabel ? label : undefined] : [text, text_pair, label];
  const isNamed = inUse.some((column) => typeof column === 'string');
  return {
    task,
    text,
    text_pair,
    label: needsLabel ? label : undefined,
    header: flags.header ?? (isOther ? isNamed : (header ?? isNamed)),
    quote,
    label_separator,
  };
}

/** The same for JSON Lines, whose columns have names: those given by number are called `text` and so on. */
export function jsonKeys(columns: Columns): Columns {
  const named = (column: string | number | undefined, name: string) =>
    typeof column === 'number' ? name : column;
  return {
    ...columns,
    text: named(columns.text, 'text') ?? 'text',
    text_pair: named(columns.text_pair, 'text_pair'),
    label: named(columns.label, 'label'),
  };
}
