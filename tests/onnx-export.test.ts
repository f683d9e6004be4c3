import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { AutoModelForSequenceClassification, AutoTokenizer, pipeline } from '@huggingface/transformers';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Example,
  exportedLogits,
  exportedTokens,
  logitsDifference,
  ourLogits,
} from '../scripts/transformers-js/compare-logits.ts';
import type { HeadKind } from '../src/models/heads/registry.ts';
import type { QuestionInput, SpanAnswer } from '../src/tasks/question-answering/definition.ts';
import type { Words } from '../src/tasks/token-classification/definition.ts';
import type { TaggedWords } from '../src/tasks/token-classification/read-words.ts';
import type { OnnxDtype } from '../src/use/optimum/onnx-dtypes.ts';
import { open } from '../src/use/trained/node/open.ts';
import type { ExportOnnxOptions } from '../src/use/trained/onnx-folder.ts';
import type { OpenedModel } from '../src/use/trained/opened-model.ts';
import { newWorkspace, refuses, set, succeeds } from './support/commands.ts';
import { writeMadeAdapter } from './support/made-adapter.ts';
import { newFolder } from './support/new-folder.ts';
import { readSafetensors, writeSafetensors } from './support/safetensors-file.ts';
import { familiesAndHeads, writesText, writeTinyHead } from './support/tiny-head.ts';
import { writeTinyModel } from './support/tiny-model.ts';

const PAIRS: Example[] = [
  ['the cat sat', 'a dog ran on the mat'],
  ['the bird', 'flew'],
];
const TEXTS: Example[] = [['the cat sat on the mat'], ['a dog']];
const PROMPT = 'the cat sat on the mat';

const folder = newFolder();

/** An open tiny model, and the folder of its export. */
async function exported(family: string, head: HeadKind, options?: ExportOnnxOptions) {
  const base = mkdtempSync(join(folder, `${family}-${head}-`));
  writeTinyHead(base, family, head);
  const model = await open(base);
  const output = `${base}-onnx`;
  await model.export('onnx', output, options);
  return { base, output, model };
}

/** Families that transformers.js supports with these heads; it supports all generating ones. */
const ENCODERS = [
  'albert',
  'bert',
  'deberta-v2',
  'distilbert',
  'electra',
  'modernbert',
  'mpnet',
  'roberta',
  'xlm-roberta',
];
const NOT_THERE = ['modernbert QUESTION_ANS', 'albert TOKEN_CLS'];
const inTransformersJs = ([family, head]: [string, HeadKind]) =>
  (writesText(head) && family !== 'whisper') ||
  (ENCODERS.includes(family) && !NOT_THERE.includes(`${family} ${head}`)) ||
  (family === 'bart' && head === 'SEQ_CLS');

// biome-ignore lint/suspicious/noExplicitAny: the library's own types tell a pipeline's answer by its task alone.
type Loaded = any;
const load = (task: string, path: string, dtype: OnnxDtype = 'fp32'): Promise<Loaded> =>
  pipeline(task as 'text-classification', path, { dtype });

async function first<Input, Answer>(model: OpenedModel, input: Input): Promise<Answer> {
  for await (const answer of model.predict<Input, Answer>([input])) return answer;
  throw new Error('no answer');
}

