import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { disk } from '../../src/input/formats/node/folder-files.ts';
import type { BaseDtype } from '../../src/program/bases/base-dtype.ts';
import { TASK_NAMES, type TaskName, taskNamed } from '../../src/tasks/registry.ts';
import { adapterIn } from '../../src/use/serving/find-adapters.ts';
import { PackedCache, readContent, servedAdapter } from '../../src/use/serving/served-adapter.ts';
import { BaseModel } from '../../src/use/serving/served-base.ts';
import { LocalService } from '../../src/use/serving/service/local-service.ts';
import { Serving } from '../../src/use/serving/serving.ts';
import { models } from '../../src/use/trained/node/load-model.ts';
import { open } from '../../src/use/trained/node/open.ts';
import { NOTES_FILE } from '../../src/use/trained/notes.ts';
import { type MadeAdapter, writeMadeAdapter } from '../support/made-adapter.ts';
import { newFolder } from '../support/new-folder.ts';
import { writeSmallGenerator } from '../support/small-generator.ts';
import { writeTinyModel } from '../support/tiny-model.ts';

/* The answers of the library and of a server are the same, whatever options a run had. */

/** Keys of `data` that say where rows are, how they are read, or how the loss is computed. Answers ignore them. */
const IGNORED = [
  ...['dataset', 'subset', 'train', 'validation'],
  ...['text', 'label', 'words', 'tags', 'label_names', 'anchor', 'positive', 'negative', 'source', 'target'],
  ...['header', 'quote', 'delimiter', 'label_separator', 'on_bad_row', 'sample_by', 'medium', 'augment'],
  ...['loss', 'scale', 'symmetric', 'margin', 'distance', 'max_score', 'mini_batch_size'],
  ...['matryoshka_dims', 'matryoshka_weights', 'predict_with_generate', 'completion_only_loss', 'packing'],
  ...['prompt', 'completion', 'messages', 'choices', 'answer', 'chosen', 'rejected', 'beta'],
  ...['teacher', 'unlabelled', 'teacher_share', 'temperature', 'query', 'negatives', 'num_negatives'],
];

/** For each other key of a task, sections with it. Every section is compared. */
const OPTIONS: Readonly<Record<string, readonly object[]>> = {
  max_length: [{ max_length: 11, doc_stride: 2 }],
  text_pair: [{ text_pair: 'other' }],
  pooling: [{ pooling: 'cls' }, { pooling: 'cls', text_pair: 'other' }, { pooling: 'lasttoken' }],
  normalize: [{ normalize: true }, { pooling: 'cls', normalize: true }],
  prompts: [{ prompts: { query: 'the cat ' } }],
  version_2_with_negative: [{ version_2_with_negative: true }],
  null_score_diff_threshold: [{ version_2_with_negative: true, null_score_diff_threshold: -50 }],
  doc_stride: [{ max_length: 11, doc_stride: 4 }],
  n_best_size: [{ n_best_size: 1 }],
  max_answer_length: [{ max_answer_length: 1 }],
  source_prefix: [{ source_prefix: 'the cat: ' }],
  max_source_length: [{ max_source_length: 8, max_length: 8 }],
  max_target_length: [{ max_target_length: 5 }],
  generation_config: [{ generation_config: { num_beams: 3, max_new_tokens: 7 } }],
};

const COLUMNS: Readonly<Partial<Record<TaskName, object>>> = {
  token_classification: {},
  question_answering: {},
  sentence_embedding: { text: 'text', label: 'label' },
  seq2seq_lm: { source: 'source', target: 'target' },
  causal_lm: {},
  preference: {},
};
const LABELS: Readonly<Partial<Record<TaskName, string[]>>> = {
  single_label_classification: ['a', 'b', 'c'],
  multi_label_classification: ['a', 'b', 'c'],
  token_classification: ['O', 'B-X', 'I-X'],
};
const TEXTS = [
  'the cat sat on the mat.',
  'a dog ran',
  'the very good bird flew, the bad fish swam not',
  'cat',
];

/**
 * Other rows in a batch change the order of sums of float32 products. After two layers, numbers near 1 differ by some
 * units in the last place.
 */
const DIGITS = 4;

const root = newFolder();
beforeAll(() => {
  writeTinyModel(join(root, 'bert'));
  writeSmallGenerator(join(root, 't5'), 't5');
  writeSmallGenerator(join(root, 'llama'), 'llama');
});

const baseOf = (task: TaskName) =>
  join(root, { seq2seq_lm: 't5', causal_lm: 'llama', preference: 'llama' }[task as string] ?? 'bert');

interface Options {
  data?: object;
  model_config?: object;
  made?: Partial<MadeAdapter>;
}

const columnsOf = (task: TaskName) => COLUMNS[task] && { data: COLUMNS[task] };
/** Whether a section decides how the model is built. */
const isBuiltFor = (data: object = {}) => 'pooling' in data && !('normalize' in data);

/** Adapters of a task in folders, one for each of the options. */
function adapters(task: TaskName, all: readonly Options[]): string[] {
  return all.map(({ data, model_config, made }, i) => {
    const folder = join(root, `${task}-${i}`);
    mkdirSync(folder, { recursive: true });
    writeMadeAdapter(folder, baseOf(task), {
      task,
      labels: LABELS[task] ?? [],
      seed: 1,
      ...made,
      ...(isBuiltFor(data) ? { data: { text: 'text', label: 'label', ...data } } : columnsOf(task)),
      ...(task === 'seq2seq_lm' && { targets: ['q', 'v'] }),
      ...(baseOf(task).endsWith('llama') && { targets: ['q_proj', 'v_proj'] }),
    });
    const file = join(folder, NOTES_FILE);
    const notes = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...notes, model_config, data: { ...notes.data, ...data } }));
    return folder;
  });
}

