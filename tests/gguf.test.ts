import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GGMLQuantizationType, gguf } from '@huggingface/gguf';
import { beforeAll, describe, expect, it } from 'vitest';
import { largestDifference } from '../scripts/conformance/compare.ts';
import type { AdapterTensor, AdapterTensors } from '../src/input/formats/adapters/stored-adapter.ts';
import { encodeGguf, type GgufTensor } from '../src/input/formats/encode-gguf.ts';
import { modelTypes } from '../src/models/registry.ts';
import { requireTexts } from '../src/program/modalities/texts.ts';
import { modelFeeds } from '../src/program/objectives/model-inputs.ts';
import { tokenModel } from '../src/program/objectives/token-model.ts';
import { Program } from '../src/program/program.ts';
import { Random } from '../src/support/random.ts';
import { open } from '../src/use/trained/node/open.ts';
import type { OpenedModel } from '../src/use/trained/opened-model.ts';
import { writeAdapter } from './support/adapter-folder.ts';
import { openIn } from './support/describe-in.ts';
import { newFolder } from './support/new-folder.ts';
import { readSafetensors } from './support/safetensors-file.ts';
import { type SmallGenerator, writeSmallGenerator } from './support/small-generator.ts';

/*
 * llama.cpp runs our adapters: LLAMA_PYTHON is a Python with llama-cpp-python, torch and transformers, and
 * LLAMA_CPP_SOURCES the folder vendor/llama.cpp of llama-cpp-python's source package.
 */

const { LLAMA_PYTHON = '', LLAMA_CPP_SOURCES = '' } = process.env;
const isHere = existsSync(LLAMA_PYTHON) && existsSync(LLAMA_CPP_SOURCES);

const TITLE = `llama.cpp${isHere ? '' : ' (LLAMA_PYTHON or LLAMA_CPP_SOURCES is not set)'}`;

/** f32 sums in another order. Logits are numbers up to about 15. */
const TOLERANCE = 1e-3;
/** llama.cpp computes GELU by a table of float16 numbers. The base model differs as much as the adapter. */
const GELU_TOLERANCE = 1e-2;
const GELU_FAMILIES = ['gemma2', 'gemma3_text', 'gpt2', 'gpt_neox'];
const PROMPT = 'the cat then catches the other one';
const INIT_R = 5;
const RANKS = [3, 0, 5, 1, 4, 2];

/**
 * Small models that mlx-lm cannot compute: GPT-2 with the names of transformers, GPT-NeoX with a width of its own, and
 * Gemma 2 with a window shorter than the text.
 */
const OTHER_IN_MLX = ['gpt2', 'gpt_neox', 'gemma2'];

/** Families that are written as whole models. */
const WHOLE = modelTypes(({ gguf }) => gguf?.whole !== undefined);
const TEXTS = [
  'the cat  catches\n\n\tthe  \n other one ',
  ' Am 3.12.2026 kostet Käse 1234,50 € in Köln, heißt es.',
  "I'M sure they'll say 👩‍👩‍👧 ✈️ or 日本語 </s><s>x",
];

interface Case {
  base: SmallGenerator;
  architecture: string;
  /** Settings that llama.cpp has fixed, or does not have. */
  changes?: object;
  /** Another tokenizer of the fixtures, and what differs. */
  tokenizer?: [file: string, edit?: (json: string) => string];
}