/** Checks of transformers.js's answers against ours. */
const ANSWERS: Record<HeadKind, (output: string, model: OpenedModel, base: string) => Promise<void>> = {
  async SEQ_CLS(output, model) {
    const classifier = await load('text-classification', output);
    const ours = await first<object, { label: string; probabilities: Record<string, number> }>(model, {
      text: PROMPT,
    });
    const [theirs] = await classifier([PROMPT], { top_k: null });
    expect(theirs[0].label).toBe(ours.label);
    for (const { label, score } of theirs) {
      expect(score).toBeCloseTo(ours.probabilities[label]!, 5);
    }
  },
  async TOKEN_CLS(output, model) {
    const tagger = await load('token-classification', output);
    const ours = await first<Words, TaggedWords>(model, { words: PROMPT.split(' ') });
    const theirs = await tagger(PROMPT, { ignore_labels: [] });
    expect(theirs.map(({ entity }: { entity: string }) => entity)).toEqual(ours.tags);
    theirs.forEach(({ score }: { score: number }, i: number) => {
      expect(score).toBeCloseTo(ours.scores[i]!, 5);
    });
  },
  async QUESTION_ANS(output, model) {
    const answerer = await load('question-answering', output);
    const [question, context] = PAIRS[0] as [string, string];
    const ours = await first<QuestionInput, SpanAnswer>(model, { question, context });
    expect((await answerer(question, context)).answer).toBe(ours.answer);
  },
  async MASKED_LM(output, _, base) {
    const filler = await load('fill-mask', output);
    const text = 'the [MASK] sat on the mat';
    const { logits, batch, byToken } = await ourLogits(base, [[text]]);
    const at = batch.inputIds.indexOf(filler.tokenizer.mask_token_id) * byToken!;
    const scores = logits.subarray(at, at + byToken!);
    const [{ token }] = await filler(text);
    expect(token).toBe(scores.indexOf(Math.max(...scores)));
  },
  async FEATURE_EXTRACTION(output, model) {
    const extractor = await load('feature-extraction', output);
    const [ours] = await model.embed([PROMPT]);
    const theirs = await extractor(PROMPT, { pooling: 'mean', normalize: false });
    expect(theirs.dims).toEqual([1, ours!.length]);
    ours!.forEach((x, i) => {
      expect(theirs.data[i]).toBeCloseTo(x, 5);
    });
  },
  CAUSAL_LM: (output, model) => writesTheSame('text-generation', output, model),
  SEQ_2_SEQ_LM: (output, model) => writesTheSame('text2text-generation', output, model),
};

async function writesTheSame(task: string, output: string, model: OpenedModel): Promise<void> {
  const writer = await load(task, output);
  const settings = { max_new_tokens: 12, do_sample: false };
  const isDecoder = task === 'text-generation';
  // Two lengths, so that one is padded. An encoder-decoder adds a start token.
  const prompts = [PROMPT, 'a dog'];
  if (isDecoder) writer.tokenizer.padding_side = 'left';
  const inputs = writer.tokenizer(prompts, { padding: true });
  const written = await writer.model.generate({ ...inputs, ...settings });
  for (const [row, prompt] of prompts.entries()) {
    const ours = await model.generate(prompt, settings);
    const begun = isDecoder ? inputs.input_ids.dims[1] : 1;
    const ids = written[row].tolist().slice(begun).map(Number);
    expect(ids.slice(0, ours.ids.length)).toEqual([...ours.ids]);
    // One at a time: in a batch, transformers.js continues after a row's end.
    const [{ generated_text: text }] = await writer(prompt, settings);
    expect(text).toBe(isDecoder ? prompt + ours.text : ours.text);
  }
}

describe('transformers.js predicts like us', () => {
  it.each(familiesAndHeads().filter(inTransformersJs))('%s, %s', async (family, head) => {
    const { base, output, model } = await exported(family, head);
    await ANSWERS[head](output, model, base);
    await model.close();
    if (writesText(head)) return;
    const examples = head === 'SEQ_CLS' || head === 'QUESTION_ANS' ? PAIRS : TEXTS;
    const ours = await ourLogits(base, examples);
    expect(await exportedTokens(output, examples)).toEqual([...ours.batch.inputIds]);
    const { largest, scale } = logitsDifference(ours, await exportedLogits(output, 'model.onnx', ours.batch));
    // The same products and sums; some engines' kernels sum in another order.
    expect(largest).toBeLessThan(1e-5 * scale);
  });
});

