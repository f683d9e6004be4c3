import { openCheckpoint } from '../../../src/formats/node/checkpoint.ts';
import { Random } from '../../../src/support/random.ts';
import type { ParameterLayout } from '../../../src/tuners/parameter-layout.ts';
import { FILES } from '../files.ts';
import { CONFIG } from '../shape.ts';
import type { Readings } from '../teacher/statistics.ts';
import { piecesOf, readVocabulary } from '../vocabulary/read-vocabulary.ts';
import { dot, principalSubspace } from './principal-subspace.ts';
import type { TargetScales } from './target-scale.ts';

/** Layers of the teacher that the student begins with. */
const LAYERS = [0, 1, 3, 5];
const HEAD = CONFIG.hidden_size / CONFIG.num_attention_heads;

/**
 * Starts the student as a cut of the teacher: hidden states in the subspace in which the teacher's vary most, four of its
 * layers, and in each the heads and inner units that do most. What is cut off is replaced by its mean, and each layer
 * norm by the one that comes nearest in the subspace. Poor as it is, it is a much better start than noise.
 */
export function cutTeacher(
  values: Float32Array,
  layout: ParameterLayout,
  readings: Readings,
  scales: TargetScales,
): void {
  const checkpoint = openCheckpoint(FILES.teacher);
  const width = scales.words.mean.length;
  const read = (name: string) => checkpoint.readFloat32(name);
  const matrix = (name: string, columns: number) => rowsOf(read(name), columns);
  const put = (name: string, rows: readonly ArrayLike<number>[] | ArrayLike<number>) => {
    const target = layout.read(values, name);
    if (isMatrix(rows)) {
      rows.forEach((row, i) => {
        target.set(row, i * row.length);
      });
    } else target.set(rows);
  };
  const states = (site: string) => rowsOf(readings.get(site) as Float32Array, width);
  const at = (layer: number) => `encoder.layer.${layer}`;
  const sites = LAYERS.flatMap((layer) => [
    `bert.${at(layer)}.attention.self.query`,
    `bert.${at(layer)}.intermediate.dense`,
  ]);
  const all = [...sites, 'final'].flatMap(states);
  const basis = principalSubspace(all, CONFIG.hidden_size, new Random(0, 'subspace'));
  const down = (vector: ArrayLike<number>) => Float32Array.from(basis, (direction) => dot(vector, direction));
  /** The part of a site's mean that the subspace does not have. */
  const rest = (site: string) => {
    const mean = meanOf(states(site));
    const inside = down(mean);
    return mean.map((x, i) => x - basis.reduce((sum, direction, k) => sum + inside[k] * direction[i], 0));
  };
  /** W x + b of a site's x, seen from the subspace. */
  const reads = (rows: readonly Float32Array[], bias: ArrayLike<number>, site: string) => {
    const outside = rest(site);
    return { weight: rows.map(down), bias: rows.map((row, i) => bias[i] + dot(row, outside)) };
  };
  /** W x + b into the subspace, of those elements of x that are kept. */
  const writes = (
    rows: readonly Float32Array[],
    bias: ArrayLike<number>,
    kept: readonly number[],
    mean: Float32Array,
  ) => {
    const isKept = new Set(kept);
    const whole = rows.map(
      (row, i) => bias[i] + row.reduce((sum, w, j) => (isKept.has(j) ? sum : sum + w * mean[j]), 0),
    );
    const columns = kept.map((j) => down(rows.map((row) => row[j])));
    return {
      weight: basis.map((_, i) => Float32Array.from(columns, (column) => column[i])),
      bias: down(whole),
    };
  };
  const norm = (name: string, source: string, site: string) => {
    const [gain, shift] = [read(`${source}.weight`), read(`${source}.bias`)];
    const fit = normFit(states(site), gain, shift, down);
    put(`${name}.weight`, fit.gain);
    put(`${name}.bias`, fit.shift);
  };

  adoptTables(put, read, width, down);
  norm('bert.embeddings.LayerNorm', 'embeddings.LayerNorm', `bert.${at(0)}.attention.self.query`);
  LAYERS.forEach((layer, i) => {
    const [source, own] = [at(layer), `bert.${at(i)}`];
    const [hidden, attended] = [`bert.${source}.attention.self.query`, `bert.${source}.intermediate.dense`];
    const mixedSite = rowsOf(readings.get(`bert.${source}.attention.output.dense`) as Float32Array, width);
    const output = matrix(`${source}.attention.output.dense.weight`, width);
    const strengths = columnStrengths(output, mixedSite);
    const heads = strongest(
      Array.from({ length: width / HEAD }, (_, head) =>
        strengths.slice(head * HEAD, (head + 1) * HEAD).reduce((sum, x) => sum + x, 0),
      ),
      CONFIG.num_attention_heads,
    );
    const units = heads.flatMap((head) => Array.from({ length: HEAD }, (_, k) => head * HEAD + k));
    for (const name of ['query', 'key', 'value']) {
      const rows = matrix(`${source}.attention.self.${name}.weight`, width);
      const bias = read(`${source}.attention.self.${name}.bias`);
      const cut = reads(
        units.map((unit) => rows[unit]),
        units.map((unit) => bias[unit]),
        hidden,
      );
      put(`${own}.attention.self.${name}.weight`, cut.weight);
      put(`${own}.attention.self.${name}.bias`, cut.bias);
    }
    const back = writes(output, read(`${source}.attention.output.dense.bias`), units, meanOf(mixedSite));
    put(`${own}.attention.output.dense.weight`, back.weight);
    put(`${own}.attention.output.dense.bias`, back.bias);
    norm(`${own}.attention.output.LayerNorm`, `${source}.attention.output.LayerNorm`, attended);

    const up = matrix(`${source}.intermediate.dense.weight`, width);
    const upBias = read(`${source}.intermediate.dense.bias`);
    const outer = matrix(`${source}.output.dense.weight`, up.length);
    const activated = rowsOf(readings.get(`bert.${source}.output.dense`) as Float32Array, up.length);
    const inner = strongest(Array.from(columnStrengths(outer, activated)), CONFIG.intermediate_size);
    const wide = reads(
      inner.map((unit) => up[unit]),
      inner.map((unit) => upBias[unit]),
      attended,
    );
    put(`${own}.intermediate.dense.weight`, wide.weight);
    put(`${own}.intermediate.dense.bias`, wide.bias);
    const narrow = writes(outer, read(`${source}.output.dense.bias`), inner, meanOf(activated));
    put(`${own}.output.dense.weight`, narrow.weight);
    put(`${own}.output.dense.bias`, narrow.bias);
    const next = `bert.${at(layer + 1)}.attention.self.query`;
    norm(`${own}.output.LayerNorm`, `${source}.output.LayerNorm`, readings.has(next) ? next : 'final');
  });

  const outside = rest('final');
  const { mean, factor } = scales.words;
  put(
    'distillation.words.weight',
    Array.from({ length: width }, (_, i) =>
      Float32Array.from(basis, (direction) => factor[i] * direction[i]),
    ),
  );
  put(
    'distillation.words.bias',
    Float32Array.from(factor, (f, i) => f * (outside[i] - mean[i])),
  );
  checkpoint.close();
}