const CASES: Readonly<Record<string, Case>> = {
  llama: { base: 'llama', architecture: 'LlamaForCausalLM' },
  // llama.cpp gives Mistral no window.
  mistral: {
    base: 'mistral',
    architecture: 'MistralForCausalLM',
    changes: { sliding_window: null },
    tokenizer: ['llama2'],
  },
  smollm3: {
    base: 'smollm3',
    architecture: 'SmolLM3ForCausalLM',
    changes: { no_rope_layer_interval: 4, num_hidden_layers: 5 },
    tokenizer: ['llama3'],
  },
  qwen2: { base: 'llama', architecture: 'Qwen2ForCausalLM' },
  qwen3: {
    base: 'qwen3',
    architecture: 'Qwen3ForCausalLM',
    tokenizer: [
      'llama3',
      (json) => json.replace('{1,3}', '').replace('"ignore_merges":true', '"ignore_merges":false'),
    ],
  },
  gemma2: { base: 'gemma2', architecture: 'Gemma2ForCausalLM' },
  gemma3_text: {
    base: 'gemma3_text',
    architecture: 'Gemma3ForCausalLM',
    changes: { sliding_window_pattern: 6, num_hidden_layers: 7 },
  },
  olmo2: { base: 'llama', architecture: 'Olmo2ForCausalLM' },
  phi3: {
    base: 'phi3',
    architecture: 'Phi3ForCausalLM',
    changes: { sliding_window: null, original_max_position_embeddings: 64 },
  },
  gpt2: { base: 'gpt2', architecture: 'GPT2LMHeadModel', changes: { n_ctx: 64, layer_norm_epsilon: 1e-5 } },
  gpt_neox: {
    base: 'gpt_neox',
    architecture: 'GPTNeoXForCausalLM',
    changes: { layer_norm_eps: 1e-5, use_parallel_residual: true },
  },
};

/** Writes an AdaLoRA adapter with another rank for each linear module, and 0 for some. */
function writeMixedAdapter(folder: string, base: string): void {
  const model = openIn(base, tokenModel('CAUSAL_LM'));
  const tensors: AdapterTensors = new Map();
  const rank_pattern: Record<string, boolean[]> = {};
  const modules = model.linears.filter(({ path }) => model.parameters.has(`${path}.weight`));
  for (const [i, { path, inFeatures, outFeatures }] of modules.entries()) {
    const rank = RANKS[i % RANKS.length]!;
    const put = (name: string, rows: number, columns: number, deviation: number) =>
      tensors.set(`base_model.model.${path}.${name}`, {
        shape: [rows, columns],
        data: new Random(7, `${path}.${name}`).normals(rows * columns, deviation),
      });
    put('lora_A', rank, inFeatures, 0.3);
    put('lora_E', rank, 1, 0.5);
    put('lora_B', outFeatures, rank, 0.3);
    rank_pattern[`${path}.lora_E`] = Array.from({ length: INIT_R }, (_, row) => row < rank);
  }
  model.close();
  const target_modules = modules.map(({ path }) => path);
  const config = {
    peft_type: 'ADALORA',
    task_type: 'CAUSAL_LM',
    init_r: INIT_R,
    lora_alpha: 9,
    total_step: 1,
  };
  mkdirSync(folder);
  writeAdapter(folder, {
    config: { ...config, target_modules, rank_pattern, base_model_name_or_path: base },
    tensors,
    baseModel: base,
  });
}

function tokenizerFixture(name: string, edit = (json: string) => json): string {
  const text = readFileSync(`src/input/text/fixtures/${name}.json`, 'utf8');
  const json = JSON.stringify(JSON.parse(text));
  return edit(json.replaceAll('<|begin_of_text|>', '<s>').replaceAll('<|end_of_text|>', '</s>'));
}

interface Answer {
  logits: number[][];
  continued: number[];
  refused?: string;
}

async function logitsOf({ parts }: OpenedModel, inputIds: Int32Array): Promise<number[]> {
  const { length } = inputIds;
  const program = new Program(parts.engine, parts.model, parts.tuner);
  const feeds = modelFeeds({
    inputIds,
    tokenTypeIds: new Int32Array(length),
    attentionMask: new Int32Array(length).fill(1),
    batch: 1,
    length,
  });
  const logits = await program.predict(parts.values, feeds);
  await program.release();
  return [...logits];
}

it('has a case for every family', () => {
  expect(Object.keys(CASES).sort()).toEqual(modelTypes(({ gguf }) => gguf !== undefined).sort());
});

