import { textsInPython } from '../../program/modalities/in-python.ts';
import { requireTexts } from '../../program/modalities/texts.ts';
import { tokenModel } from '../../program/objectives/token-model.ts';
import type { Baseline } from '../../scores/baselines/baseline.ts';
import { seqeval } from '../../scores/metrics/seqeval.ts';
import { assertOneText } from '../assert-input.ts';
import { classNameKeys, labelsBesideAdapter, readClassNames, shortest } from '../classes/labels.ts';
import type { BuildTask, Recognized, TaskDefinition, UnknownTrained } from '../task-definition.ts';
import { readSentences } from './read-sentences.ts';
import {
  sentencesToTag,
  type TaggedWords,
  taggedWords,
  textWords,
  type WordData,
  wordDataSchema,
  wordProblems,
  wordsWithFlags,
} from './read-words.ts';
import { type LabeledSentences, tagIds, tagNames, tokenEvaluation } from './token-evaluation.ts';
import { predictWords, wordExamples } from './word-examples.ts';

/** The words of a sentence. */
export interface Words {
  words: readonly string[];
}

const build =
  (labels: readonly string[]): BuildTask =>
  (definition, config) =>
    tokenModel('TOKEN_CLS')(definition, { ...config, numLabels: labels.length });

/** Predicts the tag of each word. The tags mark the entities of a text. */
export const tokenClassification: TaskDefinition<WordData, LabeledSentences, Words, typeof wordDataSchema> = {
  data: wordDataSchema,
  problems: wordProblems,
  guess: {
    ofFile: (name) => (/\.(conll|bio|iob)(\.gz)?$/i.test(name) ? 'words and tags' : undefined),
    ofColumns(columns) {
      // If all tags are missing, the reader names the first row.
      const isList = (names: readonly string[]) =>
        columns.find(
          ({ name, nested, filled }) => (nested === 'list' || filled === 0) && names.includes(name),
        );
      const tags = isList(['tags', 'ner_tags', 'pos_tags', 'chunk_tags', 'labels']);
      return tags && isList(['tokens', 'words']) ? `rows have lists of words and of ${tags.name}` : undefined;
    },
    plain: 'tag the words of sentences',
  },
  training: {
    batchSize: { train: 32, eval: 64 },
    smoothsLabels: true,
    probing: (reading) => ({ reading, isOfHead: true }),
  },
  scores: {
    metrics: ['f1', 'precision', 'recall', 'accuracy', 'loss'],
    tellsAnswers: () => true,
  },
  files: {
    countRows: ({ sentences }) => sentences.length,
    takesFolders: false,
    read: ([file], reading) => ({
      sentences: readSentences(file!.read(), file!.name, reading, true),
      fileName: file!.name,
      names: reading.label_names,
    }),
    join: (parts) => ({ ...parts[0]!, sentences: parts.flatMap(({ sentences }) => sentences) }),
    splittable: ({ sentences, ...file }) => ({
      texts: sentences.map(({ words }) => [words.join(' ')]),
      pick: (numbers) => ({ ...file, sentences: numbers.map((number) => sentences[number]!) }),
    }),
    withFlags: wordsWithFlags,
  },
  build,
  classes: {
    labels({ sentences, fileName, names }, origin) {
      const tags = tagNames(sentences, names, fileName, origin.config.id2label);
      return labelsBesideAdapter(tags, origin, build);
    },
    keys: classNameKeys,
  },
  examples: ({ sentences, fileName }, { labels, modality }) =>
    wordExamples(sentences, requireTexts(modality), tagIds(sentences, labels, fileName)),
  evaluation: (labeled, { labels, modality }, batchSize) =>
    tokenEvaluation(labeled, labels, requireTexts(modality), batchSize),
  baselines: {
    ofRows: tagBaselines,
  },
  prediction: {
    input: {
      parse: sentencesToTag,
      shape: () => ({ keys: { words: { is: 'a list of strings' } }, others: ['line', 'tags', 'lines'] }),
      line: () => (text) => ({ words: textWords(text).map((word) => word.text) }),
    },
    async answer(sentences, { program, values }, { labels, modality }, batchSize) {
      const set = wordExamples(sentences, requireTexts(modality));
      const logits = await predictWords(program, values, set, batchSize);
      const answers = sentences.map(({ words }) =>
        taggedWords(words, new Int32Array(0), new Float32Array(0), labels),
      );
      set.sentences.forEach((sentence, example) => {
        const { words: seen } = set.firstPieces[example]!;
        answers[sentence] = taggedWords(sentences[sentence]!.words, seen, logits[example]!, labels);
      });
      return answers;
    },
    output: {
      json(answer) {
        const { words, tags, scores, entities } = answer as TaggedWords;
        return {
          words,
          tags,
          scores: scores.map((score) => score && shortest(score)),
          entities: entities.map(({ score, ...entity }) => ({ ...entity, score: shortest(score) })),
        };
      },
      describe(answer) {
        const { entities } = answer as TaggedWords;
        if (entities.length === 0) return 'no entities';
        return entities
          .map(({ type, text, score }) => `${text}: ${type}, ${(100 * score).toFixed(1)} %`)
          .join('; ');
      },
    },
    served: {
      input(text, pair) {
        assertOneText(pair);
        return { words: textWords(text).map((word) => word.text) };
      },
      answer(answer, text) {
        const words = textWords(text);
        return (answer as TaggedWords).entities.map((entity) => {
          const [start, end] = [words[entity.start]!.start, words[entity.end - 1]!.end];
          const score = shortest(entity.score);
          return { entity_group: entity.type, score, word: text.slice(start, end), start, end };
        });
      },
    },
  },
  recognizes: recognizeTagger,
  words: {
    name: 'token classification',
    trainedFor: () => 'token classification',
    hub: { pipeline: 'token-classification', name: 'Token Classification' },
    use: () => ({
      command: 'adalora predict . < texts.txt',
      explanation: 'one JSON line per sentence; the file has one sentence per line',
    }),
    python: ({ max_length }) => ({
      autoModel: 'AutoModelForTokenClassification',
      hasClasses: true,
      lines: [textsInPython('"Some text"', max_length), 'tags = model(**inputs).logits.argmax(-1)'],
    }),
  },
};

