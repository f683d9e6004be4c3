import { stringify } from 'yaml';
import { EMBEDDED_MODEL } from '../data/hub/embedded-model.ts';
import { parseModelId } from '../data/hub/model-id.ts';
import { isLanguageTask, type TaskName } from '../data/task-type.ts';
import { type RankTable, rankTable } from './rank-table.ts';

/** What a card tells. The config is a run's. */
export interface ModelCardFacts {
  config: {
    model: string;
    task: TaskName;
    method: 'adalora' | 'lora' | 'full';
    adapter?: string;
    adalora?: object;
    lora?: object;
    data: { validation?: string; text_pair?: string | number; max_length?: number };
    training: object;
    seed: number;
  };
  /** Class names by id; none for regression. */
  labels: readonly string[];
  steps: number;
  trainableParameters: number;
  /** Scores on the validation file, with or without `eval_`. */
  metrics: Readonly<Record<string, number>>;
  /** Final rank of each adapted module. */
  ranks: Readonly<Record<string, number>>;
}

/** Scores that a card shows, with their names on the Hub. */
const METRICS: Readonly<Record<string, { type: string; name: string }>> = {
  accuracy: { type: 'accuracy', name: 'Accuracy' },
  f1: { type: 'f1', name: 'F1' },
  matthews_correlation: { type: 'matthews_correlation', name: 'Matthews correlation' },
  pearson: { type: 'pearsonr', name: 'Pearson correlation' },
  spearmanr: { type: 'spearmanr', name: 'Spearman correlation' },
  mse: { type: 'mse', name: 'Mean squared error' },
  perplexity: { type: 'perplexity', name: 'Perplexity' },
};

const CLASSIFIER = {
  pipeline: 'text-classification',
  name: 'Text Classification',
  model: 'AutoModelForSequenceClassification',
};

/** What a task is called on the Hub, and the class of transformers that loads its models. */
const TASKS: Readonly<Record<TaskName, { pipeline: string; name: string; model: string }>> = {
  single_label_classification: CLASSIFIER,
  regression: CLASSIFIER,
  multi_label_classification: CLASSIFIER,
  causal_lm: { pipeline: 'text-generation', name: 'Text Generation', model: 'AutoModelForCausalLM' },
  masked_lm: { pipeline: 'fill-mask', name: 'Fill-Mask', model: 'AutoModelForMaskedLM' },
};

const METHODS = { adalora: 'AdaLoRA', lora: 'LoRA', full: 'full fine-tuning' };

/**
 * The README.md of a run's folder, with the front matter that the Hugging Face Hub reads. The same run gives the same
 * text: it holds no dates, and of paths only the last name.
 */
export function modelCard(facts: ModelCardFacts): string {
  const { config, ranks } = facts;
  const base = baseName(config.model);
  const title = `${lastName(base)}, ${METHODS[config.method]}`;
  const sections = [
    `---\n${stringify(frontMatter(facts, base, title)).trimEnd()}\n---`,
    `# ${title}`,
    introduction(facts, base),
    ...section('Scores', scoreTable(facts)),
    ...section('Ranks', Object.keys(ranks).length > 0 ? rankSection(rankTable(ranks)) : ''),
    ...section('Settings', `\`\`\`yaml\n${stringify(settings(facts)).trimEnd()}\n\`\`\``),
    ...section('Use', usage(facts, base)),
  ];
  return `${sections.join('\n\n')}\n`;
}

function section(title: string, body: string): string[] {
  return body === '' ? [] : [`## ${title}`, body];
}

function frontMatter(facts: ModelCardFacts, base: string, title: string): object {
  const { method, data, task } = facts.config;
  const { pipeline, name } = TASKS[task];
  const scores = scoresOf(facts);
  const file = data.validation && lastName(data.validation);
  return {
    library_name: method === 'full' ? 'transformers' : 'peft',
    base_model: base,
    pipeline_tag: pipeline,
    tags: method === 'full' ? ['full-fine-tuning'] : ['peft', method],
    ...(scores.length > 0 && { metrics: scores.map(({ type }) => type) }),
    ...(file !== undefined &&
      scores.length > 0 && {
        'model-index': [
          {
            name: title,
            results: [
              {
                task: { type: pipeline, name },
                dataset: { type: datasetType(file), name: file },
                metrics: scores.map(({ type, name, value }) => ({ type, name, value })),
              },
            ],
          },
        ],
      }),
  };
}

/** The loader of Hugging Face's datasets for a file. */
function datasetType(file: string): string {
  if (/\.(jsonl|ndjson|json)$/.test(file)) return 'json';
  return /\.(tsv|csv)$/.test(file) ? 'csv' : 'text';
}

function introduction({ config, labels, steps, trainableParameters }: ModelCardFacts, base: string): string {
  const { task, method, adapter, data } = config;
  const purpose = purposeOf(task, data.text_pair === undefined ? 'texts' : 'pairs of texts');
  const classes =
    labels.length > 0 ? ` Labels, in order: ${labels.map((name) => `\`${name}\``).join(', ')}.` : '';
  return (
    `${method === 'full' ? 'A version' : 'An adapter'} of \`${base}\` for ${purpose}, ` +
    `trained by ${METHODS[method]} for ${counted(steps)} steps with ` +
    `${counted(trainableParameters)} trained parameters${adapter === undefined ? '' : ', from an earlier adapter on'}.${classes}`
  );
}