describe.skipIf(!isHere)(TITLE, () => {
  const root = newFolder();
  const answers: Record<
    string,
    Record<'base' | 'adapter' | 'merged' | 'peft' | 'whole', Answer> & { tokens: number[][] }
  > = {};
  const tokens: Record<string, number[][]> = {};
  const ours: Record<string, Partial<Record<'base' | 'adapter', { logits: number[]; ids: number[] }>>> = {};

  beforeAll(async () => {
    for (const [type, { base, architecture, changes, tokenizer }] of Object.entries(CASES)) {
      const path = (name: string) => join(root, type, name);
      writeSmallGenerator(path('base'), base, {
        model_type: type,
        architectures: [architecture],
        ...changes,
        ...(tokenizer && { vocab_size: 600 }),
      });
      if (tokenizer) writeFileSync(path('base/tokenizer.json'), tokenizerFixture(...tokenizer));
      writeMixedAdapter(path('adapter'), path('base'));
      ours[type] = {};
      for (const which of ['base', 'adapter'] as const) {
        const opened = await open(path(which), { generates: true });
        if (which === 'adapter') {
          await opened.export('gguf-adapter', path('gguf'));
          await opened.export('lora', path('peft'));
          await opened.merge(path('merged'));
          copyFileSync(join(path('gguf'), 'adapter.gguf'), path('adapter.gguf'));
          if (WHOLE.includes(type)) {
            await opened.export('gguf', path('model'), { dtype: 'f32' });
            copyFileSync(join(path('model'), 'model.gguf'), path('whole.gguf'));
            const texts = requireTexts(opened.parts.modality);
            tokens[type] = TEXTS.map((text) => [...texts.ids(`<s>${text}`)]);
            writeFileSync(path('texts.json'), JSON.stringify(TEXTS));
          }
        }
        const ids = requireTexts(opened.parts.modality).ids(`<s>${PROMPT}`);
        writeFileSync(path('ids.json'), JSON.stringify([...ids]));
        const generated = await opened.generate(PROMPT, { max_new_tokens: 12 });
        ours[type]![which] = {
          logits: await logitsOf(opened, Int32Array.from(ids)),
          ids: [...generated.ids],
        };
        await opened.close();
      }
    }
    const folders = Object.keys(CASES).map((type) => join(root, type));
    const script = ['scripts/oracle/llama_cpp_adapters.py', LLAMA_CPP_SOURCES, ...folders];
    const { status, stderr } = spawnSync(LLAMA_PYTHON, script, { encoding: 'utf8', maxBuffer: 2 ** 28 });
    expect(status, stderr.slice(-4000)).toBe(0);
    for (const type of Object.keys(CASES))
      answers[type] = JSON.parse(readFileSync(join(root, type, 'answers.json'), 'utf8'));
  }, 600_000);

  describe.each(Object.keys(CASES))('%s', (type) => {
    const tolerance = GELU_FAMILIES.includes(type) ? GELU_TOLERANCE : TOLERANCE;

    it.each(['base', 'adapter'] as const)('computes our logits and our text: %s', (which) => {
      const { logits, continued, refused } = answers[type]![which];
      expect(refused).toBeUndefined();
      expect(largestDifference(logits.flat(), ours[type]![which]!.logits)).toBeLessThan(tolerance);
      expect(continued.slice(0, ours[type]![which]!.ids.length)).toEqual(ours[type]![which]!.ids);
    });

    it('is changed by the adapter', () => {
      const { base, adapter } = ours[type]!;
      expect(largestDifference(base!.logits, adapter!.logits)).toBeGreaterThan(0.1);
    });

    it('loads the exported LoRA by its own converter, which reads no patterns', () => {
      const { logits, refused } = answers[type]!.peft;
      // The converter transposes factors as if they were GPT-2's weights.
      if (type === 'gpt2') expect(refused).toBeDefined();
      else expect(largestDifference(logits.flat(), ours[type]!.adapter!.logits)).toBeLessThan(tolerance);
    });

    it('computes the logits of the adapter with the merged model', () => {
      const { logits } = answers[type]!.merged;
      expect(largestDifference(logits.flat(), ours[type]!.adapter!.logits)).toBeLessThan(tolerance);
    });
  });

  it.each(WHOLE)(
    'computes the logits of the adapter with our file of the whole model, with the same tokens: %s',
    (type) => {
      const tolerance = GELU_FAMILIES.includes(type) ? GELU_TOLERANCE : TOLERANCE;
      const { whole, tokens: theirs } = answers[type]!;
      expect(largestDifference(whole.logits.flat(), ours[type]!.adapter!.logits)).toBeLessThan(tolerance);
      expect(theirs).toEqual(tokens[type]);
    },
  );

  it('PEFT computes the logits of the adapter with the exported LoRA', () => {
    const path = (name: string) => join(root, 'llama', name);
    const files = ['base', 'ids.json', 'adapter', 'peft'].map(path);
    const script = ['scripts/oracle/exported_lora.py', ...files];
    const { stdout, stderr } = spawnSync(LLAMA_PYTHON, script, { encoding: 'utf8' });
    const differences = stdout.trim().split('\n').map(Number);
    expect(differences, stderr.slice(-2000)).toHaveLength(1);
    // PEFT computes in float64. B is rounded to float32 once more.
    for (const difference of differences) expect(difference).toBeLessThan(1e-6);
  });
});

