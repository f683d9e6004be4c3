import { fileLines } from '../../../src/input/data/file-lines.ts';
import { RowProblems } from '../../../src/input/data/rows.ts';
import { type EntityScores, seqeval as scoreEntities } from '../../../src/scores/metrics/seqeval.ts';
import { InvalidData } from '../../../src/support/user-error.ts';
import {
  type ConllShape,
  conllShape,
  isBoundary,
  splitLine,
} from '../../../src/tasks/token-classification/conll-sentences.ts';
import type { ScoreKind } from './values-by-id.ts';

/** Maximum number of different tags. With more, the column probably contains words. */
const MAX_TAGS = 10_000;
/** Matches entity tags. Other tags, such as parts of speech, are accepted as well. */
const TAG = /^[OBIESLUM](-.+)?$/;

/**
 * Computes entity scores like seqeval. Each line has a word, and ends with the reference tag and the
 * predicted tag.
 */
export const seqevalKind: ScoreKind = {
  description: 'CoNLL columns; the last two are the reference tag and the predicted tag',
  takes: [],
  needs: [],
  score({ predictions: { name, read } }) {
    const problems = new RowProblems(name);
    const sentences: { right: string[]; predicted: string[] }[] = [];
    const tags = new Set<string>();
    let isOpen = false;
    for (const { line, both } of taggedLines(read(), name, problems)) {
      if (!both) {
        isOpen = false;
        continue;
      }
      if (!isOpen) sentences.push({ right: [], predicted: [] });
      isOpen = true;
      const { right, predicted } = sentences[sentences.length - 1]!;
      right.push(both[0]);
      predicted.push(both[1]);
      for (const tag of both) tags.add(tag);
      if (tags.size > MAX_TAGS) {
        const where = `${name}:${line}`;
        throw new InvalidData({ where, fault: `has more than ${MAX_TAGS} different tags` });
      }
    }
    problems.throwIfAny();
    if (sentences.length === 0) throw new InvalidData({ where: name, fault: 'is empty' });
    const { types, ...all } = scoreEntities(
      sentences.map(({ predicted }) => predicted),
      sentences.map(({ right }) => right),
    );
    const byType: Record<string, EntityScores> = Object.fromEntries([...types].sort());
    return { ...all, types: byType };
  },
};

/**
 * The reference and predicted tag of each line; undefined between sentences. Every line except comments must
 * have as many columns as the first. A line that begins with `#` is a comment if it has another number of
 * columns, or if the file has entity tags and this line does not.
 */
function* taggedLines(
  content: string,
  name: string,
  problems: RowProblems,
): Iterable<{ line: number; both?: [right: string, predicted: string] }> {
  const shape = conllShape(content, name, {}, true);
  if (!shape) return;
  const columns = Math.max(3, shape.width);
  const hasEntities = /^#/m.test(content) && isOfEntities(content, name, shape);
  for (const { line, text } of fileLines(content, name)) {
    if (isBoundary(text)) {
      yield { line };
      continue;
    }
    const fields = splitLine(text, shape);
    const isComment = text.startsWith('#');
    const both = fields.slice(-2) as [string, string];
    if (fields.length === columns && both.every(Boolean)) {
      if (!isComment || !hasEntities || both.every((tag) => TAG.test(tag))) yield { line, both };
    } else if (!isComment) {
      const like = shape.width > 2 ? `, as in line ${shape.line}` : '';
      const needs = `a word and two tags in ${columns} columns${like}`;
      problems.add(line, { needs, got: `"${text.slice(0, 60)}"` });
    }
  }
}

/** Whether the file has entity tags: all lines that do not begin with `#` end with two such tags. */
function isOfEntities(content: string, name: string, shape: ConllShape): boolean {
  let hasTags = false;
  for (const { text } of fileLines(content, name)) {
    if (isBoundary(text) || text.startsWith('#')) continue;
    if (
      !splitLine(text, shape)
        .slice(-2)
        .every((tag) => TAG.test(tag))
    )
      return false;
    hasTags = true;
  }
  return hasTags;
}
