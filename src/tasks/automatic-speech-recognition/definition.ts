import { z } from 'zod';
import { detectFormat } from '../../input/data/detect-format.ts';
import { parseRows } from '../../input/data/parse-rows.ts';
import { RowProblems, unreadable } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import type { FileContent } from '../../input/media/medium.ts';
import { cutSound, type SoundContent } from '../../input/media/sounds/sound-reader.ts';
import type { Evaluation, ExampleSet, ScoredRows } from '../../program/example-set.ts';
import type { Generated } from '../../program/generation/prompt.ts';
import type { TextGenerator } from '../../program/generation/text-generator.ts';
import { writtenTexts } from '../../program/modalities/contents.ts';
import { targetFeeds } from '../../program/objectives/sequence-loss.ts';
import { tokenModel } from '../../program/objectives/token-model.ts';
import type { Communicator } from '../../program/parallel/communicator.ts';
import { batchLosses } from '../../program/predict-batches.ts';
import { bootstrap } from '../../scores/metrics/score-interval.ts';
import {
  characterErrors,
  errorRate,
  normalizeTranscript,
  wordErrors,
} from '../../scores/metrics/word-errors.ts';
import { addUp } from '../../support/numbers.ts';
import { type SpokenSegment, writeSubtitles } from '../../support/subtitles.ts';
import { UserError } from '../../support/user-error.ts';
import { dataFileKeys } from '../data-files.ts';
import { hasWordHead } from '../language/language-task.ts';
import { dealTexts, withGenerator } from '../language/write-texts.ts';
import type { AnswerFormat, EncodingContext } from '../prediction.ts';
import { column, layoutKeys, listTexts, STANDARD_INPUT, withFlags } from '../table-columns.ts';
import type { TaskDefinition } from '../task-definition.ts';
import { cutWindow, keepTimes, type TimeTokens } from './windows.ts';

const schema = z.strictObject({
  /** A table whose rows name sounds, or a folder of them with metadata.csv. */
  ...dataFileKeys,
  /** Column with the names of sound files: its name or its number from 0. */
  text: column.default('file_name'),
  /** Column of the transcript: its name or its number from 0. */
  transcript: column.default('text'),
  ...layoutKeys,
  /** Whether predictions have the times of their segments. */
  timestamps: z.boolean().default(false),
  /** Language of the sounds, such as `fr`, for a model of several languages. */
  language: z
    .string()
    .regex(/^[a-z]{2,3}$/)
    .optional(),
});

type TranscriptData = z.output<typeof schema>;
type Context = EncodingContext<TranscriptData>;

/** A sound and its transcript, which is missing in predictions. */
export interface Clip {
  line?: number;
  text: string;
  content?: FileContent | undefined;
  transcript?: string | undefined;
}

/** Writes the transcript of a sound, with Whisper. */
export const automaticSpeechRecognition: TaskDefinition<
  TranscriptData,
  readonly Clip[],
  Clip,
  typeof schema