describe('an adapter for mlx-lm', () => {
  const root = newFolder();

  it.each(Object.entries(CASES))('adds the same to every matrix: %s', async (type, { base, changes }) => {
    const path = (name: string) => join(root, type, name);
    writeSmallGenerator(path('base'), base, { model_type: type, ...changes });
    writeMixedAdapter(path('adapter'), path('base'));
    const opened = await open(path('adapter'), { generates: true });
    await opened.merge(path('merged'));
    await opened.export('mlx', path('mlx'));
    const ids = requireTexts(opened.parts.modality).ids(`<s>${PROMPT}`);
    writeFileSync(path('ids.json'), JSON.stringify([...ids]));
    const logits = await logitsOf(opened, Int32Array.from(ids));
    await opened.close();
    // MLX_PYTHON is a Python with mlx-lm.
    if (process.env.MLX_PYTHON && !OTHER_IN_MLX.includes(type)) {
      const script = ['scripts/oracle/mlx_adapters.py', join(root, type)];
      const { stdout, stderr } = spawnSync(process.env.MLX_PYTHON, script, {
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      });
      expect(stdout, stderr.slice(-2000)).not.toBe('');
      const tolerance = GELU_FAMILIES.includes(type) ? GELU_TOLERANCE : TOLERANCE;
      expect(largestDifference(JSON.parse(stdout).flat(), logits)).toBeLessThan(tolerance);
    }
    const [before, merged, factors] = ['base/model', 'merged/model', 'mlx/adapters'].map(
      (name) => readSafetensors(path(`${name}.safetensors`)) as AdapterTensors,
    );
    const { num_layers, lora_parameters } = JSON.parse(readFileSync(path('mlx/adapter_config.json'), 'utf8'));
    const { rank, scale, keys } = lora_parameters;
    // mlx-lm adapts the named modules of its last layers, all with one rank.
    expect({ num_layers, rank }).toEqual({ num_layers: Object(changes).num_hidden_layers ?? 2, rank: 5 });
    let checked = 0;
    for (const [name, { shape, data }] of merged!) {
      const [, layer, module] = /(?:layers|h)\.(\d+)\.(.+)\.weight$/.exec(name) ?? [];
      const list = name.startsWith('model.') ? 'layers' : 'h';
      const outside = name.replace('.weight', '').replace('embed_out', 'model.embed_out');
      const inMlx = layer === undefined ? outside : `model.${list}.${layer}.${module}`;
      const a = factors!.get(`${inMlx}.lora_a`);
      const b = factors!.get(`${inMlx}.lora_b`);
      const old = before!.get(name)!.data;
      if (!a || !b) {
        expect(data).toEqual(old);
        continue;
      }
      checked++;
      expect(keys).toContain(module ?? inMlx);
      const [inputs, outputs] = [a.shape[0]!, b.shape[1]!];
      expect([a.shape, b.shape]).toEqual([
        [inputs, rank],
        [rank, outputs],
      ]);
      // GPT-2 stores the transposed weight.
      const isTransposed = type === 'gpt2' && module !== undefined;
      expect(shape).toEqual(isTransposed ? [inputs, outputs] : [outputs, inputs]);
      const expected = Float32Array.from(old, (value, at) => {
        const [first, second] = [Math.floor(at / shape[1]!), at % shape[1]!];
        const [row, column] = isTransposed ? [second, first] : [first, second];
        let sum = 0;
        for (let i = 0; i < rank; i++) sum += b.data[i * outputs + row]! * a.data[column * rank + i]!;
        return value + scale * sum;
      });
      expect(largestDifference(data, expected)).toBeLessThan(1e-5);
    }
    expect(checked).toBe(factors!.size / 2);
    expect(checked).toBeGreaterThan(keys.length);
  });
});

