import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from './safetensors-file.ts';

type Vector = number[];

/**
 * GPT-2 as in its paper and transformers, in plain loops over 64-bit numbers. It shares only the file format with the
 * library.
 *
 * @param folder of a checkpoint with tied embeddings and `gelu_new`
 * @returns logits of the next token at each position, [length][vocabulary]
 */
export function plainGpt2(folder: string): (ids: readonly number[]) => Vector[] {
  const {
    n_layer,
    n_head,
    layer_norm_epsilon = 1e-5,
  } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  const tensors = readSafetensors(join(folder, 'model.safetensors'));
  const weight = (name: string): Vector => Array.from(tensors.get(`transformer.${name}`)!.data, Number);
  const rowsOf = (name: string) => {
    const [, columns] = tensors.get(`transformer.${name}`)!.shape as [number, number];
    const all = weight(name);
    return Array.from({ length: all.length / columns }, (_, row) =>
      all.slice(row * columns, (row + 1) * columns),
    );
  };
  const norm = (name: string) => {
    const [scale, shift] = [weight(`${name}.weight`), weight(`${name}.bias`)];
    return (x: Vector) => {
      const mean = sum(x) / x.length;
      const deviation = Math.sqrt(sum(x.map((v) => (v - mean) ** 2)) / x.length + layer_norm_epsilon);
      return x.map((v, i) => ((v - mean) / deviation) * scale[i]! + shift[i]!);
    };
  };
  /** Weights are stored as [in, out]. */
  const linear = (name: string) => {
    const [rows, bias] = [rowsOf(`${name}.weight`), weight(`${name}.bias`)];
    return (x: Vector) => bias.map((b, out) => x.reduce((total, v, i) => total + v * rows[i]![out]!, b));
  };

  const attention = (layer: string) => {
    const [project, merge] = [linear(`${layer}.attn.c_attn`), linear(`${layer}.attn.c_proj`)];
    return (states: Vector[]) => {
      const width = states[0]!.length;
      const size = width / n_head;
      const projected = states.map(project);
      const part = (at: number, kind: number, head: number) =>
        projected[at]!.slice(kind * width + head * size, kind * width + (head + 1) * size);
      return states.map((_, at) => {
        const heads = Array.from({ length: n_head }, (_, head) => {
          const before = Array.from({ length: at + 1 }, (_, i) => i);
          const scores = before.map((i) => dot(part(at, 0, head), part(i, 1, head)) / Math.sqrt(size));
          const all = logSumExp(scores);
          const shares = scores.map((score) => Math.exp(score - all));
          return Array.from({ length: size }, (_, k) =>
            sum(before.map((i) => shares[i]! * part(i, 2, head)[k]!)),
          );
        });
        return merge(heads.flat());
      });
    };
  };

  const layers = Array.from({ length: n_layer }, (_, i) => ({
    attend: attention(`h.${i}`),
    before: norm(`h.${i}.ln_1`),
    between: norm(`h.${i}.ln_2`),
    widen: linear(`h.${i}.mlp.c_fc`),
    narrow: linear(`h.${i}.mlp.c_proj`),
  }));
  const [words, places, last] = [rowsOf('wte.weight'), rowsOf('wpe.weight'), norm('ln_f')];
  return (ids) => {
    let states = ids.map((id, at) => plus(words[id]!, places[at]!));
    for (const { attend, before, between, widen, narrow } of layers) {
      const attended = attend(states.map(before));
      states = states.map((state, at) => plus(state, attended[at]!));
      states = states.map((state) => plus(state, narrow(widen(between(state)).map(geluNew))));
    }
    return states.map(last).map((state) => words.map((word) => dot(word, state)));
  };
}

export function logSumExp(x: Vector): number {
  const largest = Math.max(...x);
  return largest + Math.log(sum(x.map((v) => Math.exp(v - largest))));
}

const sum = (x: Vector) => x.reduce((total, v) => total + v, 0);
const dot = (x: Vector, y: Vector) => x.reduce((total, v, i) => total + v * y[i]!, 0);
const plus = (x: Vector, y: Vector) => x.map((v, i) => v + y[i]!);
const geluNew = (x: number) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