function recognizeTagger(model: UnknownTrained): Recognized | undefined {
  const head = model.definition.heads.TOKEN_CLS;
  const isOne =
    model.taskType === undefined
      ? head !== undefined && model.architecture === head.architecture
      : model.taskType === 'TOKEN_CLS';
  if (!isOne || !head) return undefined;
  return { labels: readClassNames(model, model.outputsOf(build(['O', 'B-X']))), data: {} };
}

/**
 * The baselines of tags. The first gives each word its most frequent tag in training, and new words the most frequent
 * tag of all. The second gives every word the most frequent tag of all.
 */
function tagBaselines(train: LabeledSentences, validation: LabeledSentences): Baseline[] {
  const ofWords = new Map<string, Map<string, number>>();
  const counts = new Map<string, number>();
  const count = (tags: Map<string, number>, tag: string) => tags.set(tag, (tags.get(tag) ?? 0) + 1);
  let total = 0;
  for (const { words, tags } of train.sentences) {
    for (const [i, tag] of tags.entries()) {
      const ofWord = ofWords.get(words[i]!) ?? new Map<string, number>();
      ofWords.set(words[i]!, count(ofWord, tag));
      count(counts, tag);
      total++;
    }
  }
  const usual = mostFrequent(counts);
  const known = new Map([...ofWords].map(([word, tags]) => [word, mostFrequent(tags)]));
  const references = validation.sentences.map(({ tags }) => tags);
  const scores = (tagOf: (word: string) => string) => {
    const predicted = validation.sentences.map(({ words }) => words.map(tagOf));
    const { precision, recall, f1, accuracy } = seqeval(predicted, references);
    return { precision, recall, f1, accuracy };
  };
  const actual = references.flat();
  const loss = actual.reduce((sum, tag) => sum - Math.log(Math.max(counts.get(tag) ?? 0, 0.5) / total), 0);
  return [
    {
      name: "each word's most frequent tag",
      isBlind: false,
      scores: scores((word) => known.get(word) ?? usual),
    },
    {
      name: `always "${usual}"`,
      isBlind: true,
      scores: { ...scores(() => usual), loss: loss / actual.length },
    },
  ];
}

/** The most frequent value. If several are equally frequent, it is the first. */
function mostFrequent(counts: ReadonlyMap<string, number>): string {
  return [...counts].reduce((best, tag) => (tag[1] > best[1] ? tag : best))[0];
}
