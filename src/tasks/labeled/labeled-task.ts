import { parseRows } from '../../input/data/parse-rows.ts';
import {
  type DataOptions,
  type OnSkipped,
  type Row,
  RowProblems,
  unreadable,
} from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { groupAlike } from '../../input/media/alike.ts';
import { mediumNamed } from '../../input/media/media.ts';
import type { FileContent } from '../../input/media/medium.ts';
import { PLAIN_SENTENCE } from '../../models/sentence-settings.ts';
import { sentenceClassifier } from '../../program/objectives/sentence-classifier.ts';
import { sequenceModel } from '../../program/objectives/sequence-loss.ts';
import { InvalidData, type Problem, shown, UserError } from '../../support/user-error.ts';
import { assertOneText } from '../assert-input.ts';
import {
  buildLabels,
  classNameKeys,
  classOutputs,
  labelsBesideAdapter,
  readClassNames,
} from '../classes/labels.ts';
import { withPooling } from '../sentence-vectors.ts';
import type { BuildTask, Recognized, TaskDefinition, UnknownTrained } from '../task-definition.ts';
import { classifiesVectors, type LabeledData, labeledDataSchema } from './data-section.ts';
import { contentBaselines, textBaselines } from './label-baselines.ts';
import { evaluatedTexts, type LabeledRows, labelEvaluation } from './label-evaluation.ts';
import { type LabelAnswer, type LabelKind, labelScores } from './label-kind.ts';
import { describeWords } from './labeled-words.ts';
import {
  columnsFor,
  rowsFromFile,
  rowsFromInput,
  type TextInput,
  textsShape,
  toInputs,
  toRows,
  useColumns,
} from './read-inputs.ts';
import { readLabeledRows } from './read-rows.ts';
import {
  labelTeaching,
  type TaughtRow,
  taughtLoss,
  taughtTargets,
  teacherLogits,
  teachingProblems,
} from './teaching.ts';

