import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import type { RunConfigInput } from '../../training/run/config/run-config.ts';
import { hubCard } from './hub-card.ts';
import { type ModelCardInputs, modelCard, withTestScores } from './model-card.ts';

const RUN = {
  model: '/home/someone/models/all-MiniLM-L6-v2/',
  data: { train: '/data/train.tsv', validation: '/data/dev.tsv', text: 3, label: 1, max_length: 64 },
  output: '/home/someone/runs/cola',
};

function card(run: Partial<RunConfigInput>, facts: Partial<ModelCardInputs> = {}): string {
  return modelCard({
    config: parseRunConfig({ ...RUN, ...run, defaults: 'huggingface' }, 'test'),
    labels: ['0', '1'],
    step: 1072,
    parameters: 207098,
    metrics: {
      eval_loss: 0.61,
      eval_accuracy: 0.71234567,
      eval_matthews_correlation: 0.229,
      eval_f1: Number.NaN,
    },
    ranks: {
      'bert.encoder.layer.0.attention.self.query': 3,
      'bert.encoder.layer.0.output.dense': 12,
      'bert.encoder.layer.1.output.dense': 9,
    },
    ...facts,
  });
}

it('has front matter, scores, ranks, settings and use', () => {
  expect(card({})).toMatchSnapshot();
});

it('says which scores are lowered for the choice among models', () => {
  const verdict = (value: number) => ({ score: 'accuracy', value, to_beat: [], learnt: true, findings: [] });
  expect(card({}, { verdict: verdict(0.7) })).toContain('The table is not.');
  expect(card({}, { verdict: verdict(0.71234567) })).not.toContain('lowered');
});

