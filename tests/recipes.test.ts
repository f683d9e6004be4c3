import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { METHOD_NAMES } from '../src/methods/tuners/registry.ts';
import { adapterParameters } from '../src/methods/tuners/tuner.ts';
import { comparison } from '../src/studies/experiments/comparison.ts';
import { describePlace } from '../src/studies/experiments/experiment.ts';
import type { RecipeBooks } from '../src/studies/experiments/recipe-rows.ts';
import { startMethod } from '../src/studies/jobs/set-up-run.ts';
import { RECIPE_FILES } from '../src/studies/recipes/node/recipe-files.ts';
import { packageRecipes, paperTables } from '../src/studies/recipes/package-recipes.ts';
import { recipeConfig } from '../src/studies/recipes/recipe.ts';
import { scorePrefixes } from '../src/tasks/data-files.ts';
import { listMetrics, taskNamed } from '../src/tasks/registry.ts';
import { parseRunConfig } from '../src/training/run/config/parse-run-config.ts';
import type { RunConfig } from '../src/training/run/config/run-config.ts';
import { trainerSettings } from '../src/training/train/trainer-settings.ts';
import { findFamily } from '../src/use/trained/bind-model.ts';

/*
 * The recipes' derived values, from the models' config.json and the numbers of rows alone, against the paper's
 * appendix.
 */

/** The fields that determine shapes in the config.json of each model on the Hub. */
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

const { recipes, budgets } = packageRecipes(RECIPE_FILES);
const tables = paperTables(RECIPE_FILES);
const named = (name: string) => recipes.find((recipe) => recipe.name === name)!;
const configOf = (name: string, method?: string, budget?: string) =>
  // It sets every key, as a test below checks.
  parseRunConfig(parse(recipeConfig(named(name), budgets, { method, budget })), name) as RunConfig;

/** Steps and warm-up of a run on a recipe's rows. */
function lengthOf(name: string, config: RunConfig) {
  const { totalSteps, update } = trainerSettings(config, named(name).rows ?? 1);
  return { totalSteps, warmup: update.warmupSteps };
}

/** Examples per step. */
function batchOf({ training }: RunConfig): number {
  return training.per_device_train_batch_size * training.gradient_accumulation_steps;
}

/** The method of a config on the model's shapes. */
function started(config: RunConfig, steps: number) {
  const { definition, config: shape } = findFamily(MODELS[config.model], 'config.json');
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
      expect(config.adalora).toMatchObject({ ...schedule, target: '576 triplets', init_r: 12 });
      expect(config.data).toMatchObject({ max_length: length });
      expect(config.model_config).toEqual({ cls_dropout: dropout });
    },
  );
});

// Learning rate, batch, steps, γ, t_i, ΔT, t_f, warm-up, α.
it.each<[string, number, number, number, number, number, number, number, number]>([
  ['squad/v1', 1e-3, 16, 54750, 5000, 100, 25000, 1000, 16],
  ['squad/v2', 1e-3, 16, 97740, 5000, 100, 50000, 1000, 16],
  ['summarization/xsum', 5e-4, 64, 79725, 6000, 100, 50000, 3000, 32],
  ['summarization/cnn_dailymail', 5e-4, 32, 134595, 5000, 100, 85000, 3000, 32],
])('%s', (name, rate, batch, steps, tinit, deltaT, tfinal, warmup, alpha) => {
  const config = configOf(name);
  expect(lengthOf(name, config)).toEqual({ totalSteps: steps, warmup });
  expect(config.training).toMatchObject({ learning_rate: rate, per_device_train_batch_size: batch });
  expect(config.adalora).toMatchObject({ tinit, deltaT, tfinal, orth_reg_weight: 0.1, lora_alpha: alpha });
});

// Tokens and generation settings; no clipping for generated texts.
it.each<[string, number, object]>([
  ['squad/v1', 1, { max_length: 384, doc_stride: 128 }],
  ['squad/v2', 1, { max_length: 384, doc_stride: 128 }],
  [
    'summarization/xsum',
    0,
    { max_source_length: 768, max_target_length: 64, generation_config: { num_beams: 8 } },
  ],
  [
    'summarization/cnn_dailymail',
    0,
    { max_source_length: 1024, max_target_length: 160, generation_config: { num_beams: 4 } },
  ],
])('%s, its texts', (name, clip, data) => {
  const config = configOf(name);
  expect(config.training.max_grad_norm).toBe(clip);
  expect(config.data).toMatchObject(data);
});