/** Defines a task on rows with one label field: of texts, pairs of texts, or files such as images. */
export function labeledTask<Answer extends LabelAnswer>(
  kind: LabelKind<Answer>,
): TaskDefinition<LabeledData, LabeledRows, TextInput, typeof labeledDataSchema> {
  const outputs = (labels: readonly string[]) => (kind.leastLabels === 0 ? 1 : labels.length);
  const build = (labels: readonly string[], reading: Partial<LabeledData> = {}): BuildTask => {
    const { pooling = 'none', text_pair } = reading;
    if (pooling === 'none')
      return (definition, config) =>
        sequenceModel(definition, { ...config, numLabels: outputs(labels) }, taughtLoss(kind, reading));
    const columns = text_pair === undefined ? 1 : 2;
    const { loss, contrast } = columns === 1 ? kind : { ...kind, contrast: undefined };
    const objective = { columns, outputs: outputs(labels), loss, contrast };
    return (definition, config) =>
      sentenceClassifier(objective)(definition, withPooling(config, { pooling }));
  };
  const asOptions = (reading: Partial<DataOptions>) =>
    ({ ...reading, listed: kind.listed }) as Omit<DataOptions, 'format'>;
  const readLabels = (files: readonly TextFile[], reading: Partial<LabeledData>): LabeledRows => {
    const skipped: string[] = [];
    const tell = (message: string) => void skipped.push(message);
    const onSkipped = reading.on_bad_row === 'skip' ? tell : undefined;
    const rows = withAlike(
      files.flatMap((file) =>
        rowsWithContents(parseRows(file.read(tell), file.name, asOptions(reading), tell), file, onSkipped),
      ),
    );
    const alike = alikeNotice(rows);
    if (alike !== undefined) tell(alike);
    const { name: fileName, classes } = files[0]!;
    const { label } = reading;
    if (!Array.isArray(label)) checkLabeled(rows, fileName, label);
    return {
      rows,
      fileName,
      skipped,
      names: label === undefined || Array.isArray(label) ? undefined : classes?.[label],
    };
  };
  return {
    data: labeledDataSchema,
    problems: (data) => [...labelProblems(data), ...teachingProblems(data)],
    teaching: labelTeaching(kind, readLabels),
    ...(kind.guess && {
      guess: { keys: [{ text: 'text', text_pair: 'text_pair', label: 'label' }], ...kind.guess },
    }),
    training: {
      batchSize: { train: 32, eval: 64 },
      smoothsLabels: kind.smoothsLabels,
      probing(reading, { definition, config: { sentence = PLAIN_SENTENCE } }) {
        if (classifiesVectors(reading)) return { reading, isOfHead: true };
        const hasVectors = definition.heads.FEATURE_EXTRACTION && sentence.unsupported === undefined;
        const { mode: pooling } = sentence.pooling;
        return hasVectors ? { reading: { ...reading, pooling }, isOfHead: false } : undefined;
      },
    },
    scores: {
      metrics: [...kind.metrics, 'loss'],
      tellsAnswers: () => true,
    },
    classes: {
      averages: kind.averages,
      labels({ rows, fileName, names }, origin) {
        if (kind.leastLabels === 0) return [];
        const known = names ? Object.fromEntries(names.entries()) : origin.config.id2label;
        const found = buildLabels(rows, kind.leastLabels, fileName, known);
        return labelsBesideAdapter(found, origin, build);
      },
      ...(kind.weighsClasses && {
        counts({ rows }: LabeledRows, labels: readonly string[]) {
          const counts = new Map<string, number>(labels.map((label) => [label, 0]));
          for (const { label } of rows) counts.set(String(label), (counts.get(String(label)) ?? 0) + 1);
          return labels.map((label) => counts.get(label) ?? 0);
        },
      }),
      keys(labels) {
        // transformers also gives the single output of a regression a name.
        const names = labels.length > 0 ? labels : ['LABEL_0'];
        return { problem_type: kind.problemType, ...classNameKeys(names) };
      },
    },
    files: {
      countRows: ({ rows }) => rows.length,
      takesFolders: false,
      read: readLabels,
      join(parts) {
        const [first] = parts;
        const isSame = parts.every(({ names }) => names?.join('\n') === first!.names?.join('\n'));
        return {
          rows: parts.flatMap(({ rows }) => rows),
          fileName: first!.fileName,
          skipped: parts.flatMap(({ skipped }) => skipped),
          names: isSame ? first!.names : undefined,
        };
      },
      splittable: ({ rows, ...file }) => ({
        texts: rows.map(evaluatedTexts),
        strata: kind.leastLabels > 0 && !kind.listed ? rows.map(({ label }) => String(label)) : undefined,
        pick: (numbers) => ({ ...file, rows: numbers.map((number) => rows[number]!) }),
      }),
      detected: ({ rows }): Partial<LabeledData> => {
        const [{ content } = {}] = rows as readonly Partial<Row>[];
        return content ? { medium: content.medium } : {};
      },
      notices: ({ skipped }) => (skipped.length > 0 ? [skipped.join(' ')] : []),
      withFlags(reading, flags, file, withoutAnswers) {
        const columns = useColumns(reading, flags, !withoutAnswers);
        return (file === undefined ? columns : columnsFor(file, columns)) as LabeledData;
      },
      contents: ({ text, text_pair }) => (text_pair === undefined ? [text] : [text, text_pair]),
    },
    build,
    examples({ rows, unlabelled = [], fileName }, context) {
      const own = kind.targets(rows, context.labels, fileName);
      const all: TaughtRow[] = [...rows, ...unlabelled];
      // While a run is only planned, its teacher has not answered.
      const targets = all[0]?.taught
        ? taughtTargets(kind, own, all, outputs(context.labels), context.reading)
        : own;
      return readLabeledRows(all, { ...context, isTraining: true }, all.length, targets).examples;
    },
    evaluation: (labeled, context, batchSize) =>
      labelEvaluation(kind, labeled, context, outputs(context.labels), batchSize),
    baselines: {
      async ofRows(train, validation, { labels }) {
        const [learnt, scored] = [train, validation].map(({ rows, fileName }) => ({
          rows,
          targets: kind.targets(rows, labels, fileName),
        }));
        const width = outputs(labels);
        const scoresOf = (logits: Float32Array) => ({
          ...kind.scores(logits, width, scored!.targets),
          loss: kind.evaluationLoss(logits, width, scored!.targets),
        });
        const baselines = learnt!.rows[0]?.content ? contentBaselines : textBaselines;
        const taught = teacherLogits(kind, scored!.rows, width);
        const teacher = taught && [{ name: 'the teacher', isBlind: false, scores: scoresOf(taught) }];
        return [...(teacher ?? []), ...(await baselines(kind.baselines, learnt!, scored!, labels, scoresOf))];
      },
    },
    prediction: {
      input: {
        parse(content, fileName, reading, onSkipped) {
          const options = asOptions(reading);
          if (fileName === undefined) return toInputs(rowsFromInput(content, options, onSkipped));
          return toInputs(rowsFromFile(content, fileName, options, onSkipped));
        },
        line: ({ text_pair }) => (text_pair === undefined ? (text) => ({ text }) : undefined),
        shape: textsShape,
      },
      async answer(rows, { program, values }, context, batchSize) {
        const examples = readLabeledRows(toRows(rows), context, batchSize);
        const all = Int32Array.from({ length: rows.length }, (_, row) => row);
        const layer = typeof context.layer === 'function' ? undefined : context.layer;
        const logits = await examples.logits({ program, values, layer }, all);
        return logits.map((row) => kind.answer(row, context.labels));
      },
      output: {
        formats: {
          glue: {
            header: 'index\tprediction',
            line: (answer, { id }, place) => `${id ?? place}\t${kind.submitted(answer as Answer)}`,
            ofSkipped:
              "GLUE's server takes only files with a line for each row of its test set: add those that are missing.",
          },
        },
        json: (answer, details, labels) => kind.json(answer as Answer, details, labels),
        describe: (answer, labels) => kind.describe(answer as Answer, labels),
      },
      served: {
        input(text, textPair, { text_pair, label }) {
          // Models trained by other programs do not record their columns, so they accept both texts and pairs.
          if (text_pair === undefined && label !== undefined) assertOneText(textPair);
          if (text_pair === undefined || textPair !== undefined) return { text, text_pair: textPair };
          throw new UserError({
            where: 'inputs',
            fault: 'must be pairs of texts, got one text',
            code: 'invalid_argument',
          });
        },
        answer: (answer, _, labels, raw) => labelScores(answer as Answer, labels, raw),
      },
    },
    recognizes: (model) => recognizeKind(kind, model),
    words: describeWords(kind),
  };
}

