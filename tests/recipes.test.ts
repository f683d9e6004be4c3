import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startMethod } from '../src/jobs/start-method.ts';
import { packageRecipes } from '../src/recipes/node/package-recipes.ts';
import { recipeConfig } from '../src/recipes/recipe-config.ts';
import { type ReproductionOptions, reproductionRuns } from '../src/recipes/reproduction.ts';
import { parseRunConfig } from '../src/run/config/parse-run-config.ts';
import type { RunConfig } from '../src/run/config/run-config.ts';
import { taskNamed } from '../src/tasks/registry.ts';
import { trainerSettings } from '../src/train/trainer-settings.ts';
import { familyOf } from '../src/trained/bind-model.ts';
import { METHOD_NAMES } from '../src/tuners/registry.ts';
import { adapterParameters } from '../src/tuners/tuner.ts';

/*
 * What the recipes come to, from the models' config.json and the numbers of rows alone, against the paper's appendix.
 */

/** What decides shapes in the config.json of each model on the Hub. */
const MODELS: Readonly<Record<string, object>> = {
  'microsoft/deberta-v3-base': {
    ...{ model_type: 'deberta-v2', vocab_size: 128100, hidden_size: 768, intermediate_size: 3072 },
    ...{ num_hidden_layers: 12, num_attention_heads: 12, max_position_embeddings: 512, type_vocab_size: 0 },
    ...{ relative_attention: true, position_buckets: 256, norm_rel_ebd: 'layer_norm', share_att_key: true },
    ...{
      pos_att_type: 'p2c|c2p',
      layer_norm_eps: 1e-7,
      max_relative_positions: -1,
      position_biased_input: false,
    },
    ...{ pooler_hidden_size: 768, pooler_hidden_act: 'gelu', pooler_dropout: 0, hidden_act: 'gelu' },
  },
  'facebook/bart-large': {
    ...{
      model_type: 'bart',
      vocab_size: 50265,
      d_model: 1024,
      max_position_embeddings: 1024,
      pad_token_id: 1,
    },
    ...{ encoder_layers: 12, encoder_attention_heads: 16, encoder_ffn_dim: 4096, decoder_start_token_id: 2 },
    ...{ decoder_layers: 12, decoder_attention_heads: 16, decoder_ffn_dim: 4096, forced_eos_token_id: 2 },
  },
};

const { recipes, budgets } = packageRecipes();
const named = (name: string) => recipes.find((recipe) => recipe.name === name)!;
const configOf = (name: string, method?: string, budget?: string) =>
  parseRunConfig(parse(recipeConfig(named(name), budgets, { method, budget })), name);

/** Steps and warm-up of a run on a recipe's rows. */
function lengthOf(name: string, config: RunConfig) {
  const { totalSteps, update } = trainerSettings(config, named(name).rows ?? 1);
  return { totalSteps, warmup: update.warmupSteps };
}

/** Examples of a step. */
function batchOf({ training }: RunConfig): number {
  return training.per_device_train_batch_size * training.gradient_accumulation_steps;
}

/** The method of a config on the model's shapes. */
function started(config: RunConfig, steps: number) {
  const { definition, config: shape } = familyOf(MODELS[config.model], 'config.json');
  const model = taskNamed(config.task).build(['no', 'yes'])(definition, shape);
  return startMethod(config, model, steps).run;
}

// Steps, learning rate, γ, t_i, ΔT, t_f, tokens, warm-up, dropout of the classifier, decay, α.
const GLUE: [
  string,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
][] = [
  ['mnli', 85904, 5e-4, 0.1, 8000, 100, 50000, 256, 1000, 0.15, 0, 16],
  ['rte', 3900, 1.2e-3, 0.3, 600, 1, 1800, 320, 200, 0.2, 0.01, 32],
  ['qnli', 16370, 1.2e-3, 0.1, 2000, 100, 8000, 512, 500, 0.1, 0.01, 32],
  ['mrpc', 3450, 1e-3, 0.1, 600, 1, 1800, 320, 345, 0, 0.01, 32],
  ['qqp', 56855, 5e-4, 0.1, 8000, 100, 25000, 320, 2000, 0.15, 0.01, 16],
  ['sst2', 50520, 8e-4, 0.1, 6000, 100, 22000, 128, 1000, 0, 0.01, 16],
  ['cola', 6700, 5e-4, 0.5, 800, 10, 3500, 64, 100, 0.1, 0, 32],
  ['stsb', 4500, 2.2e-3, 0.1, 800, 10, 2000, 128, 100, 0.2, 0.1, 32],
];