> = {
  data: schema,
  guess: {
    ofColumns(columns) {
      const named = new Map(columns.map((one) => [one.name, one]));
      const isSpoken = named.get('file_name')?.files === 'audio' && named.get('text')?.hasWords;
      return isSpoken && !named.has('label') ? 'rows have sounds and "text"' : undefined;
    },
    plain: 'write the transcripts of sounds',
  },
  training: {
    modelToTry: 'openai/whisper-tiny',
    batchSize: { train: 8, eval: 8 },
    keepsHead: true,
    mayKeepStart: true,
    // Six epochs of 150 clips at 1e-3, as in PEFT's example (bench/log/2026-12-02-sound.md).
    rateShare: 0.2,
    rowsSeen: 900,
    smoothsLabels: true,
  },
  scores: {
    metrics: ['wer', 'wer_normalized', 'cer', 'loss'],
    tellsAnswers: () => true,
  },
  files: {
    countRows: (clips) => clips.length,
    takesFolders: false,
    read: (files, reading) => files.flatMap((file) => readClips(file, reading)),
    join: (parts) => parts.flat(),
    splittable: (clips) => ({
      texts: clips.map(({ transcript = '', content }) => [transcript, content?.digest ?? '']),
      pick: (numbers) => numbers.map((number) => clips[number]!),
    }),
    withFlags: (reading, flags) => withFlags(schema, reading, flags, 'sounds with transcripts'),
    contents: ({ text }) => [text],
  },
  build: () => tokenModel('SEQ_2_SEQ_LM'),
  examples: clipExamples,
  evaluation: clipEvaluation,
  prediction: {
    input: {
      parse: (content, fileName, { text, header, quote }) =>
        fileName === undefined && detectFormat(STANDARD_INPUT, content.trimStart()) !== 'jsonl'
          ? listTexts(content).map((name) => ({ text: name }))
          : parseRows(content, fileName ?? STANDARD_INPUT, { text, header, quote }),
      shape: () => ({
        keys: { text: { is: 'a string' } },
        others: ['line', 'content', 'audio', 'transcript', 'label', 'id'],
      }),
      atOnce: (batchSize) => batchSize,
    },
    async answer(clips, { program, generator }, context, batchSize) {
      const { timestamps } = context.reading;
      const isInWindows = ({ content }: Clip) => timestamps || (content as SoundContent).whole !== undefined;
      const writing = await generator();
      const short = clips.filter((clip) => !isInWindows(clip));
      const plain = await transcribe(writing, program.communicator, short, context, batchSize);
      const answers: Transcript[] = [];
      for (const clip of clips)
        answers.push(
          isInWindows(clip)
            ? await transcribeWindows(writing, clip, context)
            : { ...plain.shift()!, seconds: (clip.content as SoundContent).seconds },
        );
      return answers;
    },
    output: {
      json(answer, details) {
        const { text, ids, finish, segments } = answer as Transcript;
        return { transcript: text, segments, ...(details && { ids: [...ids], finish }) };
      },
      describe: (answer) => (answer as Transcript).text,
      formats: { srt: subtitles('srt'), vtt: subtitles('vtt') },
    },
    served: {
      input: (text) => ({ text }),
      answer(answer) {
        const { text, seconds, segments } = answer as Transcript;
        return { text, duration: seconds, ...(segments && { segments }) };
      },
    },
  },
  recognizes(model) {
    const { architecture } = model.definition.heads.SEQ_2_SEQ_LM ?? {};
    const isOne = model.config.content?.medium === 'audio' && hasWordHead(model, architecture);
    return isOne ? { labels: [], data: {} } : undefined;
  },
  words: {
    name: 'speech recognition',
    trainedFor: () => 'writing transcripts of sounds',
    medium: () => 'audio',
    hub: { pipeline: 'automatic-speech-recognition', name: 'Automatic Speech Recognition' },
    use: () => ({
      command: 'adalora predict . clip.wav',
      explanation: 'a line of JSON with the transcript',
    }),
    python: () => ({
      autoModel: 'AutoModelForSpeechSeq2Seq',
      lines: [
        'import librosa',
        'from transformers import AutoProcessor',
        'processor = AutoProcessor.from_pretrained(base)',
        'sound = librosa.load("clip.wav", sr=16000)[0]',
        'inputs = processor(sound, sampling_rate=16000, return_tensors="pt")',
        'print(processor.batch_decode(model.generate(**inputs), skip_special_tokens=True))',
      ],
    }),
    javaScript: ({ language }) => [
      "const transcribe = await pipeline('automatic-speech-recognition', './onnx', { dtype: 'fp32' });",
      `console.log(await transcribe('clip.wav'${language ? `, { language: '${language}' }` : ''}));`,
    ],
  },
};

function readClips(file: TextFile, { text, transcript, header, quote }: Partial<TranscriptData>): Clip[] {
  const problems = new RowProblems(file.name);
  const rows = parseRows(file.read(), file.name, { text: text!, text_pair: transcript, header, quote });
  const clips = rows.map(({ line, text: name, textPair }): Clip => {
    const content = file.contents?.get(name);
    const isRead = content && !(content instanceof Error);
    if (file.contents && !isRead) problems.add(line, unreadable(content?.message ?? name));
    return { line, text: name, transcript: textPair, content: isRead ? content : undefined };
  });
  problems.throwIfAny();
  return clips;
}

/**
 * The tokens around every transcript: before it the start, for a model of several languages the language and the task, and
 * that no times follow; after it the end.
 *
 * @throws UserError for a language that the model does not have
 */
