import { z } from 'zod';
import { ON_BAD_ROW } from '../../data/row.ts';
import { dataFiles } from '../data-files.ts';

const given = z.string().min(1);

const column = z.union([given, z.int().min(0)], {
  error: 'expected a column: its name, or its number from 0',
});

/** Where labelled examples are and how they are read. */
export const labelledDataSchema = z.strictObject({
  /** TSV, CSV or JSON Lines. */
  ...dataFiles,
  /** Columns by name (header, JSON key) or by number from 0. */
  text: column,
  /** The second text, for tasks on pairs. */
  text_pair: column.optional(),
  /** Column of the label, by name or by number from 0. */
  label: column,
  /** Whether the first line names the columns. Default: yes if any column is given by name. */
  header: z.boolean().optional(),
  /** Whether a double quote encloses fields. Default: yes in CSV, no in TSV. */
  quote: z.boolean().optional(),
  /** What separates the labels of one row in a multi-label table. Default: `;`. */
  label_separator: given.optional(),
  /** Between the fields of a table, where neither a tab (TSV) nor a comma (CSV) is. */
  delimiter: z.string().length(1, { error: 'expected one character' }).optional(),
  /** Whether a row that is ragged or lacks its label is an error (the default), or is left out and told of. */
  on_bad_row: z.enum(ON_BAD_ROW).optional(),
  /** Tokens an input may have, special ones included; what is longer is cut. */
  max_length: z.int().min(1).default(128),
});

export type LabelledData = z.output<typeof labelledDataSchema>;
