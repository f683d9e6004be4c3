import { add, matmul, multiply, sqrt, sum, weight } from '../../engine/graph/build.ts';
import type { Dimension } from '../../engine/graph/dimension.ts';
import type { Graph, Value } from '../../engine/graph/graph.ts';
import { type FrozenBase, NORMS } from './base/frozen-base.ts';
import { type DropoutPools, DropoutSites, type MaskSource } from './dropout.ts';
import type { AttentionCache } from './key-value-cache.ts';

/** The changes that a tuner makes to a network while it is built. Paths are Hugging Face's, without `.weight`. */
export interface Injection {
  /** Returns the trained value of a parameter that is trained as a whole; undefined if it is frozen. */
  parameter?(name: string): Value | undefined;
  /**
   * Returns what to add to the outputs of linear modules that read the same `x` [rows, in]; undefined for a module
   * without an increment.
   */
  increments?(paths: readonly string[], x: Value): readonly (Value | undefined)[];
  /**
   * Returns the output of a linear module for x [rows, in] if the tuner replaces its weight and bias; otherwise
   * undefined.
   */
  linear?(module: LinearModule, bias: boolean, x: Value): Value | undefined;
  /** Replaces the input x [rows, in] of a linear module. Undefined keeps x. */
  input?(path: string, x: Value): Value | undefined;
  /**
   * Replaces the output y of a linear module or a layer norm with input x. Both are rows; undefined keeps y. If x is
   * the same for all texts, the result may have rows for each text, sequence-major.
   *
   * @param module the linear module without the tuner's additions; undefined for a layer norm
   */
  output?(path: string, y: Value, x: Value, module?: FrozenModule): Value | undefined;
  /** Replaces a sublayer's output h [rows, width]. Undefined keeps h. */
  sublayer?(sublayer: Sublayer, h: Value, end: SublayerEnd): Value | undefined;
  /**
   * Returns scalars [] whose gradients are statistics of a step (see the op `watch`). Call it after the network is
   * built.
   */
  watched?(): readonly Value[];
}

/** A linear module of the base model. Its methods do not depend on how its weight W [out, in] is stored. */
export interface FrozenModule {
  /** x Wᵀ for any x [rows, in], without the bias. */
  product(x: Value): Value;
  /** The Euclidean length of each row of W: [out]. */
  norms(): Value;
  /** [out] */
  bias?: Value;
}

/** A part of a layer with a residual connection around it. A tuner may put an adapter after it. */
export interface Sublayer {
  /** The module that produces the sublayer's output, dropout included. */
  path: string;
  kind: 'attention' | 'crossAttention' | 'feedForward';
  /** Number of features of its output and of the residual. */
  width: number;
}

/** The operations that follow a sublayer's output h. */
export interface SublayerEnd {
  /** Added to h, [rows, width]. */
  residual: Value;
  /**
   * The model's norm after the sublayer. Encoders and BART apply it to the sum, Gemma 2 and OLMo 2 to h before the sum.
   * Undefined if layers have norms only before their sublayers.
   */
  norm?: (x: Value) => Value;
}

/** Name of the input for states of an encoder that are known, [batch, positions, width]. */
export const ENCODER_STATES = 'encoder_states';

export type NormOp = 'layerNorm' | 'rmsNorm';

/** A linear module that a tuner may adapt. */
export interface LinearModule {
  path: string;
  inFeatures: number;
  outFeatures: number;
  /** Whether the weight is stored as [in, out], as in GPT-2's `Conv1D`. */
  transposed?: boolean;
  /** The norm whose output the module directly reads. In training, dropout may be in between. */
  norm?: NormOp;
}

interface LinearOptions {
  /** Whether the module has a bias, or each module of a group. Default: true. */
  bias?: boolean | readonly boolean[];
  transposed?: boolean;
}

/**
 * Builds a model's graph. Model code requests parameters and modules by their Hugging Face paths. The network returns
 * each parameter as a frozen weight or a trained value, and records what was requested.
 */