/**
 * Checks that rows are labeled.
 *
 * @throws UserError if all labels are -1, which marks rows without a label in GLUE's test sets
 */
function checkLabeled(rows: readonly Row[], where: string, column: string | number | undefined): void {
  if (rows.length < 2 || !rows.every(({ label }) => Number(label) === -1)) return;
  throw new InvalidData({
    where,
    fault: `has the label -1 in every row of ${column}`,
    hint: 'It is a test set without labels: predict on it.',
  });
}

/** Maximum number of tokens of a text, for models without a limit. */
const DEFAULT_MAX_LENGTH = 128;

/** Recognizes a model with a head for classes. Its config.json may name them. */
function recognizeKind<Answer extends LabelAnswer>(
  kind: LabelKind<Answer>,
  model: UnknownTrained,
): Recognized | undefined {
  const labels = readClassNames(model, classOutputs(model));
  const problemType = model.json.problem_type ?? undefined;
  const isOne =
    problemType === undefined ? kind.recognizes(model, labels.length) : problemType === kind.problemType;
  if (!isOne) return undefined;
  return {
    labels: kind.leastLabels === 0 ? [] : labels,
    data: model.config.content
      ? { text: model.config.content.medium, medium: model.config.content.medium }
      : { text: 0, max_length: DEFAULT_MAX_LENGTH },
  };
}

function labelProblems({ text, text_pair, label }: LabeledData): Problem[] {
  const twice = [label].flat().find((column) => column === text || column === text_pair);
  if (twice === undefined) return [];
  const fault = `and data.${twice === text ? 'text' : 'text_pair'} name the same column ${shown(twice)}`;
  return [{ path: ['data', 'label'], fault }];
}

/**
 * Adds the contents of the files that rows name.
 *
 * @param onSkipped called with the reasons and the number of rows without content, if they are to be skipped
 * @throws UserError that lists all files that cannot be read, with their lines
 */
function rowsWithContents(
  rows: readonly Row[],
  { name, contents }: Pick<TextFile, 'name' | 'contents'>,
  onSkipped: OnSkipped | undefined,
): Row[] {
  if (!contents) return [...rows];
  const problems = new RowProblems(name);
  const complete = rows.flatMap((row): Row[] => {
    const content = contents.get(row.text);
    if (content && !(content instanceof Error)) return [{ ...row, content }];
    problems.add(row.line, unreadable(content?.message ?? row.text));
    return [];
  });
  if (onSkipped) problems.tellSkipped(complete.length, onSkipped);
  else problems.throwIfAny();
  return complete;
}

/** Names the groups of near-equal contents, so that they stay on one side of a split. */
function withAlike(rows: readonly Row[]): Row[] {
  const contents = rows.map(({ content }) => content);
  if (!contents.every((content): content is FileContent => content !== undefined)) return [...rows];
  const first = groupAlike(contents);
  return rows.map((row, i) => ({ ...row, alike: contents[first[i]!]!.digest }));
}

/** A notice about near-equal contents of a file. */
function alikeNotice(rows: readonly Row[]): string | undefined {
  const names = new Map<string, string[]>();
  for (const { alike, text } of rows) if (alike) names.set(alike, [...(names.get(alike) ?? []), text]);
  const groups = [...names.values()].filter((group) => group.length > 1);
  if (groups.length === 0) return undefined;
  const count = groups.reduce((sum, group) => sum + group.length, 0);
  const plural = mediumNamed(rows[0]!.content?.medium)?.plural;
  return `${count} ${plural} are nearly equal to another one, such as ${groups[0]!.slice(0, 2).join(' and ')}. They stay on one side of a split.`;
}