describe('GLUE', () => {
  it.each(GLUE)(
    '%s',
    (task, steps, rate, gamma, tinit, deltaT, tfinal, length, warmup, dropout, decay, alpha) => {
      const name = `glue/${task}`;
      const config = configOf(name);
      expect(lengthOf(name, config)).toEqual({ totalSteps: steps, warmup });
      expect(config.training).toMatchObject({
        ...{ learning_rate: rate, weight_decay: decay, max_grad_norm: 1, per_device_train_batch_size: 32 },
      });
      const schedule = { tinit, deltaT, tfinal, orth_reg_weight: gamma, lora_alpha: alpha };
      expect(config.adalora).toMatchObject({ ...schedule, target_budget: 576, init_r: 12 });
      expect(config.data).toMatchObject({ max_length: length });
      expect(config.model_config).toEqual({ cls_dropout: dropout });
    },
  );

  it('is all eight tasks, each with the eight rows of the table', () => {
    expect(recipes.filter(({ table }) => table === 'glue').map(({ name }) => name.slice(5))).toEqual(
      GLUE.map(([task]) => task).sort(),
    );
    for (const { paper } of recipes.filter(({ table }) => table === 'glue')) expect(paper).toHaveLength(8);
  });
});

// Learning rate, batch, steps, γ, t_i, ΔT, t_f, warm-up, α.
it.each<[string, number, number, number, number, number, number, number, number]>([
  ['squad/v1', 1e-3, 16, 54750, 5000, 100, 25000, 1000, 16],
  ['squad/v2', 1e-3, 16, 97740, 5000, 100, 50000, 1000, 16],
  ['summarisation/xsum', 5e-4, 64, 79725, 6000, 100, 50000, 3000, 32],
  ['summarisation/cnn_dailymail', 5e-4, 32, 134595, 5000, 100, 85000, 3000, 32],
])('%s', (name, rate, batch, steps, tinit, deltaT, tfinal, warmup, alpha) => {
  const config = configOf(name);
  expect(lengthOf(name, config)).toEqual({ totalSteps: steps, warmup });
  expect(config.training).toMatchObject({ learning_rate: rate, per_device_train_batch_size: batch });
  expect(config.adalora).toMatchObject({ tinit, deltaT, tfinal, orth_reg_weight: 0.1, lora_alpha: alpha });
});

// Tokens, and how texts are written; no clipping where texts are.
it.each<[string, number, object]>([
  ['squad/v1', 1, { max_length: 384, doc_stride: 128 }],
  ['squad/v2', 1, { max_length: 384, doc_stride: 128 }],
  [
    'summarisation/xsum',
    0,
    { max_source_length: 768, max_target_length: 64, generation_config: { num_beams: 8 } },
  ],
  [
    'summarisation/cnn_dailymail',
    0,
    { max_source_length: 1024, max_target_length: 160, generation_config: { num_beams: 4 } },
  ],
])('%s, its texts', (name, clip, data) => {
  const config = configOf(name);
  expect(config.training.max_grad_norm).toBe(clip);
  expect(config.data).toMatchObject(data);
});