describe('a linear layer on sentence vectors', () => {
  const predicted = (model: OpenedModel, row: object) =>
    first<object, { label: string; probabilities: Record<string, number>; logits: Float32Array }>(model, row);

  /** An open adapter with a layer, and the folder of its export. */
  async function layered(name: string, columns: object, exportedFrom: 'adapter' | 'merged' = 'adapter') {
    const [base, adapter] = [join(folder, name), join(folder, `${name}-adapter`)];
    writeTinyModel(base);
    mkdirSync(adapter);
    const data = { text: 'text', label: 'label', ...columns };
    writeMadeAdapter(adapter, base, { labels: ['a', 'b', 'c'], seed: 1, data });
    const model = await open(adapter, { model: base });
    const merged = `${base}-merged`;
    const output = `${base}-onnx`;
    if (exportedFrom === 'merged') {
      await model.merge(merged);
      const again = await open(merged);
      await again.export('onnx', output);
      await again.close();
    } else await model.export('onnx', output);
    return { output, model };
  }

  it.each([
    ['mean', 'adapter'],
    ['cls', 'adapter'],
    ['mean', 'merged'],
  ] as const)('by %s pooling is a part of the graph, exported from an %s', async (pooling, from) => {
    const { output, model } = await layered(`layer-${pooling}-${from}`, { pooling }, from);
    const classifier = await load('text-classification', output);
    const texts = [PROMPT, 'a dog'];
    for (const [i, theirs] of (await classifier(texts, { top_k: null })).entries()) {
      const ours = await predicted(model, { text: texts[i] });
      expect(theirs[0].label).toBe(ours.label);
      for (const { label, score } of theirs) expect(score).toBeCloseTo(ours.probabilities[label]!, 5);
    }
    await model.close();
  });

  it('of pairs reads each text by itself', async () => {
    const { output, model } = await layered('layer-pairs', { pooling: 'mean', text_pair: 'other' });
    const tokenizer = await AutoTokenizer.from_pretrained(output);
    const classifier = await AutoModelForSequenceClassification.from_pretrained(output, { dtype: 'fp32' });
    for (const [text, other] of PAIRS as [string, string][]) {
      const second = Object.entries(tokenizer(other)).map(([name, tensor]) => [`${name}_pair`, tensor]);
      const { logits } = await classifier({ ...tokenizer(text), ...Object.fromEntries(second) });
      const ours = await predicted(model, { text, text_pair: other });
      for (const [i, logit] of [...(logits.data as Float32Array)].entries())
        expect(logit).toBeCloseTo(ours.logits[i]!, 5);
    }
    await model.close();
  });
});

describe('types of weights', () => {
  // Rounding a weight to 11 bits changes it by at most 2^-12 of itself, to a byte by 1/254 of its row's largest. With
  // two layers of 32 random features, this stays within these shares of the largest logit; wider models lose less.
  it.each([
    ['bert', 'TOKEN_CLS'],
    ['deberta-v2', 'TOKEN_CLS'],
    ['gpt2', 'TOKEN_CLS'],
    ['bart', 'QUESTION_ANS'],
    ['llama', 'TOKEN_CLS'],
  ] as const)('%s, %s: fp16 and q8 are close to fp32', async (family, head) => {
    const { base, output, model } = await exported(family, head, { dtypes: ['fp32', 'fp16', 'q8', 'q4'] });
    await model.close();
    expect(readdirSync(join(output, 'onnx')).sort()).toEqual([
      'model.onnx',
      'model_fp16.onnx',
      'model_q4.onnx',
      'model_quantized.onnx',
    ]);
    const ours = await ourLogits(base, TEXTS);
    const share = async (file: string) => {
      const { largest, scale } = logitsDifference(ours, await exportedLogits(output, file, ours.batch));
      return largest / scale;
    };
    const [f16, q8, q4] = [
      await share('model_fp16.onnx'),
      await share('model_quantized.onnx'),
      await share('model_q4.onnx'),
    ];
    expect(f16).toBeGreaterThan(0);
    expect(f16).toBeLessThan(0.01);
    expect(q8).toBeGreaterThan(f16);
    expect(q8).toBeLessThan(0.15);
    // With 4 bits, random weights keep little precision: this only checks that they are used.
    expect(q4).toBeGreaterThan(q8);
  });

  it('are loaded by their names', async () => {
    const { output, model } = await exported('bart', 'SEQ_2_SEQ_LM', { dtypes: ['q8', 'fp16'] });
    const settings = { max_new_tokens: 8, do_sample: false };
    const { text } = await model.generate(PROMPT, settings);
    await model.close();
    // The default is the first.
    expect(config(output)['transformers.js_config']).toEqual({ dtype: 'q8' });
    for (const dtype of ['fp16', 'q8', undefined] as const) {
      const writer = await pipeline('text2text-generation', output, { dtype });
      expect(await writer(PROMPT, settings)).toEqual([{ generated_text: text }]);
    }
  });

  it('reject a value that float16 cannot represent', async () => {
    const base = mkdtempSync(join(folder, 'large-'));
    writeTinyHead(base, 'bert', 'SEQ_CLS');
    const path = join(base, 'model.safetensors');
    const tensors = new Map(readSafetensors(path));
    const name = 'bert.embeddings.word_embeddings.weight';
    (tensors.get(name)!.data as Float32Array)[5] = 70000;
    writeSafetensors(path, tensors, { format: 'pt' });
    const model = await open(base);
    const written = model.export('onnx', `${base}-onnx`, { dtypes: ['fp16'] });
    await expect(written).rejects.toThrow(`${name} has the value 70000`);
    await model.close();
  });
});

