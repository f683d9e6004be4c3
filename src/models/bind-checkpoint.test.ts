import { describe, expect, it } from 'vitest';
import { bindCheckpoint, initialize, type TensorSource } from './bind-checkpoint.ts';

const PARAMETERS = new Map<string, number[]>([
  ['bert.embeddings.word_embeddings.weight', [5, 2]],
  ['bert.embeddings.LayerNorm.weight', [2]],
  ['bert.embeddings.LayerNorm.bias', [2]],
  ['classifier.weight', [3, 2]],
]);
const [WORDS, GAIN, SHIFT, CLASSIFIER] = PARAMETERS.keys();
const DECODER = 'cls.predictions.decoder.weight';

type Shapes = Iterable<readonly [string, readonly number[]]>;

function checkpoint(shapes: Shapes, dtypes: Record<string, string> = {}): TensorSource {
  const stored = new Map(shapes);
  return {
    names: () => [...stored.keys()],
    info: (name) => ({
      dtype: dtypes[name] ?? 'F32',
      shape: stored.get(name) ?? [],
      file: 'model.safetensors',
      begin: 0,
      end: 0,
    }),
  };
}

/** PARAMETERS under changed names. */
function renamed(change: (name: string) => string): [string, number[]][] {
  return [...PARAMETERS].map(([name, shape]) => [change(name), shape]);
}

function bind(source: TensorSource, parameters = PARAMETERS) {
  return bindCheckpoint(parameters, source, {
    where: 'folder',
    baseModelPrefixes: ['bert'],
    tiedNames: { [WORDS!]: [DECODER] },
    mayInitialize: (name) => name.startsWith('classifier.'),
  });
}

describe('a parameter is found', () => {
  it.each<[string, (name: string) => string]>([
    ['under its own name', (name) => name],
    ['in a checkpoint of the base model', (name) => name.replace('bert.', '')],
    ['below a second prefix of the base model', (name) => `bert.${name}`],
    ['where only the base model has a second prefix', (name) => name.replace('bert.', 'bert.bert.')],
    ['below what a wrapper around the model adds', (name) => `module.model.${name}`],
    ['where a wrapper holds the base model', (name) => `model.${name.replace('bert.', '')}`],
    [
      'under the names of TensorFlow',
      (name) => name.replace('Norm.weight', 'Norm.gamma').replace('Norm.bias', 'Norm.beta'),
    ],
    [
      'under the names of TensorFlow in the base model',
      (name) =>
        name.replace('bert.', '').replace('Norm.weight', 'Norm.gamma').replace('Norm.bias', 'Norm.beta'),
    ],
    ['under the name of one tied to it', (name) => (name === WORDS ? DECODER : name)],
  ])('%s', (_, change) => {
    const expected = new Map([...PARAMETERS.keys()].map((name) => [name, change(name)]));
    expect(bind(checkpoint(renamed(change)))).toEqual(expected);
  });

  it('under its own name first', () => {
    const all = [...renamed((name) => name), ...renamed((name) => name.replace('bert.', ''))];
    expect(bind(checkpoint([...all, [DECODER, [5, 2]]])).get(WORDS!)).toBe(WORDS);
  });
});

it('omits parameters that a head lacks, and those that do not fit it', () => {
  const others = [WORDS, GAIN, SHIFT];
  const base = [...PARAMETERS].filter(([name]) => name !== CLASSIFIER);
  expect([...bind(checkpoint(base)).keys()]).toEqual(others);
  expect([...bind(checkpoint([...base, [CLASSIFIER!, [2, 2]]])).keys()]).toEqual(others);
});

describe('an error says', () => {
  it('missing tensors, other shapes and unsupported types, also of a head', () => {
    const shapes: Shapes = [
      [GAIN!, [3]],
      [SHIFT!, [2]],
      [CLASSIFIER!, [3, 2]],
    ];
    expect(() => bind(checkpoint(shapes, { [SHIFT!]: 'I64', [CLASSIFIER!]: 'F64' }))).toThrow(
      [
        'folder does not fit its config.json:',
        `  ${WORDS} is missing; it should be F32, F16 or BF16 [5,2]`,
        `  ${GAIN} is F32 [3] instead of F32, F16 or BF16 [2]`,
        `  ${SHIFT} is I64 [2] instead of F32, F16 or BF16 [2]`,
        `  ${CLASSIFIER} is F64 [3,2] instead of F32, F16 or BF16 [3,2]`,
      ].join('\n'),
    );
  });

  it('that a parameter is missing if the one tied to it is a separate parameter', () => {
    const untied = new Map([...PARAMETERS, [DECODER, [5, 2]] as const]);
    const shapes = renamed((name) => (name === WORDS ? DECODER : name));
    expect(() => bind(checkpoint(shapes), untied as typeof PARAMETERS)).toThrow(`${WORDS} is missing`);
  });

  it('the number of further problems', () => {
    const many = new Map(Array.from({ length: 13 }, (_, i) => [`layer.${i}`, [1]]));
    expect(() => bind(checkpoint([]), many)).toThrow(/layer\.9 is missing.*\n {2}and 3 more$/);
  });
});

it('new norms are 1, new biases 0', () => {
  expect(initialize('cls.predictions.transform.LayerNorm.weight', [3], 0, 0.02)).toEqual(
    Float32Array.of(1, 1, 1),
  );
  expect(initialize('cls.predictions.bias', [2], 0, 0.02)).toEqual(Float32Array.of(0, 0));
});

it('new weights are normal with the given deviation, one by one and by seed', () => {
  const weights = initialize('classifier.weight', [100, 200], 7, 0.02);
  const mean = weights.reduce((sum, x) => sum + x, 0) / weights.length;
  const variance = weights.reduce((sum, x) => sum + (x - mean) ** 2, 0) / weights.length;
  // The limit is five standard errors, with 20,000 draws.
  expect(Math.abs(mean)).toBeLessThan(5 * 0.02 * weights.length ** -0.5);
  expect(Math.abs(Math.sqrt(variance) / 0.02 - 1)).toBeLessThan(5 * (2 * weights.length) ** -0.5);
  expect(initialize('classifier.weight', [100, 200], 7, 0.02)).toEqual(weights);
  expect(initialize('classifier.weight', [100, 200], 8, 0.02)).not.toEqual(weights);
  expect(initialize('pre_classifier.weight', [100, 200], 7, 0.02)).not.toEqual(weights);
});
