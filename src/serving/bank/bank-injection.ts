import { add, gather, input, matmul, reshape, slice, transpose } from '../../graph/build.ts';
import { type Dimension, divideDimension, multiplyDimensions, symbol } from '../../graph/dimension.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { Injection, LinearModule } from '../../nn/network.ts';
import { UserError } from '../../support/user-error.ts';
import type { BankShape } from './bank-shape.ts';
import type { PackedAdapter, PackedLinear } from './packed-adapter.ts';

/** The input that says which slot the adapter of each example lies in, int32 [batch]. */
export const SLOTS = 'slots';
const BATCH = 'batch';

/** An input of the graph with a part of every slot: [slots, ...shape]. */
export interface BankPart {
  name: string;
  shape: readonly number[];
  /** Writes an adapter's numbers into the slot's memory, which is zero. */
  write(adapter: PackedAdapter, slot: Float32Array): void;
}

/**
 * Adapters of different rows in one batch. Every row reads the factors of its own adapter from the slot that it names, as
 * one product of a batch of matrices; lower ranks and fewer labels are filled up with zeros, which change nothing.
 */
export class BankInjection implements Injection {
  /** In the order in which the graph was built. */
  readonly parts: BankPart[] = [];
  readonly #slots: Value;
  /** Parts by name: a module that is used twice has them once. */
  readonly #rows = new Map<string, Value>();
  /** Of every linear module: `linear` is asked before `increments`. */
  readonly #outFeatures = new Map<string, number>();

  constructor(
    readonly graph: Graph,
    readonly shape: BankShape,
    readonly slots: number,
    /** A linear module of the base model, for adapters that do not replace it. */
    readonly base: (path: string) => PackedLinear,
  ) {
    this.#slots = input(graph, SLOTS, 'int32', [symbol(BATCH)]);
  }

  parameter(): undefined {
    return undefined;
  }

  increments(paths: readonly string[], x: Value): (Value | undefined)[] {
    const adapted = paths.flatMap((path) => {
      const rank = this.shape.ranks.get(path) ?? 0;
      return rank === 0 ? [] : [{ path, rank }];
    });
    if (adapted.length === 0) return paths.map(() => undefined);
    const inFeatures = x.shape[1] as number;
    const all = adapted.reduce((sum, { rank }) => sum + rank, 0);
    const a = this.#read(`A ${adapted[0].path}`, [all, inFeatures], ({ factors }, slot) => {
      let row = 0;
      for (const { path, rank } of adapted) {
        slot.set(factors.get(path)?.a ?? [], row * inFeatures);
        row += rank;
      }
    });
    const inner = matmul(this.#byExample(x, adapted[0].path), a, { transposeB: true });
    let start = 0;
    const increments = new Map<string, Value>();
    for (const { path, rank } of adapted) {
      const outFeatures = this.#outFeatures.get(path) as number;
      const b = this.#read(`B ${path}`, [rank, outFeatures], ({ factors }, slot) =>
        slot.set(factors.get(path)?.b ?? []),
      );
      increments.set(path, asRows(matmul(slice(inner, 2, start, start + rank), b)));
      start += rank;
    }
    return paths.map((path) => increments.get(path));
  }

  linear({ path, inFeatures, outFeatures, transposed }: LinearModule, bias: boolean, x: Value) {
    this.#outFeatures.set(path, outFeatures);
    if (!this.shape.outputs.has(path)) return undefined;
    const of = ({ linears }: PackedAdapter) => linears.get(path) ?? this.base(path);
    const weightShape = transposed ? [inFeatures, outFeatures] : [outFeatures, inFeatures];
    const weight = this.#read(`W ${path}`, weightShape, (adapter, slot) => slot.set(of(adapter).weight));
    const product = matmul(this.#byExample(x, path), weight, { transposeB: !transposed });
    if (!bias) return asRows(product);
    const shift = this.#read(`b ${path}`, [1, outFeatures], (adapter, slot) =>
      slot.set(of(adapter).bias ?? []),
    );
    return asRows(add(product, shift));
  }

  /** A part of each example's slot, [batch, ...shape]. */
  #read(name: string, shape: readonly number[], write: BankPart['write']): Value {
    let rows = this.#rows.get(name);
    if (!rows) {
      this.parts.push({ name, shape, write });
      rows = gather(input(this.graph, name, 'float32', [this.slots, ...shape]), this.#slots);
      this.#rows.set(name, rows);
    }
    return rows;
  }

  /** Sequence-major rows [tokens · batch, width] as [batch, tokens, width]. */
  #byExample(x: Value, path: string): Value {
    const tokens = divideDimension(x.shape[0], BATCH);
    if (tokens === undefined) throw notByExample(path);
    const shape: Dimension[] = [tokens, symbol(BATCH), x.shape[1]];
    return tokens === 1
      ? reshape(x, [symbol(BATCH), 1, x.shape[1]])
      : transpose(reshape(x, shape), [1, 0, 2]);
  }
}

/** [batch, tokens, width] as sequence-major rows. */
function asRows(y: Value): Value {
  const [batch, tokens, width] = y.shape;
  return reshape(transpose(y, [1, 0, 2]), [multiplyDimensions(tokens, batch), width]);
}

function notByExample(path: string): UserError {
  return new UserError({
    where: path,
    expected: 'a module that reads the tokens of each text',
    got: 'one that reads the same for all texts, where adapters cannot differ from row to row',
    hint: 'Serve adapters that do not stand there.',
  });
}
