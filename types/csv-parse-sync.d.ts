/** The used part of csv-parse, whose own types need Node's: for the type check of code for pages. */
export function parse(
  input: Uint8Array,
  options: {
    delimiter: string;
    record_delimiter: string[];
    relax_column_count: boolean;
    skip_empty_lines: boolean;
    max_record_size: number;
    on_record(record: string[], info: { bytes: number }): null;
  },
): string[][];

export class CsvError extends Error {
  readonly code: string;
}