describe('budgets', () => {
  // b(T), the rank at the start, LoRA's rank, and Houlsby's and Pfeiffer's adapter weights.
  it.each<[string, string, number, number, number, number, number]>([
    ['glue/cola', '0.08%', 72, 2, 1, 165_984, 156_768],
    ['glue/cola', '0.16%', 144, 4, 2, 313_536, 304_320],
    ['glue/cola', '0.32%', 288, 6, 4, 608_640, 599_424],
    ['glue/cola', '0.65%', 576, 12, 8, 1_198_848, 1_189_632],
    ['summarisation/xsum', '0.13%', 192, 2, 1, 540_912, 516_336],
    ['summarisation/xsum', '0.26%', 384, 3, 2, 1_032_672, 1_057_272],
    ['summarisation/xsum', '1.10%', 1536, 12, 8, 4_278_288, 4_302_888],
    ['summarisation/xsum', '2.20%', 3072, 24, 16, 8_605_776, 8_630_376],
  ])('%s at %s', (name, budget, target, initial, rank, houlsby, pfeiffer) => {
    const [perRank, matrices] = name === 'glue/cola' ? [165_888, 72] : [540_672, 192];
    const runOf = (method: string) => {
      const config = configOf(name, method, budget);
      return started(config, lengthOf(name, config).totalSteps);
    };
    const run = runOf('adalora');
    expect(run.budget).toMatchObject({ unit: 'components', target, initial: initial * matrices });
    expect(target / matrices).toBe(rank);
    expect(run.budget?.forms.target.parameters).toBe(perRank * rank);
    expect(adapterParameters(run.tuner)).toBe(perRank * initial);
    expect(adapterParameters(runOf('lora').tuner)).toBe(perRank * rank);
    expect(adapterParameters(runOf('houlsby').tuner)).toBe(houlsby);
    expect(adapterParameters(runOf('pfeiffer').tuner)).toBe(pfeiffer);
  });

  // 0.16% and more of DeBERTaV3-base are the paper's, which stays below.
  it.each([
    ['glue/cola', '0.08%'],
    ['summarisation/xsum', '0.13%'],
    ['summarisation/xsum', '0.26%'],
    ['summarisation/xsum', '1.10%'],
    ['summarisation/xsum', '2.20%'],
  ])("no bottleneck comes nearer to AdaLoRA's target of %s at %s", (name, budget) => {
    const wanted = started(configOf(name, 'adalora', budget), 1e6).budget?.forms.target.parameters ?? 0;
    for (const method of ['houlsby', 'pfeiffer'] as const) {
      const config = configOf(name, method, budget);
      const bottleneck = config[method]?.bottleneck ?? 0;
      const [fewer, own, more] = [-1, 0, 1].map((change) => {
        const section = { ...config[method], bottleneck: bottleneck + change };
        const { tuner } = started({ ...config, [method]: section }, 1e6);
        return Math.abs(adapterParameters(tuner) - wanted);
      });
      expect(own).toBeLessThan(Math.min(fewer, more));
    }
  });
});

describe('the rows of a table', () => {
  const rows = (table: string, only: ReproductionOptions['only']) => {
    const [recipe] = recipes.filter((recipe) => recipe.table === table);
    const runs = reproductionRuns([recipe], budgets, { data: 'data', output: 'runs', seeds: 1, only });
    return runs.map(({ row }) => row.slice(recipe.name.length + 1)).join(' ');
  };

  it('are those of the paper, or any method and level that is asked for', () => {
    expect(rows('squad', {})).toBe('lora-0.08 adalora-0.08');
    expect(rows('squad', { budgets: ['0.65%'] })).toBe('lora-0.65 adalora-0.65');
    expect(rows('squad', { methods: ['bitfit', 'houlsby'] })).toBe('bitfit houlsby-0.08');
    expect(rows('glue', { methods: ['svd_lora', 'lora'] })).toBe(
      'svd_lora-0.65 svd_lora-0.16 lora-0.65 lora-0.16',
    );
    expect(rows('glue', { methods: ['full', 'houlsby'], budgets: ['0.32%'] })).toBe('houlsby-0.32');
  });

  it.each([
    [{ methods: ['loraa'] }, '--method: expected a method, got loraa. Did you mean lora?'],
    [{ budgets: ['8%'] }, '--budget: expected a level of the table, got 8%. Known: 0.08%'],
  ])('refuse %j', (only, message) => {
    expect(() => rows('squad', only)).toThrow(message);
  });

  it("have the figures of the paper's other tables too, each row once", () => {
    const { further } = named('glue/sst2');
    expect(further).toContainEqual({ method: 'svd_lora', budget: '0.32%', scores: { accuracy: 0.9507 } });
    for (const { paper, further, levels } of recipes) {
      const all = [...paper, ...further].map(({ method, budget }) => `${method} ${budget}`);
      expect(new Set(all).size).toBe(all.length);
      for (const { method, budget } of further) expect(levels[String(budget)]).toHaveProperty(method);
    }
  });
});

