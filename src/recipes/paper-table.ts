import { parse } from 'yaml';
import { z } from 'zod';

/** One number, several (for several scores), or null if the paper plots but does not print it. */
const figure = z.union([z.number(), z.array(z.number()), z.null()]);
const scores = z.union([z.string(), z.array(z.string())]);

const tableSchema = z.strictObject({
  title: z.string(),
  /** An alternative name of the table. */
  also: z.string().optional(),
  /** Names of the recipes of its tasks. */
  tasks: z.array(z.string()).min(1),
  /** The method that the others are compared with, at the same level. */
  compared_with: z.string().optional(),
  /** Whether it has the column "Ave.". */
  average: z.boolean().default(false),
  /** Scores of tasks that differ from their recipes'; `mean`: their mean. */
  scores: z.record(z.string(), scores).default({}),
  rows: z.array(
    z.strictObject({
      row: z.string(),
      method: z.string(),
      /** Name of the row's budget level. */
      level: z.string().optional(),
      /** Further settings, by dotted keys. */
      settings: z.record(z.string(), z.unknown()).default({}),
      /** The tasks of the table that this row has. */
      tasks: z.array(z.string()).optional(),
      /** The paper's numbers as printed, in the order of its tasks. */
      paper: z.array(figure).optional(),
      average: z.number().optional(),
    }),
  ),
});

/** A table or figure of the paper: its rows as settings, with its numbers. */
export interface PaperTable extends z.output<typeof tableSchema> {
  /** `table1` */
  name: string;
}

export type PaperRow = PaperTable['rows'][number];

/** Parses a table. Tables come with the package, so an invalid one is a bug. */
export function parsePaperTable(name: string, text: string): PaperTable {
  return { name, ...tableSchema.parse(parse(text)) };
}
