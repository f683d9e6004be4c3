import { fileLines } from '../../data/file-lines.ts';
import { RowProblems } from '../../data/row-problems.ts';
import { type EntityScores, seqeval as scoreEntities } from '../../metrics/seqeval.ts';
import { UserError } from '../../support/user-error.ts';
import { isBoundary, splitLine } from '../../tasks/token-classification/conll-shape.ts';
import type { ScoreKind } from './score-kind.ts';

/** A file whose words are taken for tags has more. */
const MAX_TAGS = 10_000;

/** Scores of entities, as seqeval has them: of a file with the right tag and the predicted one behind each word. */
export const seqeval: ScoreKind = {
  description: 'CoNLL columns, of which the last two are the right tag and the predicted one',
  takes: [],
  needs: [],
  score({ predictions: { name, read } }) {
    const problems = new RowProblems(name);
    const sentences: { right: string[]; predicted: string[] }[] = [];
    const tags = new Set<string>();
    let isOpen = false;
    for (const { line, text } of fileLines(read(), name)) {
      if (isBoundary(text)) {
        isOpen = false;
        continue;
      }
      const fields = splitLine(text, { isTabbed: text.includes('\t') });
      if (fields.length < 2) problems.add(line, { expected: 'a word and two tags', got: `"${text}"` });
      if (!isOpen) sentences.push({ right: [], predicted: [] });
      isOpen = true;
      const { right, predicted } = sentences[sentences.length - 1];
      const both = [fields[fields.length - 2] ?? '', fields[fields.length - 1]];
      right.push(both[0]);
      predicted.push(both[1]);
      for (const tag of both) tags.add(tag);
      if (tags.size > MAX_TAGS) {
        const where = `${name}:${line}`;
        throw new UserError({ where, expected: `at most ${MAX_TAGS} different tags`, got: 'more' });
      }
    }
    problems.throwIfAny();
    if (sentences.length === 0)
      throw new UserError({ where: name, expected: 'sentences', got: 'an empty file' });
    const { types, ...all } = scoreEntities(
      sentences.map(({ predicted }) => predicted),
      sentences.map(({ right }) => right),
    );
    const byType: Record<string, EntityScores> = Object.fromEntries([...types].sort());
    return { ...all, types: byType };
  },
};