describe('budgets', () => {
  // b(T), the initial rank, LoRA's rank, and Houlsby's and Pfeiffer's adapter weights.
  it.each<[string, string, number, number, number, number, number]>([
    ['glue/cola', '0.08%', 72, 2, 1, 165_984, 156_768],
    ['glue/cola', '0.16%', 144, 4, 2, 313_536, 304_320],
    ['glue/cola', '0.32%', 288, 6, 4, 608_640, 599_424],
    ['glue/cola', '0.65%', 576, 12, 8, 1_198_848, 1_189_632],
    ['summarization/xsum', '0.13%', 192, 2, 1, 540_912, 516_336],
    ['summarization/xsum', '0.26%', 384, 4, 2, 1_032_672, 1_057_272],
    ['summarization/xsum', '1.10%', 1536, 12, 8, 4_278_288, 4_302_888],
    ['summarization/xsum', '2.20%', 3072, 24, 16, 8_605_776, 8_630_376],
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

  // The paper's budgets are at least 0.16% of DeBERTaV3-base; the result stays below them.
  it.each([
    ['glue/cola', '0.08%'],
    ['summarization/xsum', '0.13%'],
    ['summarization/xsum', '0.26%'],
    ['summarization/xsum', '1.10%'],
    ['summarization/xsum', '2.20%'],
  ])("no bottleneck is closer to AdaLoRA's target of %s at %s", (name, budget) => {
    const wanted = started(configOf(name, 'adalora', budget), 1e6).budget?.forms.target.parameters ?? 0;
    for (const method of ['houlsby', 'pfeiffer'] as const) {
      const config = configOf(name, method, budget);
      const bottleneck = config[method]?.bottleneck ?? 0;
      const [fewer, own, more] = [-1, 0, 1].map((change) => {
        const section = { ...config[method], bottleneck: bottleneck + change };
        const { tuner } = started({ ...config, [method]: section }, 1e6);
        return Math.abs(adapterParameters(tuner) - wanted);
      }) as [number, number, number];
      expect(own).toBeLessThan(Math.min(fewer, more));
    }
  });
});

/** The cells of a table with other keys, or on another model. */
const cellsOf = (name: string, keys: object = {}, books: Partial<RecipeBooks> = {}) =>
  comparison(
    { ...parse(readFileSync(tables[name]!, 'utf8')), ...keys },
    (path) => `${name}: ${path.join('.')}`,
    { recipes, budgets, ...books },
  ).cells;

const whole = new Map<string, ReturnType<typeof cellsOf>>();

/** The cells of a whole table. Several tests read the largest table. */
function wholeTable(name: string): ReturnType<typeof cellsOf> {
  const cells = whole.get(name) ?? cellsOf(name);
  whole.set(name, cells);
  return cells;
}

describe('the tables of the paper', () => {
  it.each([
    ['table1', 96],
    ['table2', 34],
    ['table3', 18],
    ['table4', 36],
    ['table5', 36],
    ['table14', 16],
    ['table15', 12],
    ['figure1', 10],
    ['figure2', 24],
    ['figure3', 1],
    ['figure4', 1],
  ])('%s has %i cells, each a valid config', (name, count) => {
    const cells = wholeTable(name);
    expect(cells).toHaveLength(count);
    const configs = cells.map(({ config }) => parseRunConfig({ ...config, output: 'run' }, name));
    expect(new Set(configs.map((config) => JSON.stringify(config))).size).toBe(count);
    expect(new Set(cells.map(describePlace)).size).toBe(count);
    if (name.startsWith('table'))
      for (const { paper, scores = [] } of cells) expect(Object.keys(paper ?? {})).toEqual(scores);
    // A run's scores have the names in the table.
    cells.forEach(({ scores = [], task: recipe }, i) => {
      const { splits_rows } = recipes.find((one) => one.name === recipe)!;
      const { task, data } = configs[i]!;
      const known = scorePrefixes(data.validation).flatMap((set) =>
        listMetrics(task, data).map((score) => set + score),
      );
      if (name !== 'table15' && !splits_rows)
        expect([...known, 'mean']).toEqual(expect.arrayContaining([...scores]));
    });
  });

  it('have numbers as printed, and none for other settings or models', () => {
    const figure = (cells: ReturnType<typeof cellsOf>, row: string, task: string) =>
      cells.find((cell) => cell.row === row && cell.task === task)?.paper;
    expect(figure(wholeTable('table1'), 'AdaLoRA 0.16%', 'glue/cola')).toEqual({
      matthews_correlation: 70.04,
    });
    expect(figure(wholeTable('table1'), 'BitFit', 'glue/mnli')).toEqual({
      matched_accuracy: 89.37,
      mismatched_accuracy: 89.91,
    });
    expect(figure(wholeTable('table2'), 'HAdapter 0.65%', 'squad/v2')).toEqual({
      exact_match: 85.4,
      f1: 88.3,
    });
    expect(figure(wholeTable('table5'), 'LoRA + R 0.32%', 'glue/mnli')).toEqual({ mean: 90.4 });
    expect(figure(wholeTable('table14'), 'LoRA two matrices', 'glue/qqp')).toEqual({ accuracy: 90.48 });
    const changed = { adalora: { score: 'sensitivity' } };
    expect(
      figure(cellsOf('table1', { ...changed, tasks: ['glue/cola'] }), 'AdaLoRA 0.16%', 'glue/cola'),
    ).toBeUndefined();
    const inPlace = { model: 'small', modelType: 'bert', targets: ['query', 'value'], matrices: 36 };
    const cells = cellsOf('table1', { model: 'small', tasks: ['glue/cola'] }, { inPlace });
    expect(cells.filter(({ paper }) => paper)).toEqual([]);
    // Shares of the paper's model do not apply to another one.
    expect(cells.map(({ row }) => row)).toContain('LoRA rank 2');
    const adaLora = cells.find(({ row }) => row === 'AdaLoRA rank 2');
    expect(adaLora?.settings).toMatchObject({ 'adalora.target': '72 triplets', 'adalora.init_r': 4 });
  });

  it('omit a row with matrices that another model does not have, with a notice', () => {
    const told: string[] = [];
    const inPlace = { model: 'small', modelType: 'bert', targets: ['query', 'value'], matrices: 36 };
    const onNotice = (message: string) => told.push(message);
    const cells = cellsOf('table14', { model: 'small', tasks: ['glue/rte'] }, { inPlace, onNotice });
    expect(cells.map(({ row }) => row)).toEqual(['LoRA six matrices']);
    expect(told).toEqual([
      "Skipping LoRA two matrices: its lora.target_modules are those of the paper's model.",
    ]);
  });

  it('compare a row with LoRA at its level, and rows without a level with none', () => {
    const cells = cellsOf('table1', { tasks: ['glue/cola'] });
    const compared = cells.map((cell) => [cell.row, cell.comparedWith]);
    expect(Object.fromEntries(compared)).toMatchObject({
      ...{ 'Full FT': undefined, BitFit: undefined, 'LoRA 0.16%': undefined },
      ...{ 'AdaLoRA 0.16%': 'LoRA 0.16%', 'HAdapter 0.65%': 'LoRA 0.65%', 'PAdapter 0.32%': undefined },
    });
  });

  it("try the paper's rates for every method but AdaLoRA, which has a printed rate", () => {
    const cells = cellsOf('table1', { tune: true, tasks: ['glue/cola'] });
    const rates = cells.map(({ row, grid }) => [row, grid.map((choice) => choice['training.learning_rate'])]);
    const paper = [3e-5, 5e-5, 8e-5, 1e-4, 3e-4, 5e-4, 8e-4, 1e-3];
    expect(Object.fromEntries(rates)).toMatchObject({
      ...{ 'AdaLoRA 0.16%': [], 'LoRA 0.16%': paper, 'Full FT': [2e-5, ...paper] },
    });
  });

  it('leave the rate to the policy for a method without one in the paper', () => {
    const rates = cellsOf('table1', { tasks: ['glue/cola'] }).map(({ row, config }) => [
      row,
      (config.training as { learning_rate?: number }).learning_rate,
    ]);
    expect(Object.fromEntries(rates)).toMatchObject({
      ...{ 'AdaLoRA 0.16%': 5e-4, 'LoRA 0.16%': 5e-4, 'Full FT': undefined },
    });
  });
});

it('every recipe is a valid config with each of its methods', () => {
  for (const { name, levels } of recipes) {
    const isRounded = configOf(name).base_dtype !== 'float32';
    for (const method of METHOD_NAMES) {
      if (isRounded && method === 'full') continue;
      expect(configOf(name, method).method).toBe(method);
      for (const budget of Object.keys(levels).filter((level) => levels[level]![method])) {
        expect(configOf(name, method, budget).output).toContain(budget.replace('%', ''));
      }
    }
  }
});

it("the paper's learning rate is only for low-rank methods", () => {
  expect(configOf('glue/sst2', 'lora').training.learning_rate).toBe(8e-4);
  expect(configOf('glue/sst2', 'full').training.learning_rate).toBeUndefined();
});

it.each(['7b-am', '7b-ig', '7b-ne', '7b-ky', '7b-ha', '13b-am', '13b-ig'])('olmo2/%s', (size) => {
  const config = configOf(`olmo2/${size}`);
  const [parameters, language] = size.split('-') as [string, string];
  expect(config.model).toBe(`allenai/OLMo-2-1124-${parameters.toUpperCase()}-Instruct`);
  expect(config.data.train).toContain(`/${language}.jsonl`);
  expect(config.adalora?.modules_to_save).toEqual(['lm_head', 'embed_tokens']);
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
    ...{ method: 'lora', base_dtype: 'int4' },
    data: { max_length: 2048, prompt: 'prompt', completion: 'completion' },
    lora: { r: 64, lora_alpha: 32, lora_dropout: 0.1, target_modules: 'all-linear' },
    training: {
      learning_rate: 2e-4,
      weight_decay: 0.001,
      num_train_epochs: 3,
      warmup_steps: 100,
      label_smoothing_factor: 0.1,
      per_device_train_batch_size: 8,
    },
  });
  expect(batchOf(config)).toBe(32);
});