function purposeOf(task: TaskName, texts: string): string {
  switch (task) {
    case 'single_label_classification':
      return `classification of ${texts}`;
    case 'multi_label_classification':
      return `classification of ${texts} (several labels may apply)`;
    case 'regression':
      return `regression on ${texts}`;
    case 'causal_lm':
      return 'causal language modelling';
    case 'masked_lm':
      return 'masked language modelling';
  }
}

function scoreTable(facts: ModelCardFacts): string {
  const scores = scoresOf(facts);
  if (scores.length === 0) return '';
  return table(
    ['', 'Validation'],
    scores.map(({ name, value }) => [name, `${value}`]),
  );
}

function scoresOf({ metrics }: ModelCardFacts): { type: string; name: string; value: number }[] {
  return Object.entries(METRICS).flatMap(([key, names]) => {
    const value = metrics[`eval_${key}`] ?? metrics[key];
    return Number.isFinite(value) ? [{ ...names, value: Number(value.toFixed(4)) }] : [];
  });
}

function rankSection(ranks: RankTable): string {
  const { columns, rows, total, modules, average } = ranks;
  const cells = rows.map(({ layer, ranks }) => [layer, ...ranks.map((rank) => `${rank ?? ''}`)]);
  const sum = `${counted(total)} in ${counted(modules)} matrices, ${average.toFixed(2)} on average.`;
  return `${sum}\n\n${table(['Layer', ...columns.map((name) => `\`${name}\``)], cells)}`;
}

/** The run's settings without paths. */
function settings({ config }: ModelCardFacts): object {
  const { task, method, seed, data, training } = config;
  const own = method === 'full' ? {} : { [method]: config[method] };
  return { task, method, seed, data: { max_length: data.max_length }, training, ...own };
}

function usage({ config, labels }: ModelCardFacts, base: string): string {
  const { method, data, task } = config;
  const { model } = TASKS[task];
  const classes = isLanguageTask(task) ? '' : `, num_labels=${labels.length || 1}`;
  const load =
    method === 'full'
      ? [`model = ${model}.from_pretrained("model").eval()`]
      : [
          `base = ${model}.from_pretrained(${JSON.stringify(base)}${classes})`,
          'model = PeftModel.from_pretrained(base, "adapter").eval()',
        ];
  const { intro, command } = COMMANDS[isLanguageTask(task) ? task : 'classes'];
  return [
    `In this folder, with \`adalora\`${intro} or with Hugging Face's libraries:`,
    '',
    '```sh',
    command,
    '```',
    '',
    '```python',
    ...(method === 'full' ? [] : ['from peft import PeftModel']),
    `from transformers import ${model}, AutoTokenizer`,
    '',
    ...load,
    `tokenizer = AutoTokenizer.from_pretrained(${JSON.stringify(method === 'full' ? 'model' : base)})`,
    ...example(task, data),
    '```',
    ...(base === EMBEDDED_MODEL && method !== 'full' ? ['', WHERE_EMBEDDED] : []),
  ].join('\n');
}

const WHERE_EMBEDDED = `\`${EMBEDDED_MODEL}\` is the folder \`models/mini\` of the npm package \`adalora\`: for Python, copy it beside this file under that name.`;

const COMMANDS = {
  classes: { intro: ' (a line of JSON for each line of the file)', command: 'adalora predict . texts.txt' },
  causal_lm: { intro: '', command: 'adalora generate . --prompt "Some text"' },
  masked_lm: { intro: ' (loss and perplexity)', command: 'adalora eval . texts.txt' },
};

function example(task: TaskName, { text_pair, max_length }: ModelCardFacts['config']['data']): string[] {
  if (task === 'causal_lm') {
    return [
      'inputs = tokenizer("Some text", return_tensors="pt")',
      'print(tokenizer.decode(model.generate(**inputs, max_new_tokens=64)[0], skip_special_tokens=True))',
    ];
  }
  const text = task === 'masked_lm' ? 'f"Some {tokenizer.mask_token} text"' : '"Some text"';
  const texts = text_pair === undefined ? text : `${text}, "another text"`;
  return [
    `inputs = tokenizer(${texts}, truncation=True, max_length=${max_length}, return_tensors="pt")`,
    'logits = model(**inputs).logits',
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

/** A Hub id as it is; of a folder its last name. */
function baseName(model: string): string {
  return parseModelId(model) ? model : lastName(model);
}

function lastName(path: string): string {
  return (
    path
      .split(/[\\/]/)
      .filter((part) => part !== '')
      .at(-1) ?? path
  );
}

/** 12,345 in every locale. */
function counted(value: number): string {
  return `${value}`.replace(/\B(?=(\d{3})+$)/g, ',');
}