it('every recipe is a sound config with each method that it may have', () => {
  for (const { name, levels } of recipes) {
    for (const method of METHOD_NAMES) {
      if (configOf(name).base_dtype !== 'float32' && method === 'full') continue;
      expect(configOf(name, method).method).toBe(method);
      for (const budget of Object.keys(levels).filter((level) => levels[level][method])) {
        expect(configOf(name, method, budget).output).toContain(budget.replace('%', ''));
      }
    }
  }
});

it('the learning rate of the paper is that of methods of low rank alone', () => {
  expect(configOf('glue/sst2', 'lora').training.learning_rate).toBe(8e-4);
  expect(configOf('glue/sst2', 'full').training.learning_rate).toBe(2e-5);
});

it.each(['olmo2/7b', 'olmo2/13b'])('%s', (name) => {
  const config = configOf(name);
  expect(config.training).toMatchObject({
    ...{ max_steps: 12208, learning_rate: 5e-5, weight_decay: 0.01 },
    ...{ lr_scheduler_type: 'cosine', warmup_ratio: 0.05 },
  });
  expect(batchOf(config)).toBe(32);
  const { target_modules, ...adalora } = config.adalora!;
  expect(adalora).toMatchObject({
    ...{ init_r: 12, target_r: 8, lora_alpha: 32, lora_dropout: 0.05 },
    ...{ tinit: 1000, tfinal: 8546, deltaT: 20, orth_reg_weight: 0.5 },
  });
  expect(target_modules).toHaveLength(7);
  expect(config.data).toMatchObject({ max_length: 512 });
});

it('wgpt/mistral-7b', () => {
  const config = configOf('wgpt/mistral-7b');
  expect(config).toMatchObject({
    ...{ method: 'lora', base_dtype: 'int4', data: { max_length: 2048 } },
    lora: { r: 64, lora_alpha: 32, target_modules: 'all-linear' },
    training: { warmup_steps: 100, label_smoothing_factor: 0.1, per_device_train_batch_size: 8 },
  });
  expect(batchOf(config)).toBe(32);
});

describe('the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('writes a config with its comments, for a method at a level', () => {
    const text = recipeConfig(named('glue/qnli'), budgets, { method: 'lora', budget: '0.16%' });
    expect(text).toContain('# released scripts: 5e-4');
    expect(parse(text)).toMatchObject({ method: 'lora', lora: { r: 2 }, output: 'runs/qnli-lora-0.16' });
    expect(existsSync('recipes/glue/qnli.yaml') && readFileSync('recipes/glue/qnli.yaml', 'utf8')).toContain(
      'title: ',
    );
  });

  it('writes the section of the method that runs, and its own learning rate', () => {
    const written = (name: string, method: string) => recipeConfig(named(name), budgets, { method });
    const text = written('summarisation/xsum', 'houlsby');
    const config = parse(text);
    expect(METHOD_NAMES.filter((method) => method in config)).toEqual(['houlsby']);
    expect(config).toMatchObject({ houlsby: { bottleneck: 43 }, training: { learning_rate: 1e-3 } });
    expect(text).toContain("learning_rate: 1e-3 # this method's default: the recipe's is that of adalora\n");
    expect(METHOD_NAMES.filter((method) => method in parse(written('glue/cola', 'full')))).toEqual([]);
    expect(written('olmo2/7b', 'pfeiffer')).toMatch(/recipe has none for it\.\npfeiffer: \{\}\n$/);
  });

  it.each([
    [{ method: 'loraa' }, '--method: expected a method, got loraa. Did you mean lora?'],
    [{ budget: '8%' }, '--budget: expected a level of glue/cola, got 8%. Known: 0.08%, 0.16%, 0.32%, 0.65%.'],
    [
      { method: 'bitfit', budget: '0.16%' },
      'expected a level of bitfit in glue/cola, got 0.16%. It has none',
    ],
  ])('refuses %j', (choice, message) => {
    expect(() => recipeConfig(named('glue/cola'), budgets, choice)).toThrow(message);
  });
});