function surroundTranscript({ config, reading, generationFiles }: Context): {
  prefix: number[];
  end: number;
  times: TimeTokens | undefined;
} {
  const { generationConfig, modelConfig } = generationFiles();
  const settings = Object(generationConfig ?? modelConfig) as {
    lang_to_id?: Record<string, number>;
    task_to_id?: Record<string, number>;
    no_timestamps_token_id?: number;
    eos_token_id?: number;
    max_initial_timestamp_index?: number;
  };
  const { lang_to_id: languages, task_to_id: tasks, no_timestamps_token_id: plain } = settings;
  const { language } = reading;
  const id = languages?.[`<|${language ?? 'en'}|>`];
  if (language !== undefined && id === undefined)
    throw new UserError({
      where: 'data.language',
      fault: `is not a language of the model, got ${language}`,
      hint: languages
        ? `It has ${Object.keys(languages).join(' ')}.`
        : 'It has English only: remove the key.',
      code: 'invalid_argument',
    });
  const spoken = id === undefined ? [] : [id, ...(tasks?.transcribe === undefined ? [] : [tasks.transcribe])];
  // In whisper-large-v3, padding is another token.
  const end = settings.eos_token_id ?? config.padTokenId!;
  return {
    prefix: [config.decoderStartTokenId!, ...spoken, ...(plain === undefined ? [] : [plain])],
    end,
    times:
      plain === undefined
        ? undefined
        : { first: plain + 1, end, mostInitial: settings.max_initial_timestamp_index },
  };
}

/** The text of a sound, as a model writes it. Segments have the times that were asked for, or that a long sound needs. */
interface Transcript extends Generated {
  seconds: number;
  segments?: SpokenSegment[];
}

/**
 * Writes the transcript of a sound in windows. Each starts where the last whole segment of the one before it ends.
 *
 * @throws UserError for a model without times
 */
async function transcribeWindows(
  generator: TextGenerator,
  clip: Clip,
  context: Context,
): Promise<Transcript> {
  const { prefix, times } = surroundTranscript(context);
  const [, most] = context.config.content!.shape as [number, number];
  if (!times)
    throw new UserError({
      where: clip.text,
      fault: 'needs times, which the model does not write',
      hint: `Use a model with no_timestamps_token_id in generation_config.json, or sounds of at most ${most / 100} s.`,
      code: 'unsupported',
    });
  const content = clip.content as SoundContent;
  const sound = content.whole?.() ?? content;
  const written = { text: '', ids: [] as number[], finish: 'stop' as Generated['finish'] };
  const segments: SpokenSegment[] = [];
  const texts = writtenTexts(context.modality);
  for (let at = 0; at < sound.frames; ) {
    const window = cutSound(sound, at, most);
    const { feeds } = context.modality.rows([{ text: clip.text, content: window }]);
    // The last token of the prefix says that no times follow.
    const start = Int32Array.from(prefix.slice(0, -1));
    const [heard] = await generator.transcribe(feeds([0], 0), start, 1, keepTimes(times));
    if (heard!.finish === 'length') written.finish = 'length';
    const ids = [...heard!.ids].filter((id) => id !== times.end);
    const cut = cutWindow(ids, times.first, window.frames);
    for (const segment of cut.segments) {
      const text = texts.decode(segment.ids.filter((id) => id < times.first));
      for (const id of segment.ids) written.ids.push(id);
      written.text += text;
      const [from, to] = [segment.start, segment.end].map((time) => (time * 100 + at) / 100) as [
        number,
        number,
      ];
      if (text.trim() !== '') segments.push({ start: from, end: to, text: text.trim() });
    }
    at += cut.next;
  }
  const { reading } = context;
  return {
    ...written,
    text: written.text.trim(),
    ids: Int32Array.from(written.ids),
    seconds: content.seconds,
    ...(reading.timestamps && { segments }),
  };
}

function subtitles(form: 'srt' | 'vtt'): AnswerFormat<Clip> {
  return {
    reading: { timestamps: true },
    line: (answer) => writeSubtitles((answer as Transcript).segments!, form),
  };
}

