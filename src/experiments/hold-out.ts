import { checkWholeJson } from '../data/check-whole-json.ts';
import { detectFormat } from '../data/detect-format.ts';
import { exactJson } from '../data/exact-json.ts';
import { extensionOf } from '../data/extension-of.ts';
import { Random } from '../support/random.ts';
import { UserError } from '../support/user-error.ts';

/** A file's content, split into two files of the same format. */
export interface HeldOut {
  train: string;
  heldOut: string;
}

/** How the records of a table are separated. */
export interface TableRecords {
  /** Whether the first record names the columns. */
  header: boolean;
  /** Whether a quoted field may contain a line end. */
  quote: boolean;
}

/** Extensions of files that are read as JSON. Parquet is converted to JSON. */
const JSON_NAMES = ['json', 'jsonl', 'ndjson', 'parquet'];
/** Matches JSON Lines: a whole object on the first line, and another object below it. */
const IS_LINES = /^\s*\{.*\}[ \t\r]*\n\s*\{/;

/**
 * Splits the records of a file at random. Records are lines of a table or of JSON Lines, elements of a JSON
 * list or of its `data` (SQuAD's articles), or blocks between blank lines of a text. The same content is
 * always split in the same way.
 *
 * @param share share of the records that is held out
 * @param table undefined for a file that is not a table
 * @throws UserError for a file so short that one part would be empty
 */
export function holdOut(content: string, fileName: string, share: number, table?: TableRecords): HeldOut {
  const { head, records, join } = recordsOf(content, fileName, table);
  const count = Math.round(share * records.length);
  if (count === 0 || count === records.length) {
    throw new UserError({
      where: fileName,
      fault: `has too few rows (${records.length}) to hold ${share} of them out`,
    });
  }
  const chosen = new Set(new Random(0, 'held out').permutation(records.length).subarray(0, count));
  const part = (isHeldOut: boolean) =>
    join([...head, ...records.filter((_, i) => chosen.has(i) === isHeldOut)]);
  return { train: part(false), heldOut: part(true) };
}

interface Records {
  head: readonly string[];
  records: readonly string[];
  join(records: readonly string[]): string;
}

function recordsOf(content: string, fileName: string, table: TableRecords | undefined): Records {
  if (table) {
    const { records, join } = lines(table.quote ? quotedRecords(content) : content.split('\n'));
    const at = table.header ? 1 : 0;
    return { head: records.slice(0, at), records: records.slice(at), join };
  }
  if (isJson(content, fileName)) return listIn(content, fileName) ?? lines(content.split('\n'));
  const blocks = content.split(/\r?\n(?:[ \t]*\r?\n)+/).filter((block) => block.trim() !== '');
  if (blocks.length < 2) return lines(content.split('\n'));
  return { head: [], records: blocks, join: (all) => `${all.join('\n\n')}\n` };
}

function lines(all: readonly string[]): Records {
  const records = all.filter((line) => line.trim() !== '');
  return { head: [], records, join: (some) => `${some.join('\n')}\n` };
}

function isJson(content: string, fileName: string): boolean {
  const extension = extensionOf(fileName) ?? '';
  return JSON_NAMES.includes(extension) || (extension !== 'txt' && detectFormat('', content) === 'jsonl');
}

/** The elements of a JSON list, or of the list `data` of an object; undefined for other formats, such as JSON Lines. */
function listIn(content: string, fileName: string): Records | undefined {
  if (IS_LINES.test(content)) return undefined;
  checkWholeJson(content, fileName);
  let value: unknown;
  try {
    value = exactJson(content);
  } catch {
    return undefined;
  }
  const list = Array.isArray(value) ? value : Object(value).data;
  if (!Array.isArray(list)) return undefined;
  const around = Array.isArray(value) ? undefined : (value as object);
  const records = list.map((element) => JSON.stringify(element));
  return {
    head: [],
    records,
    join(all) {
      const elements = `[\n${all.join(',\n')}\n]`;
      return around ? JSON.stringify({ ...around, data: exactJson(elements) }) : elements;
    },
  };
}

/** The records of a table with quoted fields. A record spans several lines if a quoted field contains line ends. */
function quotedRecords(content: string): string[] {
  const records: string[] = [];
  let [start, isQuoted] = [0, false];
  for (let at = 0; at < content.length; at++) {
    if (content[at] === '"') isQuoted = !isQuoted;
    if (content[at] !== '\n' || isQuoted) continue;
    records.push(content.slice(start, at));
    start = at + 1;
  }
  return [...records, content.slice(start)];
}
