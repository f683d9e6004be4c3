/** What is used of csv-parse, whose own types need Node's: for the type check of what runs in a page. */
export function parse(
  input: Uint8Array,
  options: {
    delimiter: string;
    record_delimiter: string[];
    relax_column_count: boolean;
    skip_empty_lines: boolean;
  },
): string[][];
