import { add, matmul, reshape, slice } from '../../graph/build.ts';
import { multiplyDimensions } from '../../graph/dimension.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { Injection, LinearModule, Sublayer, SublayerEnd } from '../../nn/network.ts';
import { UserError } from '../../support/user-error.ts';
import { asRows, BATCH, BankReader, byExample, tokensOf } from './bank-reader.ts';
import type { BankShape } from './bank-shape.ts';
import { bankedBottleneck } from './banked-bottleneck.ts';
import type { PackedAdapter, PackedLinear } from './packed-adapter.ts';

/**
 * Applies different adapters to the rows of a batch. Every row reads its adapter from its slot, in one batched matrix
 * product. Lower ranks and fewer labels are padded with zeros, which do not change the result.
 */
export class BankInjection implements Injection {
  readonly reader: BankReader;
  /** Number of output features of each linear module. `linear` sets it; it is called before `increments`. */
  readonly #outFeatures = new Map<string, number>();
  /** Modules and sublayers that the network has. */
  readonly #met = new Set<string>();

  constructor(
    graph: Graph,
    readonly shape: BankShape,
    slots: number,
    /** Returns a linear module of the base model, for adapters that do not replace it. */
    readonly base: (path: string) => PackedLinear,
  ) {
    this.reader = new BankReader(graph, slots);
  }

  /** @throws UserError if a module of the shape does not exist in the network */
  assertAllMet(): void {
    const { ranks, outputs, shifts, bottlenecks } = this.shape;
    for (const path of [...ranks.keys(), ...outputs.keys(), ...shifts, ...bottlenecks.keys()]) {
      if (this.#met.has(path)) continue;
      throw new UserError({ where: path, fault: 'is not a linear module, layer norm or sublayer' });
    }
  }

  parameter(): undefined {
    return undefined;
  }

  increments(paths: readonly string[], x: Value): (Value | undefined)[] {
    // `output` turns outputs that all examples share into outputs per example.
    if (tokensOf(x) === undefined) return paths.map(() => undefined);
    const products = this.#products(paths, x);
    return paths.map((path) => {
      const product = products.get(path);
      return product && asRows(product);
    });
  }

  output(path: string, y: Value, x: Value): Value | undefined {
    this.#met.add(path);
    const isOfAll = tokensOf(x) === undefined;
    const product = isOfAll ? this.#products([path], x).get(path) : undefined;
    const width = y.shape[1] as number;
    const shift = this.shape.shifts.has(path)
      ? this.reader.read(`shift ${path}`, [width], ({ shifts }, slot) => slot.set(shifts.get(path) ?? []))
      : undefined;
    if (product === undefined && shift === undefined) return undefined;
    // The layer after the norm of a shared table expects one table, not one table per text.
    if (isOfAll && !this.#outFeatures.has(path)) throw notByExample(path);
    const tokens = tokensOf(y) ?? y.shape[0];
    let sum = reshape(y, [tokens, isOfAll ? 1 : BATCH, width]);
    if (product) sum = add(sum, reshape(asRows(product), [tokens, BATCH, width]));
    if (shift) sum = add(sum, shift);
    return reshape(sum, [multiplyDimensions(tokens, BATCH), width]);
  }

  linear({ path, inFeatures, outFeatures, transposed }: LinearModule, bias: boolean, x: Value) {
    this.#outFeatures.set(path, outFeatures);
    if (!this.shape.outputs.has(path)) return undefined;
    if (tokensOf(x) === undefined) throw notByExample(path);
    const of = ({ linears }: PackedAdapter) => linears.get(path) ?? this.base(path);
    const weightShape = transposed ? [inFeatures, outFeatures] : [outFeatures, inFeatures];
    const weight = this.reader.read(`W ${path}`, weightShape, (adapter, slot) =>
      slot.set(of(adapter).weight),
    );
    const product = matmul(byExample(x), weight, { transposeB: !transposed });
    if (!bias) return asRows(product);
    const shift = this.reader.read(`b ${path}`, [1, outFeatures], (adapter, slot) =>
      slot.set(of(adapter).bias ?? []),
    );
    return asRows(add(product, shift));
  }

  sublayer({ path, width }: Sublayer, h: Value, { residual, norm }: SublayerEnd): Value | undefined {
    const rooms = this.shape.bottlenecks.get(path);
    if (!rooms) return undefined;
    this.#met.add(path);
    if (tokensOf(h) === undefined) throw notByExample(path);
    return [...rooms.values()].reduce((sum, room) => {
      const whole = add(h, residual);
      const read = room.form.reads === 'output' ? h : (norm?.(whole) ?? whole);
      return add(asRows(bankedBottleneck(this.reader, { path, width }, room, byExample(read))), sum);
    }, h);
  }

  /** Low-rank products of modules that read the same x, [batch, tokens, outFeatures], by path. */
  #products(paths: readonly string[], x: Value): Map<string, Value> {
    const adapted = paths.flatMap((path) => {
      const rank = this.shape.ranks.get(path) ?? 0;
      return rank === 0 ? [] : [{ path, rank }];
    });
    const products = new Map<string, Value>();
    if (adapted.length === 0) return products;
    const inFeatures = x.shape[1] as number;
    const all = adapted.reduce((sum, { rank }) => sum + rank, 0);
    const names = adapted.map(({ path }) => path).join(' ');
    const a = this.reader.read(`A ${names}`, [all, inFeatures], ({ factors }, slot) => {
      let row = 0;
      for (const { path, rank } of adapted) {
        slot.set(factors.get(path)?.a ?? [], row * inFeatures);
        row += rank;
      }
    });
    const inner = matmul(byExample(x), a, { transposeB: true });
    let start = 0;
    for (const { path, rank } of adapted) {
      const outFeatures = this.#outFeatures.get(path) as number;
      const b = this.reader.read(`B ${path}`, [rank, outFeatures], ({ factors }, slot) =>
        slot.set(factors.get(path)?.b ?? []),
      );
      products.set(path, matmul(slice(inner, 2, start, start + rank), b));
      start += rank;
    }
    return products;
  }
}

function notByExample(path: string): UserError {
  return new UserError({
    where: path,
    fault: 'is shared by all texts, so each text cannot have its own adapter there',
    hint: 'Serve adapters of other modules.',
  });
}
