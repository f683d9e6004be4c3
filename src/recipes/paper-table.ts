import { parse } from 'yaml';
import { z } from 'zod';

/** One figure, several (of several scores), or none where the paper draws and does not print it. */
const figure = z.union([z.number(), z.array(z.number()), z.null()]);
const scores = z.union([z.string(), z.array(z.string())]);

const tableSchema = z.strictObject({
  title: z.string(),
  /** Another name for it. */
  also: z.string().optional(),
  /** Names of recipes. */
  tasks: z.array(z.string()).min(1),
  /** The method that the others are compared with, at the same level. */
  compared_with: z.string().optional(),
  /** Whether it has the column "Ave.". */
  average: z.boolean().default(false),
  /** Scores of tasks that are other than their recipes'; `mean`: the mean of those. */
  scores: z.record(z.string(), scores).default({}),
  rows: z.array(
    z.strictObject({
      row: z.string(),
      method: z.string(),
      /** A level of the budget. */
      level: z.string().optional(),
      /** What else it sets, by dotted keys. */
      settings: z.record(z.string(), z.unknown()).default({}),
      /** Those of the table's tasks that it has. */
      tasks: z.array(z.string()).optional(),
      /** The paper's figures as printed, in the order of its tasks. */
      paper: z.array(figure).optional(),
      average: z.number().optional(),
    }),
  ),
});

/** A table or figure of the paper: its rows as settings, with its figures. */
export interface PaperTable extends z.output<typeof tableSchema> {
  /** `table1` */
  name: string;
}

export type PaperRow = PaperTable['rows'][number];

/** Reads a table. They come with the package: what is wrong with one is a fault of the program. */
export function parsePaperTable(name: string, text: string): PaperTable {
  return { name, ...tableSchema.parse(parse(text)) };
}