describe('a GGUF file as a base', () => {
  const root = newFolder();

  it.each(WHOLE)('is the model that it was written from: %s', async (type) => {
    const { base, architecture, changes, tokenizer } = CASES[type]!;
    const folder = join(root, type);
    const size = tokenizer && { vocab_size: 600 };
    writeSmallGenerator(folder, base, {
      model_type: type,
      architectures: [architecture],
      ...changes,
      ...size,
    });
    if (tokenizer) writeFileSync(join(folder, 'tokenizer.json'), tokenizerFixture(...tokenizer));
    const first = await open(folder, { generates: true });
    await first.export('gguf', join(root, `${type}-gguf`), { dtype: 'f32' });
    const second = await open(join(root, `${type}-gguf/model.gguf`), { generates: true });
    const ids = [first, second].map((model) =>
      TEXTS.map((text) => [...requireTexts(model.parts.modality).ids(text)]),
    );
    expect(ids[1]).toEqual(ids[0]);
    const feeds = Int32Array.from(ids[0]![0]!);
    expect(await logitsOf(second, feeds)).toEqual(await logitsOf(first, feeds));
    await Promise.all([first.close(), second.close()]);
  });

  it.each([
    [{ 'general.architecture': 'mamba' }, 'has a model of the architecture mamba, which is not read'],
    [{ 'tokenizer.ggml.model': 'bert' }, 'has a tokenizer that is not read (bert, undefined)'],
    [{ 'llama.expert_count': 8 }, 'has the setting expert_count: 8, which is not read from GGUF files'],
    [{ 'llama.rope.dimension_count': 4 }, 'has the setting rope.dimension_count: 4, which is not read'],
  ])('is refused if its model would be another one: %j', async (changes, fault) => {
    const path = join(root, 'refused.gguf');
    const metadata = {
      'general.architecture': 'llama',
      'llama.context_length': 64,
      'llama.embedding_length': 16,
      'llama.block_count': 1,
      'llama.feed_forward_length': 8,
      'llama.attention.head_count': 2,
      'llama.attention.layer_norm_rms_epsilon': { float: 1e-5 },
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': ['a'],
      ...changes,
    };
    const words: GgufTensor = { shape: [1, 16], read: (start, end) => new Float32Array(end - start) };
    writeFileSync(
      path,
      Buffer.concat([...encodeGguf(metadata, new Map([['token_embd.weight', words]]), 'f16')]),
    );
    await expect(open(path)).rejects.toThrow(fault);
  });
});

