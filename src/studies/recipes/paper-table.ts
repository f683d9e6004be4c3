import { parse } from 'yaml';
import { z } from 'zod';

/** A cell of a table: one number, several (for several scores), or null for a value that the paper only plots. */
const figure = z.union([z.number(), z.array(z.number()), z.null()]);
const scores = z.union([z.string(), z.array(z.string())]);

const tableSchema = z.strictObject({
  title: z.string(),
  /** Another name of the table. */
  also: z.string().optional(),
  /** Names of the recipes for its tasks. */
  tasks: z.array(z.string()).min(1),
  /** The method that other methods are compared with, at the same level. */
  compared_with: z.string().optional(),
  /** Whether the table has the column "Ave.". */
  average: z.boolean().default(false),
  /** Scores of tasks that differ from their recipes' scores. `mean` is the score of the mean column. */
  scores: z.record(z.string(), scores).default({}),
  rows: z.array(
    z.strictObject({
      row: z.string(),
      method: z.string(),
      /** Name of the row's budget level. */
      level: z.string().optional(),
      /** Further settings, by dotted keys. */
      settings: z.record(z.string(), z.unknown()).default({}),
      /** The tasks of the table for which this row has numbers. Default: all. */
      tasks: z.array(z.string()).optional(),
      /** The paper's numbers as printed, in the order of the row's tasks. */
      paper: z.array(figure).optional(),
      average: z.number().optional(),
    }),
  ),
});

/** A table or figure of the paper: its rows as settings, with the paper's numbers. */
export interface PaperTable extends z.output<typeof tableSchema> {
  /** Such as `table1`. */
  name: string;
}

export type PaperRow = PaperTable['rows'][number];

/** Parses a table. Tables are part of the package, so an invalid table is a bug. */
export function parsePaperTable(name: string, text: string): PaperTable {
  return { name, ...tableSchema.parse(parse(text)) };
}