export class Network {
  /** Shape of every parameter, by name, in the order of use. */
  readonly parameters = new Map<string, readonly number[]>();
  /** The linear modules by path, in the order in which they were built. */
  readonly linears = new Map<string, LinearModule>();
  /** The input x [rows, inFeatures] of each linear module, by path. */
  readonly linearInputs = new Map<string, Value>();
  /** The sublayers by path, in the order in which they were built. */
  readonly sublayers = new Map<string, Sublayer>();
  /** Names of the tables of word embeddings. */
  readonly wordTables = new Set<string>();
  /** Shape of every tensor that no method trains, by name. If the checkpoint lacks it, it is filled with zeros. */
  readonly buffers = new Map<string, readonly number[]>();
  /** Set only in training. Without it, dropout is the identity. */
  readonly dropouts: DropoutSites | undefined;
  /** The hidden states at which layers start: see {@link layerInput}. */
  readonly layerInputs: Value[] = [];
  /** The rounded weights of frozen linear modules. Undefined uses the checkpoint's weights. */
  readonly base: FrozenBase | undefined = undefined;
  /** Whether the graph generates text: see `FrozenBase.product`. */
  readonly generates: boolean = false;
  /** Whether the encoder's states are an input, because they are known. */
  readonly readsStates: boolean = false;
  /** The path of the weight that produces the logits of words. */
  words: string | undefined;
  /** The path of this part. It is a prefix of every path requested from this part; '' for the whole network. */
  readonly path: string = '';
  /** The prefix that is removed from paths: see {@link without}. */
  private readonly removedPrefix: string = '';
  // `private` instead of #: a part inherits these fields from the whole network through its prototype. # does not
  // support that.
  private readonly injection: Injection | undefined;

  constructor(
    readonly graph: Graph,
    options: {
      injection?: Injection;
      training?: boolean;
      masks?: MaskSource;
      pools?: DropoutPools;
    } = {},
  ) {
    this.injection = options.injection;
    this.dropouts = options.training ? new DropoutSites(graph, options.masks, options.pools) : undefined;
  }

  /** Returns the same network with other frozen weights, for a graph that generates text, or one that reads states. */
  with(change: { base: FrozenBase } | { generates: boolean } | { readsStates: boolean }): Network {
    return Object.assign(Object.create(this), change);
  }

  /** Returns the part of the network below a path. It takes paths relative to that path, and shares everything else. */
  at(path: string): Network {
    return Object.create(this, { path: { value: this.pathOf(path) } });
  }

  /** Returns the same network with `prefix` removed from its paths, as in a base model without a head. */
  without(prefix: string): Network {
    return Object.create(this, { removedPrefix: { value: prefix } });
  }

  /** The full path of a parameter or module of this part. */
  pathOf(name: string): string {
    const path = this.path === '' ? name : `${this.path}.${name}`;
    if (this.removedPrefix === '' || !`${path}.`.startsWith(`${this.removedPrefix}.`)) return path;
    return path.slice(this.removedPrefix.length + 1);
  }

  /** Returns a parameter of the checkpoint: trained if the tuner provides a value, otherwise frozen. */
  parameter(name: string, shape: readonly number[]): Value {
    const path = this.pathOf(name);
    this.parameters.set(path, shape);
    return this.injection?.parameter?.(path) ?? weight(this.graph, path, shape);
  }

  /** Returns a tensor of the checkpoint that is always frozen. */
  buffer(name: string, shape: readonly number[]): Value {
    const path = this.pathOf(name);
    this.buffers.set(path, shape);
    return weight(this.graph, path, shape);
  }

  /**
   * Declares that a layer starts with this hidden state, and returns it. Gradient checkpointing stores these states and
   * other values that layers share. It recomputes everything else in a layer for the gradients.
   */
  layerInput(hidden: Value): Value {
    this.layerInputs.push(hidden);
    return hidden;
  }

  /** Returns x Wᵀ + b for x [rows, in] and W [out, in]. */
  linear(path: string, x: Value, outFeatures: number, options: LinearOptions = {}): Value {
    return this.linearGroup([path], x, [outFeatures], options)[0];
  }