it('shows which images are wrong, but not on the Hub', () => {
  const preview = 'data:image/bmp;base64,AAAA';
  const mistake = { text: 'a/1.png', preview, label: 'a', predicted: 'b\n## Use', probability: 0.987 };
  const confusion = {
    labels: ['a', 'b'],
    counts: [
      [1, 2],
      [0, 3],
    ],
  };
  const local = card({}, { confusion, mistakes: new Array(9).fill(mistake) });
  expect(local).toContain(
    '|  | predicted a | predicted b |\n| --- | --: | --: |\n| a | 1 | 2 |\n| b | 0 | 3 |',
  );
  expect(local.split('| ![](data:image/bmp;base64,AAAA) | a | b ## Use | 0.987 |')).toHaveLength(7);
  const ofSounds = { data: { ...RUN.data, medium: 'audio' } };
  expect(card(ofSounds, { mistakes: [mistake] })).toContain('| Audio | Label |');
  const facts = {
    repo: 'a/b',
    form: 'adapter',
    license: 'mit',
    base: undefined,
    isDataPublic: true,
  } as const;
  const uploaded = hubCard(local, facts, 'README.md');
  expect(uploaded).not.toContain('data:image');
  expect(uploaded).toMatch(/## Classes\n\n.*\n\n## Ranks\n/s);
  // A wrong prediction of a text is not in a card at all.
  expect(card({}, { mistakes: [{ ...mistake, preview: undefined }] })).not.toContain('a/1.png');
});

it('has JavaScript for transcripts, also on the Hub', () => {
  const speech = { task: 'automatic_speech_recognition', data: { train: 'a', language: 'fr' } } as const;
  const local = card(speech);
  expect(local).toContain("'./onnx', { dtype: 'fp32' }");
  expect(local).toContain("transcribe('clip.wav', { language: 'fr' })");
  const facts = { repo: 'a/b', license: 'mit', base: undefined, isDataPublic: true };
  const uploaded = hubCard(local, { ...facts, form: 'onnx' }, 'README.md');
  expect(uploaded).toContain("pipeline('automatic-speech-recognition', 'a/b', {");
  expect(uploaded).not.toContain('PeftModel');
  expect(hubCard(local, { ...facts, form: 'adapter' }, 'README.md')).toContain(
    '`npx adalora export a/b --as onnx',
  );
});

it('escapes names of labels', () => {
  const text = card({}, { labels: ['good\u001b[2J', 'bad'] });
  expect(text).toContain('`good\\u{1b}[2J`, `bad`');
  expect(text).not.toMatch(/(?![\n])\p{Cc}/u);
});

it('shows names of labels as text, not as markup', () => {
  const labels = ['<img src=x onerror=alert(1)>', '[a](http://b) | `c`'];
  const counts = [
    [3, 1],
    [0, 2],
  ];
  const text = card({}, { labels, confusion: { labels, counts } });
  expect(text.replaceAll(/`[^`\n]*`/g, '')).not.toMatch(/(?<!\\)<img|(?<!\\)\[a/);
  expect(text).toContain(
    '| predicted \\<img src=x onerror=alert(1)\\> | predicted \\[a\\](http://b) \\| \\`c\\` |',
  );
});

it('has the scores of the newest test', () => {
  const test = (value: number) =>
    ({
      type: 'test',
      step: 9,
      file: 'data/my_test.tsv',
      metrics: { eval_accuracy: value, eval_runtime: 3 },
    }) as const;
  const once = withTestScores(card({}), test(0.25));
  expect(once).toContain(
    '## Test\n\n|  | my\\_test.tsv |\n| --- | --: |\n| Accuracy | 0.25 |\n\n## Settings\n',
  );
  expect(withTestScores(once, test(0.5))).toBe(withTestScores(card({}), test(0.5)));
});

it('says how rare classes do before accuracy, if one class has most rows', () => {
  const confusion = {
    labels: ['ham', 'spam'],
    counts: [
      [97, 0],
      [2, 1],
    ],
  };
  const text = card({}, { confusion });
  expect(text).toContain(
    '## Scores\n\n97 % of the rows are "ham", so look at the others first: "spam" F1 0.500, found 1 of 3; macro F1 0.745.',
  );
  expect(
    card(
      {},
      {
        confusion: {
          ...confusion,
          counts: [
            [9, 0],
            [0, 1],
          ],
        },
      },
    ),
  ).not.toContain('look at the others');
});

it('the card of regression on pairs has no labels and one output', () => {
  const data = { ...RUN.data, text_pair: 4 };
  const text = card({ task: 'regression', method: 'lora', data }, { labels: [], metrics: { pearson: 0.85 } });
  expect(text).toContain('for regression on pairs of texts, trained by LoRA');
  expect(text).toContain('num_labels=1)');
  expect(parse(text.split('---\n')[1]!)).toMatchObject({ metrics: ['pearsonr'], tags: ['peft', 'lora'] });
});

it("the card of bottleneck adapters loads with AdapterHub's library", () => {
  const text = card({ method: 'houlsby', model: 'owner/name' }, { ranks: {} });
  expect(text).toContain('# name, Houlsby adapters');
  expect(text).toContain(`or with AdapterHub's library \`adapters\`:`);
  expect(text).toContain(
    `import adapters
from transformers import AutoModelForSequenceClassification, AutoTokenizer

model = AutoModelForSequenceClassification.from_pretrained("owner/name", num_labels=2).float()
adapters.init(model)
model.load_adapter("adapter", set_active=True, use_safetensors=True)
model.eval()
`,
  );
  expect(parse(text.split('---\n')[1]!)).toMatchObject({
    library_name: 'adapter-transformers',
    tags: ['adapter-transformers', 'houlsby'],
  });
});

it('the card of full fine-tuning loads with transformers', () => {
  const text = card({ method: 'full', model: 'owner/name' }, { ranks: {}, metrics: {} });
  expect(text).not.toMatch(/PeftModel|## Ranks|## Scores|model-index/);
  expect(parse(text.split('---\n')[1]!)).toMatchObject({
    base_model: 'owner/name',
    library_name: 'transformers',
  });
});

it('says where the embedded model is, which is not on the Hub', () => {
  expect(card({ model: undefined })).toContain(
    '`adalora-mini` is the folder `models/mini` of the npm package',
  );
  expect(card({})).not.toContain('adalora-mini');
});

it.each([
  ['/data/dev.tsv.gz', { type: 'csv', name: 'dev.tsv.gz' }],
  ['/data/dev.parquet', { type: 'parquet', name: 'dev.parquet' }],
  ['/data/dev.ndjson', { type: 'json', name: 'dev.ndjson' }],
  ['10%', { type: 'csv', name: 'train.tsv (10% held out)' }],
])('names the data of its scores: %s', (validation, dataset) => {
  const text = card({ data: { ...RUN.data, validation } });
  expect(parse(text.split('---\n')[1]!)['model-index'][0].results[0].dataset).toEqual(dataset);
});

it.each([
  [['a', 'b'], '| F1 (of "b") | 0.5 |'],
  [['a', 'b', 'c'], '| F1 (macro) | 0.5 |'],
])('names the positive class of a score, or its mean over classes: %j', (labels, line) => {
  expect(card({}, { labels, metrics: { eval_f1: 0.5 } })).toContain(line);
});

it('names a split of the Hub with a held-out share', () => {
  const text = card({ data: { ...RUN.data, dataset: 'owner/set', train: 'train', validation: '10%' } });
  const { dataset } = parse(text.split('---\n')[1]!)['model-index'][0].results[0];
  expect(dataset).toEqual({ type: 'owner/set', name: 'owner/set (10% held out)', split: 'train' });
});

it('contains no path of the machine', () => {
  expect(card({})).not.toMatch(/someone|\/data/);
});