it.each(recipes.map(({ name }) => name))(
  '%s sets everything: nothing is chosen for its own method',
  (name) => {
    const given = parse(recipeConfig(named(name), budgets, {}));
    const literal = parseRunConfig({ ...given, defaults: 'huggingface' }, name);
    expect({ ...configOf(name), defaults: 'huggingface' }).toEqual(literal);
  },
);

describe('the command', () => {
  it('writes a config with its comments, for a method at a level', () => {
    const text = recipeConfig(named('glue/qnli'), budgets, { method: 'lora', budget: '0.16%' });
    expect(text).toContain('# released scripts: 5e-4');
    expect(parse(text)).toMatchObject({ method: 'lora', lora: { r: 2 }, output: 'runs/qnli-lora-0.16' });
    expect(existsSync('recipes/glue/qnli.yaml') && readFileSync('recipes/glue/qnli.yaml', 'utf8')).toContain(
      'title: ',
    );
  });

  it('shows the values of the released scripts in comments', () => {
    const text = recipeConfig(named('glue/cola'), budgets, { budget: '0.08%' });
    expect(text).toContain('init_r: 2 # released scripts: 3\n');
    expect(recipeConfig(named('glue/cola'), budgets, { budget: '0.16%' })).toContain('init_r: 4\n');
  });

  it('writes the section of the method that runs, and leaves its learning rate to the policy', () => {
    const written = (name: string, method: string) => recipeConfig(named(name), budgets, { method });
    const text = written('summarization/xsum', 'houlsby');
    const config = parse(text);
    expect(METHOD_NAMES.filter((method) => method in config)).toEqual(['houlsby']);
    expect(config).toMatchObject({ houlsby: { bottleneck: 43 }, training: { warmup_steps: 3000 } });
    expect(config.training).not.toHaveProperty('learning_rate');
    expect(METHOD_NAMES.filter((method) => method in parse(written('glue/cola', 'full')))).toEqual([]);
    expect(written('olmo2/7b-am', 'pfeiffer')).toMatch(/recipe has none for it\.\npfeiffer: \{\}\n$/);
  });

  it.each([
    [{ method: 'loraa' }, '`--method` must be a method, got loraa. Did you mean lora?'],
    [{ budget: '8%' }, '`--budget` must be a level of glue/cola, got 8%. Known: 0.08%, 0.16%, 0.32%, 0.65%.'],
    [{ method: 'bitfit', budget: '0.16%' }, 'must be a level of bitfit in glue/cola, got 0.16%. It has none'],
  ])('rejects %j', (choice, message) => {
    expect(() => recipeConfig(named('glue/cola'), budgets, choice)).toThrow(message);
  });
});
