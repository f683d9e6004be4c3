import { detectFormat } from '../../input/data/detect-format.ts';
import { jsonLines, ownValue, requireText, typeName } from '../../input/data/json-lines.ts';
import { parseDelimited } from '../../input/data/parse-delimited.ts';
import { parseRows } from '../../input/data/parse-rows.ts';
import { RowProblems, unreadable } from '../../input/data/rows.ts';
import { haveDecimalCommas, isNumber } from '../../input/data/table-layout.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { groupAlike } from '../../input/media/alike.ts';
import type { FileContent } from '../../input/media/medium.ts';
import { InvalidData } from '../../support/user-error.ts';
import type { ReadingOf } from '../prediction.ts';
import {
  chooseLoss,
  type EmbeddingData,
  type EmbeddingForm,
  findForm,
  listNegatives,
} from './data-section.ts';

/** Names of files in BEIR's format (Thakur et al., 2021): texts, queries, and relevance judgements. */
const CORPUS = /(^|[\\/])corpus\.jsonl(\.gz)?$/;
const QUERIES = /(^|[\\/])queries\.jsonl(\.gz)?$/;
const QRELS = /(^|[\\/])qrels[\\/][^\\/]+\.tsv$/;

/** Whether files are a retrieval dataset in BEIR's format. */
function isBeir(files: readonly TextFile[]): boolean {
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
    [...readTexts(find(files, CORPUS, 'corpus.jsonl'))].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const queries = readTexts(find(files, QUERIES, 'queries.jsonl'));
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
function readTexts(file: TextFile): Map<string, string> {
  const problems = new RowProblems(file.name);
  const texts = new Map<string, string>();
  for (const { line, object } of jsonLines(file.read(), problems)) {
    const id = ownValue(object, '_id');
    if (typeof id !== 'string') problems.add(line, { needs: 'a string in "_id"', got: typeName(id) });
    const title = ownValue(object, 'title');
    const text = requireText(object, 'text', line, problems);
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

/** Distinct queries and texts. Each query has some relevant texts. */
export interface Retrieval {
  queries: readonly string[];
  corpus: readonly string[];
  /** For each query, the indices of the relevant texts. */
  relevant: readonly ReadonlySet<number>[];
  /** For sentences that search for others of their class, the index of each query, which it does not find. */
  own?: readonly number[];
}

/** The content of the files for an embedding model. */
export interface EmbeddingRows {
  form: EmbeddingForm;
  fileName: string;
  /** For each column, its texts row by row: anchors or sentences, and the texts that match them. */
  columns: readonly (readonly string[])[];
  /** The hard negatives of each row. */
  negatives?: readonly (readonly string[])[];
  /** For each row, the similarity of its texts. */
  scores?: readonly number[];
  /** Classes of the texts. */
  classes?: readonly string[];
  /** For models of a medium: the contents of files by their digests, which are the texts. */
  contents?: ReadonlyMap<string, FileContent>;
  /** The queries and texts of files in BEIR's format, for scores. */
  retrieval?: Retrieval;
  /** The rows of the whole file, if these are some of them. Queries search among the texts of all. */
  whole?: EmbeddingRows;
}

/**
 * The search that scores rows: every distinct anchor searches for its positives among the texts of all other columns, and
 * every distinct sentence for the others of its class. The texts are those of the whole file, so that a score does not
 * depend on how many rows are held out. Undefined for scored pairs.
 */
export function buildRetrieval(rows: EmbeddingRows): Retrieval | undefined {
  const { form, columns, classes, retrieval, whole = rows } = rows;
  if (retrieval || form === 'scored') return retrieval;
  const texts = classes ? whole.columns[0]! : [...whole.columns[1]!, ...(whole.negatives ?? []).flat()];
  const corpus = [...new Set(texts)];
  const numbers = new Map(corpus.map((text, number) => [text, number]));
  const numberOf = (text: string) => numbers.get(text) as number;
  const found = new Map<string, Set<number>>();
  if (!classes) {
    for (const [row, anchor] of columns[0]!.entries()) {
      const relevant = found.get(anchor) ?? new Set();
      found.set(anchor, relevant.add(numberOf(columns[1]![row]!)));
    }
    return { queries: [...found.keys()], corpus, relevant: [...found.values()] };
  }
  const members = new Map<string, Set<number>>();
  for (const [row, name] of whole.classes!.entries())
    members.set(name, (members.get(name) ?? new Set()).add(numberOf(whole.columns[0]![row]!)));
  for (const [row, text] of columns[0]!.entries()) {
    const ofClass = members.get(classes[row]!)!;
    if (ofClass.size > 1) found.set(text, ofClass);
  }
  const queries = [...found.keys()];
  return { queries, corpus, relevant: [...found.values()], own: queries.map(numberOf) };
}

/** Some of the rows, by their numbers. */
export function pickEmbeddingRows(rows: EmbeddingRows, numbers: readonly number[]): EmbeddingRows {
  const pick = <T>(from: readonly T[]) => numbers.map((number) => from[number]!);
  return {
    ...rows,
    columns: rows.columns.map(pick),
    ...(rows.negatives && { negatives: pick(rows.negatives) }),
    ...(rows.scores && { scores: pick(rows.scores) }),
    ...(rows.classes && { classes: pick(rows.classes) }),
    ...(rows.retrieval && { retrieval: askedBy(rows.retrieval, pick(rows.columns[0]!)) }),
    whole: rows.whole ?? rows,
  };
}

/** The queries of some anchors, which search among all texts. */
function askedBy({ queries, corpus, relevant }: Retrieval, anchors: readonly string[]): Retrieval {
  const texts = new Set(anchors);
  const isAsked = (_: unknown, i: number) => texts.has(queries[i]!);
  return { queries: queries.filter(isAsked), corpus, relevant: relevant.filter(isAsked) };
}

/**
 * Reads pairs, triplets, scored pairs or labeled sentences, depending on the columns. Without columns, reads a folder
 * in BEIR's format.
 *
 * @throws UserError with file and line for all problems of the rows
 */
export function embeddingRows(files: readonly TextFile[], reading: ReadingOf<EmbeddingData>): EmbeddingRows {
  const form = findForm(reading);
  if (isBeir(files)) return beirRows(files);
  const { name: fileName } = files[0]!;
  if (form === 'retrieval') {
    throw new InvalidData({
      where: fileName,
      fault:
        'needs columns in data: anchor and positive, or text and label. The folder does not have the BEIR layout (corpus.jsonl, queries.jsonl, qrels) either',
    });
  }
  return joinedRows(files.map((file) => readOne(file, form, reading)));
}

/** Joins the rows of several parts in the same form, one part after the other. Omits the data to score retrieval. */
export function joinedRows(parts: readonly EmbeddingRows[]): EmbeddingRows {
  const { form, fileName } = parts[0]!;
  const joinParts = <T>(pick: (part: EmbeddingRows) => readonly T[] | undefined) =>
    parts.flatMap((part) => pick(part) ?? []);
  return {
    form,
    fileName,
    columns: parts[0]!.columns.map((_, column) => joinParts(({ columns }) => columns[column])),
    ...(parts[0]!.negatives && { negatives: joinParts(({ negatives }) => negatives) }),
    ...(form === 'scored' && { scores: joinParts(({ scores }) => scores) }),
    ...(form === 'labeled' && { classes: joinParts(({ classes }) => classes) }),
    ...(parts[0]!.contents && { contents: new Map(joinParts(({ contents }) => [...(contents ?? [])])) }),
    ...(parts[0]!.whole && { whole: joinedRows(parts.map((part) => part.whole ?? part)) }),
  };
}

/** The first of the contents that are nearly equal to a row's. Texts stay. */
export function alikeTexts({ columns, contents = new Map() }: EmbeddingRows): readonly (readonly string[])[] {
  const digests = [...contents.keys()];
  const first = groupAlike([...contents.values()]);
  const groups = new Map(digests.map((digest, i) => [digest, digests[first[i]!]!]));
  return columns.map((column) => column.map((text) => groups.get(text) ?? text));
}

function readOne(file: TextFile, form: EmbeddingForm, reading: ReadingOf<EmbeddingData>): EmbeddingRows {
  const content = file.read();
  const { header, quote, delimiter, anchor, positive, text, text_pair, label } = reading;
  const negatives = listNegatives(reading);
  // If one column is given by name, the file has a header, even if other columns are given by number.
  const isNamed = [anchor, positive, text, text_pair, label, ...negatives].some(
    (column) => typeof column === 'string',
  );
  const layout = { header: header ?? isNamed, quote, delimiter };
  const problems = new RowProblems(file.name);
  const rows = parseRows(content, file.name, {
    ...(detectFormat(file.name, content) === 'jsonl' ? {} : layout),
    ...(form === 'pairs'
      ? { text: anchor as string, text_pair: positive, others: negatives }
      : { text: text as string, text_pair, label }),
  });
  const columns = [
    rows.map((row) => row.text),
    ...(form === 'labeled' ? [] : [rows.map((row) => row.textPair as string)]),
  ];
  const others = rows.map((row) => [...(row.others ?? [])]);
  const contents = new Map<string, FileContent>();
  const admit = (texts: string[], place: number, line: number) => {
    const text = texts[place]!;
    const found = file.contents?.get(text);
    if (found instanceof Error) {
      problems.add(line, unreadable(found.message));
    } else if (found) {
      // Files may have different contents under one name.
      texts[place] = found.digest;
      contents.set(found.digest, found);
    }
    if (text.trim() === '') problems.add(line, { fault: 'has an empty text', hint: 'Remove such rows.' });
  };
  rows.forEach(({ line }, row) => {
    for (const column of columns) admit(column, row, line);
    for (const place of others[row]!.keys()) admit(others[row]!, place, line);
    if (chooseLoss(reading) === 'triplet' && form === 'pairs' && others[row]!.length === 0)
      problems.add(line, { fault: 'has no negative, which the triplet loss needs' });
  });
  const hasCommas = form === 'scored' && haveDecimalCommas(rows.map(({ label: found }) => String(found)));
  const scores = form === 'scored' ? rows.map(({ label: found, line }) => score(found, line)) : undefined;
  function score(value: unknown, line: number): number {
    const shown = hasCommas ? String(value).replace(',', '.') : String(value);
    const number = Number(shown) / reading.max_score;
    const isScore = isNumber(shown) && number >= -1 && number <= 1;
    if (!isScore)
      problems.add(line, {
        kind: 'score',
        fault: `needs a score from 0 to ${reading.max_score} in column ${label}, got "${value}"`,
        hint: 'If scores go up to 5, set data.max_score: 5.',
      });
    return number;
  }
  problems.throwIfAny();
  return {
    form,
    fileName: file.name,
    columns,
    ...(negatives.length > 0 && { negatives: others }),
    ...(file.contents && { contents }),
    ...(scores && { scores }),
    ...(form === 'labeled' && { classes: rows.map(({ label: found }) => String(found)) }),
  };
}
