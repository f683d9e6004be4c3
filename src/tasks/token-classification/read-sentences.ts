import { extensionOf } from '../../input/data/detect-format.ts';
import { RowProblems } from '../../input/data/rows.ts';
import { suggest } from '../../support/text.ts';
import { InvalidData } from '../../support/user-error.ts';
import { conllSentences } from './conll-sentences.ts';
import { jsonSentences } from './json-sentences.ts';
import { lineOf, type TaggedSentence, type WordColumns } from './tagged-sentence.ts';

const BYTE_ORDER_MARK = '\ufeff';

/**
 * Reads sentences from the content of a file: JSON Lines (by its extension, or because it begins with an object) or
 * CoNLL columns. A byte-order mark and CRLF line ends are accepted.
 *
 * @param labeled whether words must have tags; otherwise tags are ignored
 * @throws UserError with file and line for all problems of the rows at once
 */
export function readSentences(
  content: string,
  fileName: string,
  columns: WordColumns,
  labeled: boolean,
): TaggedSentence[] {
  const body = content.startsWith(BYTE_ORDER_MARK) ? content.slice(1) : content;
  const read = isJsonl(body, fileName) ? jsonSentences : conllSentences;
  const problems = new RowProblems(fileName);
  const sentences = [...read(body, fileName, columns, labeled, problems)];
  if (columns.label_names) checkNames(sentences, columns.label_names, problems);
  problems.throwIfAny();
  if (sentences.some(({ words }) => words.length > 0)) return sentences;
  throw new InvalidData({ where: fileName, fault: 'is empty' });
}

function isJsonl(content: string, fileName: string): boolean {
  switch (extensionOf(fileName)) {
    case 'parquet':
    case 'jsonl':
    case 'ndjson':
    case 'json':
      return true;
    case 'csv': {
      throw new InvalidData({
        where: fileName,
        fault: 'is a table (.csv). Pass CoNLL columns (separated by tabs or spaces) or JSON Lines (.jsonl)',
      });
    }
    default:
      return /^\s*(\[\s*)?\{\s*"/.test(content);
  }
}

function checkNames(
  sentences: readonly TaggedSentence[],
  names: readonly string[],
  problems: RowProblems,
): void {
  const known = new Set(names);
  let hint: string | undefined; // The hint for the first such tag. Only that tag is reported in full.
  for (const sentence of sentences) {
    sentence.tags.forEach((tag, word) => {
      if (known.has(tag)) return;
      hint ??= suggest(tag, names);
      problems.add(lineOf(sentence, word), {
        kind: 'tag',
        fault: `has the tag "${tag}", which is not in data.label_names`,
        hint,
      });
    });
  }
}
