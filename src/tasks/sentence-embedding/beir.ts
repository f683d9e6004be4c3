import { jsonLines, ownValue, textOf, typeName } from '../../input/data/json-lines.ts';
import { parseDelimited } from '../../input/data/parse-delimited.ts';
import { RowProblems } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { InvalidData } from '../../support/user-error.ts';
import type { EmbeddingRows } from './embedding-rows.ts';

/** Names of files in BEIR's format (Thakur et al., 2021): texts, queries, and relevance judgements. */
const CORPUS = /(^|[\\/])corpus\.jsonl(\.gz)?$/;
const QUERIES = /(^|[\\/])queries\.jsonl(\.gz)?$/;
const QRELS = /(^|[\\/])qrels[\\/][^\\/]+\.tsv$/;

/** Whether files are a retrieval dataset in BEIR's format. */
export function isBeir(files: readonly TextFile[]): boolean {
  return [CORPUS, QUERIES].every((pattern) => files.some(({ name }) => pattern.test(name)));
}

/**
 * Reads a dataset in BEIR's format: pairs of a query and each relevant text, and the data to score retrieval. A text
 * consists of its title, if any, and its body, joined as in BEIR's own code.
 *
 * @throws UserError for a missing file, and for an invalid row with its line
 */
export function beirRows(files: readonly TextFile[]): EmbeddingRows {
  // Texts with equal cosines are ranked by id, as in sentence-transformers.
  const corpus = new Map(
    [...textsOf(find(files, CORPUS, 'corpus.jsonl'))].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const queries = textsOf(find(files, QUERIES, 'queries.jsonl'));
  const qrels = find(files, QRELS, 'qrels/NAME.tsv');
  const problems = new RowProblems(qrels.name);
  const numbers = new Map([...corpus.keys()].map((id, i) => [id, i]));
  const relevant = new Map<string, Set<number>>();
  const { records, lines } = parseDelimited(qrels.read(), qrels.name, '\t', false);
  records.forEach((record, i) => {
    const [query, document, score] = record as [string, string, string];
    if (i === 0 && !Number.isFinite(Number(score))) return;
    const [isQuery, number] = [queries.has(query), numbers.get(document)];
    if (record.length !== 3)
      problems.add(lines[i]!, {
        kind: 'fields',
        fault: `has ${record.length} fields instead of query, text and score`,
      });
    else if (!isQuery)
      problems.add(lines[i]!, {
        kind: 'query',
        fault: `has the query "${query}", which is not in queries.jsonl`,
      });
    else if (number === undefined)
      problems.add(lines[i]!, {
        kind: 'text',
        fault: `has the text "${document}", which is not in corpus.jsonl`,
      });
    else if (Number(score) > 0) relevant.set(query, (relevant.get(query) ?? new Set()).add(number));
  });
  problems.throwIfAny();
  const texts = [...corpus.values()];
  const asked = [...relevant].map(([query, found]) => ({ query: queries.get(query) as string, found }));
  if (asked.length === 0) throw new InvalidData({ where: qrels.name, fault: 'has no scores above 0' });
  const pairs = asked.flatMap(({ query, found }) => [...found].map((number) => [query, texts[number]]));
  return {
    form: 'retrieval',
    fileName: qrels.name,
    columns: [0, 1].map((column) => pairs.map((pair) => pair[column]!)),
    retrieval: {
      queries: asked.map(({ query }) => query),
      corpus: texts,
      relevant: asked.map(({ found }) => found),
    },
  };
}

/** Texts by id. */
function textsOf(file: TextFile): Map<string, string> {
  const problems = new RowProblems(file.name);
  const texts = new Map<string, string>();
  for (const { line, object } of jsonLines(file.read(), problems)) {
    const id = ownValue(object, '_id');
    if (typeof id !== 'string') problems.add(line, { needs: 'a string in "_id"', got: typeName(id) });
    const title = ownValue(object, 'title');
    const text = textOf(object, 'text', line, problems);
    texts.set(String(id), typeof title === 'string' && title !== '' ? `${title} ${text}`.trim() : text);
  }
  problems.throwIfAny();
  return texts;
}

function find(files: readonly TextFile[], pattern: RegExp, name: string): TextFile {
  const matches = files.filter((file) => pattern.test(file.name));
  if (matches.length === 1) return matches[0]!;
  throw new InvalidData({
    where: files[0]!.name,
    fault: `is in a dataset with ${matches.length} files ${name}, but it needs one`,
    hint: 'Name the file of qrels: FOLDER/qrels/train.tsv.',
  });
}