describe('a model too large for one file', () => {
  it.each([
    ['bert', 'SEQ_CLS', 'model.onnx'],
    ['t5', 'SEQ_2_SEQ_LM', 'decoder_model_merged.onnx'],
  ] as const)('has its tensors in others: %s', async (family, head, file) => {
    const { base, output, model } = await exported(family, head, { maxBytes: 40_000 });
    const files = readdirSync(join(output, 'onnx'));
    const { use_external_data_format: counts } = config(output)['transformers.js_config'];
    expect(counts[file]).toBeGreaterThan(1);
    const names = Array.from({ length: counts[file] }, (_, i) => `${file}_data${i === 0 ? '' : `_${i}`}`);
    expect(files).toEqual(expect.arrayContaining(names));
    await ANSWERS[head](output, model, base);
    await model.close();
  });
});

describe('the files beside it', () => {
  it('include a tokenizer.json, made from the files of older models', async () => {
    const base = mkdtempSync(join(folder, 'slow-'));
    writeTinyHead(base, 'bert', 'SEQ_CLS');
    const { model } = JSON.parse(readFileSync(join(base, 'tokenizer.json'), 'utf8'));
    writeFileSync(join(base, 'vocab.txt'), Object.keys(model.vocab).join('\n'));
    rmSync(join(base, 'tokenizer.json'));
    rmSync(join(base, 'tokenizer_config.json'));
    const opened = await open(base);
    await opened.export('onnx', `${base}-onnx`);
    await opened.close();
    const { batch } = await ourLogits(base, PAIRS);
    expect(await exportedTokens(`${base}-onnx`, PAIRS)).toEqual([...batch.inputIds]);
  });

  it("include a base's generation settings, its chat template and its labels", async () => {
    const { output, model } = await exported('llama', 'CAUSAL_LM');
    const chat = [{ role: 'user', content: 'the cat' }];
    const settings = { max_new_tokens: 6, do_sample: false };
    const { text } = await model.generate(chat, settings);
    await model.close();
    const writer = await load('text-generation', output);
    const [{ generated_text: answer }] = await writer(chat, settings);
    expect(answer.at(-1)).toEqual({ role: 'assistant', content: text });
    expect(JSON.parse(readFileSync(join(output, 'generation_config.json'), 'utf8'))).toEqual({
      _from_model_config: true,
      bos_token_id: 1,
      eos_token_id: 2,
      pad_token_id: 0,
    });
  });
});

function config(output: string) {
  return JSON.parse(readFileSync(join(output, 'config.json'), 'utf8'));
}