type Put = (name: string, rows: readonly ArrayLike<number>[] | ArrayLike<number>) => void;

function adoptTables(
  put: Put,
  read: (name: string) => Float32Array,
  width: number,
  down: (x: Float32Array) => Float32Array,
) {
  const vocabulary = readVocabulary(FILES.teacher);
  const known = rowsOf(read('embeddings.word_embeddings.weight'), width);
  const pieces = [...readVocabulary(FILES.prepared).keys()].map((piece) => {
    const ids = piecesOf(piece, vocabulary);
    return ids.length > 0 ? meanOf(ids.map((id) => known[id])) : new Float32Array(width);
  });
  put('bert.embeddings.word_embeddings.weight', pieces.map(down));
  for (const name of ['position', 'token_type'])
    put(
      `bert.embeddings.${name}_embeddings.weight`,
      rowsOf(read(`embeddings.${name}_embeddings.weight`), width).map(down),
    );
}

/** The gain and shift with which a norm in the subspace comes nearest to the teacher's, element by element. */
function normFit(
  outputs: readonly Float32Array[],
  gain: Float32Array,
  shift: Float32Array,
  down: (x: Float32Array) => Float32Array,
) {
  const wanted = outputs.map(down);
  const given = outputs.map((output) => standardised(down(output.map((y, i) => (y - shift[i]) / gain[i]))));
  const means = { given: meanOf(given), wanted: meanOf(wanted) };
  const slope = new Float32Array(means.given.length);
  const square = new Float32Array(slope.length);
  given.forEach((row, i) => {
    for (let k = 0; k < slope.length; k++) {
      slope[k] += (row[k] - means.given[k]) * (wanted[i][k] - means.wanted[k]);
      square[k] += (row[k] - means.given[k]) ** 2;
    }
  });
  const fitted = slope.map((x, k) => x / square[k]);
  return { gain: fitted, shift: fitted.map((g, k) => means.wanted[k] - g * means.given[k]) };
}

function standardised(vector: Float32Array): Float32Array {
  const mean = vector.reduce((sum, x) => sum + x, 0) / vector.length;
  const variance = vector.reduce((sum, x) => sum + (x - mean) ** 2, 0) / vector.length;
  return vector.map((x) => (x - mean) / Math.sqrt(variance));
}

/** By column of a matrix, how much varies what it adds to the product with inputs like those given. */
function columnStrengths(rows: readonly Float32Array[], inputs: readonly Float32Array[]): Float32Array {
  const mean = meanOf(inputs);
  return mean.map((m, j) => {
    const variance = inputs.reduce((sum, row) => sum + (row[j] - m) ** 2, 0) / inputs.length;
    return variance * rows.reduce((sum, row) => sum + row[j] ** 2, 0);
  });
}

/** The places of the `count` largest values, ascending. */
function strongest(strengths: readonly number[], count: number): number[] {
  return [...strengths.keys()]
    .sort((a, b) => strengths[b] - strengths[a])
    .slice(0, count)
    .sort((a, b) => a - b);
}

function rowsOf(data: Float32Array, width: number): Float32Array[] {
  return Array.from({ length: data.length / width }, (_, row) =>
    data.subarray(row * width, (row + 1) * width),
  );
}

function meanOf(rows: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(rows[0].length);
  for (const row of rows) for (let i = 0; i < mean.length; i++) mean[i] += row[i] / rows.length;
  return mean;
}

function isMatrix(
  rows: readonly ArrayLike<number>[] | ArrayLike<number>,
): rows is readonly ArrayLike<number>[] {
  return typeof rows[0] !== 'number';
}