async function serve(task: TaskName, folders: readonly string[], dtype: BaseDtype = 'float32') {
  const base = await BaseModel.open(models, baseOf(task), dtype);
  const limits = { maxTokens: 4096, maxRows: 32, maxWait: 1, maxQueued: 1000 };
  const serving = new Serving(base, { rows: { ...limits, batches: base.batches }, decoding: limits });
  const cache = new PackedCache(2 ** 24);
  for (const [i, folder] of folders.entries()) {
    const found = adapterIn(disk, folder)!;
    await serving.add(await servedAdapter(found, `a${i}`, base, cache, () => readContent(found, base)));
  }
  const loader = { load: async () => {}, unload: async () => {}, close: () => base.close() };
  return new LocalService(serving, loader);
}

/** Compares answers. Numbers may differ by the order of sums. */
function expectClose(found: unknown, expected: unknown): void {
  if (typeof expected === 'number') expect(found as number).toBeCloseTo(expected, DIGITS);
  else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(found as object)).toEqual(Object.keys(expected));
    for (const [key, value] of Object.entries(expected)) expectClose((found as never)[key], value);
  } else expect(found).toEqual(expected);
}

const MODEL_CONFIG = { single_label_classification: { layer_norm_eps: 0.3 }, causal_lm: { rope_theta: 50 } };

/** Masked words are not predicted. tests/speech.test.ts has the server's transcripts. */
const NOT_SERVED: readonly TaskName[] = ['masked_lm', 'automatic_speech_recognition'];

describe.each(TASK_NAMES.filter((task) => !NOT_SERVED.includes(task)))('%s', (task) => {
  const keys = Object.keys(taskNamed(task).data.shape).filter((key) => !IGNORED.includes(key));
  const all: Options[] = [
    {},
    ...keys.flatMap((key) => (OPTIONS[key] ?? []).map((data) => ({ data }))),
    ...Object.entries(MODEL_CONFIG).flatMap(([name, model_config]) =>
      name === task ? [{ model_config }] : [],
    ),
  ];

  it('has no option that is unknown here', () => {
    expect(keys.filter((key) => !(key in OPTIONS))).toEqual([]);
  });

  it('answers in a server as in the library, with every option', async () => {
    const folders = adapters(task, all);
    const service = await serve(task, folders);
    const { prediction } = taskNamed(task);
    const answers: unknown[] = [];
    try {
      for (const [i, folder] of folders.entries()) {
        const model = `a${i}`;
        await using trained = await open(folder);
        const { reading } = trained.context();
        if (prediction?.vectors) {
          const named = 'prompts' in (all[i]!.data ?? {}) ? { promptName: 'query' } : {};
          const { vectors } = await service.embed({ model, inputs: TEXTS, truncate: true, ...named });
          const library = await trained.embed(TEXTS, named);
          expectClose(vectors, library);
          answers.push(library);
        } else if (prediction?.served) {
          const { served } = prediction;
          const isPair =
            ['question_answering', 'reranking'].includes(task) || 'text_pair' in (all[i]!.data ?? {});
          const inputs = TEXTS.map((text) => ({
            text: isPair ? 'who?' : text,
            ...(isPair && { pair: text }),
          }));
          const request = { model, inputs, truncate: true, raw: true };
          const given = inputs.map(({ text, pair }: { text: string; pair?: string }) =>
            served.input(text, pair, reading),
          );
          const library: unknown[] = [];
          let at = 0;
          for await (const answer of trained.predict<unknown, object>(given, { reading }))
            library.push(served.answer(answer, inputs[at++]!.text, trained.labels, true));
          expectClose(await service.predict(request), library);
          answers.push(library);
        } else {
          const generation = { max_new_tokens: 9 };
          const write = (prompt: string) =>
            service.write({ model, prompt, generation: prediction ? {} : generation, stop: [] } as never);
          const texts = await Promise.all(TEXTS.map(async (text) => (await write(text)).text));
          const library: string[] = [];
          if (prediction)
            for await (const { text } of trained.predict<object, { text: string }>(
              TEXTS.map((source) => ({ source })),
              { reading },
            ))
              library.push(text);
          else for (const text of TEXTS) library.push((await trained.generate(text, generation)).text);
          expect(texts).toEqual(library);
          answers.push(texts);
        }
      }
    } finally {
      await service.close();
    }
    // Otherwise nothing was compared. Texts that follow a prompt, and vectors, do not depend on how rows are read.
    const ignores = ({ data = {} }: Options) =>
      prediction?.vectors ? 'text_pair' in data : !prediction && Object.keys(data).length > 0;
    for (const [i, answer] of answers.entries())
      if (i > 0 && !ignores(all[i]!))
        expect(() => expectClose(answer, answers[0]), JSON.stringify(all[i])).toThrow();
  });
});

it('with an int8 base, a text has one vector: alone, beside others and in a server', async () => {
  const [folder] = adapters('sentence_embedding', [{ data: { pooling: 'cls' } }]);
  const service = await serve('sentence_embedding', [folder!], 'int8');
  try {
    await using trained = await open(folder!, { baseDtype: 'int8' });
    const alone: unknown[] = [];
    for (const text of TEXTS) alone.push(...(await trained.embed([text])));
    expectClose(await trained.embed(TEXTS), alone);
    const { vectors } = await service.embed({ model: 'a0', inputs: TEXTS, truncate: true });
    expectClose(vectors, alone);
    await using exact = await open(folder!);
    // Otherwise nothing was rounded.
    for (const [i, vector] of (await exact.embed(TEXTS)).entries())
      expect(() => expectClose(alone[i], vector)).toThrow();
  } finally {
    await service.close();
  }
});