describe('adalora export --as onnx', () => {
  const workspace = newWorkspace();
  beforeAll(async () => {
    expect(await train('adalora')).toMatchObject({ code: 0 });
  });
  const train = (method: string, ...settings: string[]) =>
    workspace.run(
      ...['train', 'run.yaml', '--set', `method=${method}`, '--set', 'training.max_steps=12'],
      ...['--set', `output=${method}`, ...set(settings)],
    );

  // Their values are merged into the weights, or are layers of the graph, or are the weights.
  it.each([
    ['adalora', []],
    ['houlsby', ['houlsby.bottleneck=4']],
    ['full', []],
  ])('of a run with %s', async (method, settings) => {
    if (method !== 'adalora') expect(await train(method, ...settings)).toMatchObject({ code: 0 });
    expect(
      await workspace.run('export', method, '--as', 'onnx', '--dtype', 'fp32,q8', '-o', `${method}-onnx`),
    ).toEqual({ code: 0, signal: null, stdout: `The model is in ${method}-onnx\n`, stderr: '' });
    const output = workspace.path(`${method}-onnx`);
    const ours = await ourLogits(workspace.path(method), TEXTS, workspace.path('model'));
    const exact = logitsDifference(ours, await exportedLogits(output, 'model.onnx', ours.batch));
    // A merged product rounds once; the adapter's rounds three times.
    expect(exact.largest).toBeLessThan(1e-4 * exact.scale);
    const classifier = await load('text-classification', output);
    const [{ label }] = await classifier(TEXTS[0]![0]);
    expect(['bad', 'good']).toContain(label);
    expect(label).toBe(ours.logits[0]! > ours.logits[1]! ? 'bad' : 'good');
  });

  it.each([
    [
      'a type that is not known',
      ['--as', 'onnx', '--dtype', 'fp32,q5', '-o', 'new'],
      '`--dtype` must be a list of weight types (fp32, fp16, q8, q4), got q5. Did you mean q4, q8?\n',
    ],
    [
      'a form that is not known',
      ['--as', 'onxx', '-o', 'new'],
      'adalora/adapter is an adapter of kind ADALORA, which cannot be exported as onxx. Did you mean onnx?\n',
    ],
    [
      'a folder with files',
      ['--as', 'onnx', '-o', 'model'],
      'output: model is not empty. Choose a new or empty folder.\n',
    ],
    [
      'a type of weights of another form',
      ['--as', 'lora', '--dtype', 'q8', '-o', 'new'],
      '`--dtype` requires --as merged or onnx or gguf or gguf-adapter or mlx, got --as lora.\n',
    ],
    [
      'a sum in another form',
      ['--as', 'merged', '--with', 'adalora=1', '-o', 'new'],
      '`--with` requires --as lora, got --as merged.\n',
    ],
    [
      'an addend without a weight',
      ['--as', 'lora', '--with', 'adalora', '-o', 'new'],
      '`--with` must be an adapter and its weight, as in runs/b=0.5, got "adalora".\n',
    ],
    ['a rank without a sum', ['--as', 'lora', '--rank', '2', '-o', 'new'], '`--rank` requires --with.\n'],
  ])('rejects %s', async (_, words, stderr) => {
    expect(await workspace.run('export', 'adalora', ...words)).toMatchObject({ code: 2, stderr });
  });

  it('writes the sum of adapters, reduced to a rank', async () => {
    const words = ['--as', 'lora', '--weight', '0.5', '--with', 'adalora=0.25', '--rank', '1', '-o', 'sum'];
    await succeeds(workspace.run('export', 'adalora', ...words));
    expect(JSON.parse(readFileSync(workspace.path('sum', 'adapter_config.json'), 'utf8'))).toMatchObject({
      ...{ peft_type: 'LORA', r: 1, lora_alpha: 1 },
    });
  });

  it('rejects a file that leads out of the base', async () => {
    cpSync(workspace.path('model'), workspace.path('linked'), { recursive: true });
    symlinkSync('/etc/hostname', workspace.path('linked', 'vocab.txt'));
    const words = ['--as', 'onnx', '--model', 'linked', '-o', 'new'];
    await refuses(workspace.run('export', 'adalora', ...words), 'a link to');
    expect(existsSync(workspace.path('new'))).toBe(false);
  });
});