describe('a GGUF file', () => {
  const root = newFolder();
  const base = join(root, 'base');
  const Q = 'base_model.model.model.layers.0.self_attn.q_proj';
  const matrix = (rows: number, columns: number) => ({
    shape: [rows, columns],
    data: new Float32Array(rows * columns).fill(0.1),
  });
  const FACTORS: [string, AdapterTensor][] = [
    [`${Q}.lora_A.weight`, matrix(2, 32)],
    [`${Q}.lora_B.weight`, matrix(32, 2)],
  ];

  beforeAll(() => {
    writeSmallGenerator(base, 'llama', { tie_word_embeddings: true });
    writeSmallGenerator(join(root, 't5'), 't5');
  });

  it.each([
    ['bias', { bias: 'lora_only' }, 'model.layers.0.self_attn.q_proj.base_layer.bias', 'a trained bias'],
    ['dora', { use_dora: true }, 'model.layers.0.self_attn.q_proj.lora_magnitude_vector', "DoRA's magnitude"],
    ['saved', { modules_to_save: ['norm'] }, 'model.norm.weight', 'a module that was trained in full'],
  ])('cannot hold everything: %s', async (name, settings, key, content) => {
    const own = join(root, `${name}-base`);
    writeSmallGenerator(own, 'llama', { attention_bias: name === 'bias' });
    const config = {
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      r: 2,
      target_modules: ['q_proj'],
      ...settings,
    };
    const folder = join(root, name);
    mkdirSync(folder);
    const more = { shape: [32], data: new Float32Array(32).fill(1) };
    writeAdapter(folder, {
      config: { ...config, base_model_name_or_path: own },
      tensors: new Map([...FACTORS, [`base_model.model.${key}`, more]]),
      baseModel: own,
    });
    const opened = await open(folder, { generates: true });
    await expect(opened.export('gguf-adapter', join(root, `${name}-gguf`))).rejects.toThrow(
      new RegExp(`has ${content}.*, which GGUF adapters cannot hold.*--as gguf`),
    );
    await expect(opened.export('mlx', join(root, `${name}-gguf`))).rejects.toThrow(
      new RegExp(`has ${content}.*, which adapters for mlx-lm cannot hold.*--as merged`),
    );
    await opened.close();
    expect(existsSync(join(root, `${name}-gguf`))).toBe(false);
  });

  it('of a whole model needs nothing else: its Modelfile has the chat template', async () => {
    const folder = join(root, 'chat');
    const turn = (role: string) => `{{ '<|' + ${role} + '|>\\n' + m.content + '\\n' }}`;
    writeSmallGenerator(folder, 'llama');
    writeFileSync(
      join(folder, 'chat_template.jinja'),
      `{% if messages[0].role != 'system' %}Be brief.{% endif %}{% for m in messages %}${turn('m.role')}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}`,
    );
    const opened = await open(folder, { generates: true });
    await opened.export('gguf', join(root, 'chat-gguf'), { dtype: 'q4_0' });
    await opened.close();
    const said = (role: string) => `if eq .Role "${role}" }}<|${role}|>\n{{ .Content }}\n`;
    expect(readFileSync(join(root, 'chat-gguf', 'Modelfile'), 'utf8')).toBe(
      `FROM ./model.gguf\nTEMPLATE """{{ if not .System }}Be brief.{{ end }}{{ range .Messages }}{{ ${said('system')}` +
        `{{ else ${said('user')}{{ else ${said('assistant')}{{ end }}{{ end }}<|assistant|>"""\n`,
    );
    const { metadata, tensorInfos } = await gguf(join(root, 'chat-gguf', 'model.gguf'), {
      allowLocalFile: true,
    });
    expect(metadata).toMatchObject({ 'llama.block_count': 2, 'tokenizer.ggml.pre': 'gpt-2' });
    const typeOf = (name: string) => tensorInfos.find((info) => info.name === name)?.dtype;
    const names = ['blk.0.attn_q.weight', 'token_embd.weight', 'blk.0.attn_norm.weight'];
    expect(names.map(typeOf)).toEqual([
      GGMLQuantizationType.Q4_0,
      GGMLQuantizationType.Q8_0,
      GGMLQuantizationType.F32,
    ]);
  });

  it.each([
    ['rotary positions of type yarn', { rope_scaling: { rope_type: 'yarn', factor: 2 } }, undefined],
    ['a BPE tokenizer with steps', {}, '"use_regex":false'],
  ])('of a whole model is refused with %s', async (fault, changes, tokenizer) => {
    const folder = join(root, fault);
    writeSmallGenerator(folder, 'llama', changes);
    const path = join(folder, 'tokenizer.json');
    if (tokenizer) writeFileSync(path, readFileSync(path, 'utf8').replace('"use_regex":true', tokenizer));
    const opened = await open(folder, { generates: true });
    await expect(opened.export('gguf', join(root, 'none'))).rejects.toThrow(fault);
    await opened.close();
  });

  it('is refused for a whole model and for a family without one', async () => {
    for (const [folder, form, fault] of [
      [base, 'mlx', 'is a whole model, not an adapter. mlx-lm opens it as it is.'],
      [base, 'gguf-adapter', 'is a whole model, not an adapter. Export it with --as gguf.'],
      [join(root, 't5'), 'gguf-adapter', 'is for a model of type t5, which has no GGUF adapters'],
      [join(root, 't5'), 'gguf', 'is for a model of type t5, which has no GGUF models'],
    ] as const) {
      const opened = await open(folder, { generates: true });
      await expect(opened.export(form, join(root, 'none'))).rejects.toThrow(fault);
      await opened.close();
    }
  });
});