/** Builds an example for each clip. Its labels are the tokens after the start, the prefix included, as in transformers' example. */
function clipExamples(clips: readonly Clip[], context: Context): ExampleSet {
  const texts = writtenTexts(context.modality);
  const {
    padTokenId = 0,
    decoderStartTokenId = padTokenId,
    maxTargets = context.config.maxLength,
  } = context.config;
  const { prefix, end } = surroundTranscript(context);
  const read = context.modality.rows(clips);
  let truncated = 0;
  const labels = clips.map(({ transcript = '' }) => {
    const whole = [...prefix.slice(1), ...texts.ids(transcript), end];
    if (whole.length > maxTargets) truncated++;
    return Int32Array.from(whole.slice(0, maxTargets));
  });
  for (const ids of labels) texts.checkIds(ids);
  const targetLengths = Int32Array.from(labels, ({ length }) => length);
  return {
    lengths: targetLengths.map((length, i) => length + read.lengths[i]!),
    targetLengths,
    truncated,
    batch(chosen, number) {
      const rows = [...chosen];
      const targets = rows.map((i) => labels[i]!);
      const { feeds, weight } = targetFeeds(targets, { padTokenId, decoderStartTokenId });
      return { feeds: { ...read.feeds(rows, number), ...feeds }, weight };
    },
  };
}

/** Writes the transcripts of clips, in their order. Processes divide the batches. */
async function transcribe(
  generator: TextGenerator,
  communicator: Communicator,
  clips: readonly Clip[],
  context: Context,
  batchSize: number,
): Promise<Generated[]> {
  const read = context.modality.rows(clips);
  const prefix = Int32Array.from(surroundTranscript(context).prefix);
  return dealTexts(communicator, read.lengths, batchSize, async (rows, number) => {
    const heard = await generator.transcribe(read.feeds(rows, number), prefix, rows.length);
    return heard.map((one) => ({ ...one, text: one.text.trim() }));
  });
}

/** The error rates by the place of their errors in the outputs of a row, after its loss and number of tokens. */
const RATES = { wer: 2, wer_normalized: 4, cer: 6 } as const;
const COUNTS = 8;

/**
 * Scores a model by the loss of the transcripts, and by the words and characters that it writes wrong. The outputs of a clip
 * are these counts, and the tokens that the model writes.
 */
function clipEvaluation(clips: readonly Clip[], context: Context, batchSize: number): Evaluation {
  const examples = clipExamples(clips, context);
  const all = Int32Array.from(clips.keys());
  const readReference = (row: number) => clips[row]!.transcript ?? '';
  const rateErrors = (outputs: readonly Float32Array[], rows: Iterable<number>, at: number) =>
    errorRate(Array.from(rows, (row) => ({ errors: outputs[row]![at]!, length: outputs[row]![at + 1]! })));
  const compared: ScoredRows = {
    groups: all,
    // Only a cross-validation asks for it, and the length of a transcript is not known before.
    sizeOf: () => COUNTS,
    async outputs({ program, values }, rows) {
      // The loss of each clip, so that any of them can be joined.
      const single = Array.from(rows, (row) => Int32Array.of(row));
      const losses = await batchLosses(program, values, examples, single);
      const picked = Array.from(rows, (row) => clips[row]!);
      const written = await withGenerator(program, values, context, (generator) =>
        transcribe(generator, program.communicator, picked, context, batchSize),
      );
      return written.map(({ text, ids }, i) => {
        const { loss, weight } = losses[i]!;
        const reference = readReference(rows[i]!);
        const errors = [
          wordErrors(text, reference),
          wordErrors(normalizeTranscript(text), normalizeTranscript(reference)),
          characterErrors(text, reference),
        ];
        return Float32Array.from([
          loss,
          weight,
          ...errors.flatMap(({ errors, length }) => [errors, length]),
          ...ids,
        ]);
      });
    },
    scores: (outputs, rows) => ({
      eval_loss:
        addUp(rows, (row) => outputs[row]![0]! * outputs[row]![1]!) / addUp(rows, (row) => outputs[row]![1]!),
      ...Object.fromEntries(
        Object.entries(RATES).map(([name, at]) => [`eval_${name}`, rateErrors(outputs, rows, at)]),
      ),
    }),
    tell(outputs, rows, watch) {
      const spoken = writtenTexts(context.modality);
      const texts = Array.from(rows, (row) => spoken.decode(outputs[row]!.subarray(COUNTS)).trim());
      watch.onAnswers?.(texts, Array.from(rows, readReference));
      watch.onCertainty?.({
        groups: rows,
        interval: (score) =>
          Object.hasOwn(RATES, score)
            ? bootstrap(rows, (drawn) => rateErrors(outputs, drawn, RATES[score as keyof typeof RATES]))
            : undefined,
      });
    },
  };
  return {
    examples,
    output: 'loss',
    compared,
    async run(program, values, watch) {
      const outputs = await compared.outputs({ program, values }, all);
      if (watch) compared.tell(outputs, all, watch);
      return compared.scores(outputs, all);
    },
  };
}