  /** Applies several linear modules to one input. A tuner may share work between them. */
  linearGroup<const P extends readonly string[]>(
    paths: P,
    x: Value,
    outFeatures: readonly number[],
    { bias = true, transposed = false }: LinearOptions = {},
  ): { -readonly [K in keyof P]: Value } {
    const inFeatures = x.shape[1]! as number;
    const whole = paths.map((path) => this.pathOf(path));
    const frozen = paths.map((path, i): { y: Value; frozenModule?: FrozenModule } => {
      const out = outFeatures[i]!;
      const isShifted = typeof bias === 'boolean' ? bias : bias[i]!;
      this.linearInputs.set(whole[i]!, x);
      const norm = findNorm(x);
      const module: LinearModule = {
        path: whole[i]!,
        inFeatures,
        outFeatures: out,
        ...(transposed && { transposed }),
        ...(norm && { norm }),
      };
      this.linears.set(whole[i]!, module);
      const replaced = this.injection?.linear?.(module, isShifted, x);
      if (replaced) return { y: replaced };
      const shape = transposed ? [inFeatures, out] : [out, inFeatures];
      const injected = this.injection?.input?.(whole[i]!, x) ?? x;
      const product = this.product(path, injected, shape, transposed);
      const shift = isShifted ? this.parameter(`${path}.bias`, [out]) : undefined;
      const frozenModule: FrozenModule = {
        product: (x) => this.product(path, x, shape, transposed),
        norms: () => this.norms(path, shape, transposed),
        bias: shift,
      };
      return { y: shift ? add(product, shift) : product, frozenModule };
    });
    const increments = this.injection?.increments?.(whole, x) ?? [];
    return frozen.map(({ y, frozenModule }, i) => {
      const increment = increments[i];
      return this.output(whole[i]!, increment ? add(y, increment) : y, x, frozenModule);
    }) as { [K in keyof P]: Value };
  }

  /** Returns the output y of a module with input x, or the tuner's replacement for it. `path` is the full path. */
  output(path: string, y: Value, x: Value, module?: FrozenModule): Value {
    return this.injection?.output?.(path, y, x, module) ?? y;
  }

  /**
   * Returns x Wᵀ with the weight of this path and shape, or x W if it is transposed. Reads the rounded weight if there
   * is one.
   */
  product(path: string, x: Value, shape: readonly number[], transposed = false): Value {
    const whole = this.pathOf(path);
    const { base, generates } = this;
    const isRounded = base?.paths.has(whole) || (generates && base?.words === whole);
    if (base && isRounded && !this.injection?.parameter?.(`${whole}.weight`)) {
      this.parameters.set(`${whole}.weight`, shape);
      return base.product(whole, x, shape[0]!, generates);
    }
    return matmul(x, this.parameter(`${path}.weight`, shape), { transposeB: !transposed });
  }

  /**
   * Returns the length of each row of a path's weight [out, in]. `shape` and `transposed` are as for {@link product}.
   */
  private norms(path: string, shape: readonly number[], transposed: boolean): Value {
    const whole = this.pathOf(path);
    if (this.base?.paths.has(whole)) return weight(this.graph, `${whole}.weight${NORMS}`, [shape[0]!]);
    const matrix = this.parameter(`${path}.weight`, shape);
    return sqrt(sum(multiply(matrix, matrix), [transposed ? 0 : 1]));
  }

  /**
   * Declares that this module produces the output h [rows, width] of a sublayer. Returns the value that the model adds
   * to the residual: h, or the tuner's replacement for it.
   */
  sublayer(kind: Sublayer['kind'], h: Value, end: SublayerEnd): Value {
    const sublayer = { path: this.path, kind, width: h.shape[1] as number };
    this.sublayers.set(sublayer.path, sublayer);
    return this.injection?.sublayer?.(sublayer, h, end) ?? h;
  }

  /**
   * Keys or values of this module's self-attention: those in the cache, then `rows` [tokens · batch, width].
   *
   * @param name `key` or `value`
   */
  remembered(
    cache: AttentionCache | undefined,
    name: string,
    rows: Value,
    tokens: Dimension,
    headSize: number,
  ): Value {
    return cache?.extend(this.pathOf(name), rows, tokens, headSize) ?? rows;
  }

  /** Applies dropout in training; otherwise returns x. */
  dropout(x: Value, probability: number): Value {
    return this.dropouts?.apply(x, probability) ?? x;
  }
}

/** The norm whose output, or some rows of it, a value is. */
function findNorm({ node }: Value): NormOp | undefined {
  if (node.op === 'layerNorm' || node.op === 'rmsNorm') return node.op;
  return node.op === 'slice' ? findNorm(node.inputs[0]) : undefined;
}
