import { defineMethod, UserError } from 'adalora';
import {
  absolute,
  constant,
  frozen,
  matmul,
  multiply,
  reshape,
  stopGradient,
  sum,
  watch,
  where,
} from 'adalora/nn';
import {
  AdaLoraTuner,
  adaLoraAlpha,
  adaLoraScale,
  adapterConfigShape,
  assumedPhases,
  changedTriplets,
  factorName,
  finalStep,
  resolveSchedule,
  scheduleShape,
  scoreLogarithms,
  seeded,
  storeTriplets,
  tripletMethod,
  tripletShape,
  withTargets,
  z,
} from 'adalora/tuners';

const rank = z.int().min(1).max(65_536);
const { tinit, tfinal, deltaT, beta1, beta2 } = scheduleShape;

/** IncreLoRA's settings, as in its released code. Settings that AdaLoRA also has, have AdaLoRA's names. */
export const increLoraConfigSchema = z
  .strictObject({
    ...adapterConfigShape,
    /** Rank of every module at the start. */
    init_r: rank.default(1),
    /** Mean rank at the end. */
    target_r: rank.default(8),
    /** Number of modules that grow at once. */
    top_h: z.int().min(1).default(10),
    /** Number of triplets that such a module gains. Default: half of `target_r`. */
    incre_rank_num: z.int().min(1).optional(),
    /**
     * The last round of growth: it stops at the target (`exact`), or each growing module gains all of its triplets
     * (`whole`, as in the released code).
     */
    last_round: z.enum(['exact', 'whole']).default('exact'),
    /**
     * The score of a step with several micro-batches: their `mean`, or that of the `last` one (as in the released
     * code). A loss that compares all texts of a step has one score.
     */
    score_batches: z.enum(['mean', 'last']).default('mean'),
    /** Train the next triplets of each module before they are added, with λ fixed at 1e-5. */
    advance_learn: z.boolean().default(true),
    /** Steps before ranks grow: a number or a share. Default: 10 % of the run. */
    tinit,
    /** Final steps with fixed ranks: a number or a share. Default: 40 % of the run. */
    tfinal,
    /** Steps between two rounds of growth: a number or a share. Default: the rounds fill the steps between `tinit` and `tfinal`. */
    deltaT: deltaT.unwrap().optional(),
    /** Smoothing of the sensitivity (moving average). */
    beta1,
    /** Smoothing of the uncertainty (moving average). */
    beta2,
    ...tripletShape,
  })
  .refine(({ init_r, target_r }) => init_r < target_r, {
    path: ['target_r'],
    error: 'must be above init_r',
  });

/**
 * Plans the growth of `count` modules in a run.
 *
 * @throws UserError if the run is too short for its rounds
 */
export function planGrowth(config, count, totalSteps) {
  const { init_r, target_r, deltaT: everySteps, top_h } = config;
  const gained = config.incre_rank_num ?? Math.max(1, Math.round(target_r / 2));
  const modules = Math.min(top_h, count);
  const rounds = Math.ceil(((target_r - init_r) * count) / (modules * gained));
  const phases = resolveSchedule({ ...config, deltaT: everySteps ?? 1 }, totalSteps, 'increlora');
  const last = Math.min(finalStep(phases), totalSteps - 1);
  const even = Math.max(1, Math.floor((last - phases.tinit) / rounds));
  const schedule = { ...phases, deltaT: everySteps === undefined ? even : phases.deltaT };
  const { tinit, deltaT } = schedule;
  const possible = Math.floor(last / deltaT) - Math.floor(tinit / deltaT);
  const exceeds = config.last_round === 'whole';
  if (possible >= rounds) return { schedule, target: target_r * count, modules, gained, exceeds };
  throw new UserError({
    where: 'increlora.deltaT',
    fault: `leaves ${possible} rounds of growth between tinit and tfinal, but ${count} modules need ${rounds} from rank ${init_r} to ${target_r}`,
    hint: 'Raise top_h or incre_rank_num, lower deltaT, or train for more steps.',
  });
}

/** Whether ranks grow at a step. Steps count from 1; in the released code, they count from 0. */
export function growsAt(step, { tinit, deltaT }) {
  return step - 1 > tinit && (step - 1) % deltaT === 0;
}

/**
 * The scores of modules: Ī · Ū, AdaLoRA's averages for the importance I = Σ |ΔW ∘ G| / √(in · out) (equation 9 of arXiv
 * 2308.12043, as in its released code).
 */
class ModuleScores {
  #roots;
  #betas;
  #sensitivity;
  #uncertainty;

  constructor(modules, betas) {
    this.#roots = modules.map(({ inFeatures, outFeatures }) => Math.sqrt(inFeatures * outFeatures));
    this.#betas = betas;
    this.#sensitivity = new Float32Array(modules.length);
    this.#uncertainty = new Float32Array(modules.length);
  }

  /**
   * Updates the averages.
   *
   * @param watched Σ |ΔW ∘ G| of each module; undefined before the first step, when ΔW is zero
   */
  observe(watched) {
    const { beta1, beta2 } = this.#betas;
    const [sensitivity, uncertainty] = [this.#sensitivity, this.#uncertainty];
    this.#roots.forEach((root, k) => {
      const importance = (watched?.[k] ?? 0) / root;
      sensitivity[k] = beta1 * sensitivity[k] + (1 - beta1) * importance;
      uncertainty[k] = beta2 * uncertainty[k] + (1 - beta2) * Math.abs(importance - sensitivity[k]);
    });
  }

  scores() {
    return Float64Array.from(this.#sensitivity, (value, k) => value * this.#uncertainty[k]);
  }

  state() {
    return { sensitivity: this.#sensitivity, uncertainty: this.#uncertainty };
  }

  restore({ sensitivity, uncertainty }) {
    this.#sensitivity = sensitivity;
    this.#uncertainty = uncertainty;
  }
}

/**
 * A tuner whose ranks may still grow. It measures a statistic of each increment ΔW: the sum of |ΔW ∘ G|. G is the
 * gradient of the weight, the product of the module's output gradient and its input. It is computed for one module at a
 * time, and never leaves the graph. The last `reserve` triplets of each module have a constant λ.
 */
class GrowingTuner extends AdaLoraTuner {
  constructor(settings, modules, saved, reserve, watchesLast) {
    super(settings, modules, saved);
    this.reserve = reserve;
    this.watchesLast = watchesLast;
    this.watches = modules.length;
  }

  withModules(modules) {
    return new GrowingTuner(this.settings, modules, this.saved, this.reserve, this.watchesLast);
  }

  inject(flat, dropout, layout = this.layout) {
    const modules = new Map(this.modules.map((module) => [module.path, module]));
    const seen = new Map();
    const increment = ({ path, rank, scale }, x) => {
      const [a, e, b] = ['A', 'E', 'B'].map((factor) => layout.value(flat, factorName(path, factor)));
      const isReserved = Array.from({ length: rank }, (_, i) => Number(i >= rank - this.reserve));
      const lambda = where(constant(x.node.graph, isReserved, [rank], 'bool'), stopGradient(e), e);
      const scaled = multiply(a, reshape(lambda, [rank, 1]));
      const total = frozen(x.node.graph, `${path}.seen`, [], () => new Float32Array(1));
      seen.set(path, total);
      return watch(
        matmul(matmul(x, scaled, { transposeB: true }), b, { transposeB: true, scale }),
        total,
        [x, matmul(b, scaled, { scale })],
        (gradient, [input, increase]) =>
          sum(absolute(multiply(increase, matmul(gradient, input, { transposeA: true }))), [0, 1]),
      );
    };
    return {
      parameter: layout.own(flat),
      increments: (paths, x) => {
        const read = dropout(x, this.dropout);
        return paths.map((path) => (modules.has(path) ? increment(modules.get(path), read) : undefined));
      },
      watched: () => this.modules.map(({ path }) => seen.get(path)),
    };
  }
}

/** λ of triplets that are trained in advance. */
const RESERVE_LAMBDA = 1e-5;
/** Standard deviation of new factors. */
const INITIAL_STD = 0.02;

/**
 * A run in which the modules with the highest scores gain triplets (Zhang et al., 2023, arXiv 2308.12043). Until the
 * ranks are final, every module has a reserve of triplets with a small constant λ. When a module grows, the λ of its
 * reserve becomes trainable, and it gets a new reserve.
 */
export class IncreLoraRun {
  tuner;
  #method;
  #scores;
  /** Ranks without the reserve. */
  #ranks;
  #begun = false;

  constructor(method) {
    this.#method = method;
    this.tuner = method.tuner;
    this.#ranks = method.tuner.modules.map(({ rank }) => rank);
    this.#scores = new ModuleScores(method.tuner.modules, method.config);
  }

  get assumed() {
    const { config, growth } = this.#method;
    return assumedPhases(config, growth.schedule);
  }

  get settled() {
    return this.#total >= this.#method.growth.target;
  }

  beforeStep(_step, _values, _gradient, watched) {
    if (!this.settled) this.#scores.observe(watched);
  }

  afterStep(step, values) {
    if (this.settled) return {};
    this.#holdReserve(values);
    if (growsAt(step, this.#method.growth.schedule)) return this.#grow(step);
    if (this.#begun) return {};
    const noGains = this.#ranks.map(() => 0);
    return { relayout: this.#change(noGains) };
  }

  ranks() {
    return Object.fromEntries(this.tuner.modules.map(({ path }, k) => [path, this.#ranks[k]]));
  }

  assertComplete() {
    if (this.settled) return;
    throw new UserError({
      where: 'increlora',
      fault: `ended with ${this.#total} of ${this.#method.growth.target} triplets`,
      hint: 'Steps at which ranks grow were skipped, because their gradient was not finite. Lower training.learning_rate.',
    });
  }

  state() {
    return {
      ...this.#scores.state(),
      ranks: Int32Array.from(this.#ranks),
      begun: Uint8Array.of(Number(this.#begun)),
    };
  }

  restore({ ranks, begun, ...scores }) {
    this.#ranks = [...ranks];
    this.#begun = begun[0] === 1;
    this.#scores.restore(scores);
    if (this.#begun) this.tuner = this.#grown();
  }

  /** Stores the triplets without the reserve. */
  store(values, baseModel) {
    const plain = this.#at(this.#ranks);
    const kept = this.#ranks.map((rank) => ({ kept: upTo(rank), added: [] }));
    const { indices } = changedTriplets(this.tuner, plain, kept);
    return this.#method.store(
      plain,
      Float32Array.from(indices, (at) => values[at]),
      baseModel,
    );
  }

  get #total() {
    return this.#ranks.reduce((a, b) => a + b, 0);
  }

  get #reserve() {
    const { config, growth } = this.#method;
    return this.#begun && config.advance_learn && !this.settled ? growth.gained : 0;
  }

  /** Resets the constant λ of the reserve, which weight decay has changed. */
  #holdReserve(values) {
    for (const { path } of this.tuner.modules) {
      const lambdas = this.tuner.layout.read(values, factorName(path, 'E'));
      lambdas.fill(RESERVE_LAMBDA, lambdas.length - this.#reserve);
    }
  }

  #grow(step) {
    const { modules, gained, target, exceeds } = this.#method.growth;
    const scores = this.#scores.scores();
    let left = target - this.#total;
    const gains = this.#ranks.map(() => 0);
    const order = [...scores.keys()].sort((i, j) => scores[j] - scores[i]).slice(0, Math.min(modules, left));
    for (const k of order) {
      gains[k] = exceeds ? gained : Math.min(gained, left);
      left -= gains[k];
    }
    const relayout = this.#change(gains);
    return {
      allocation: {
        step,
        ranks: this.ranks(),
        budget: this.#total,
        final: this.settled,
        threshold: scores[order[order.length - 1]],
        scores: [...scores].map((score) => scoreLogarithms([score])),
      },
      relayout,
    };
  }

  /** Adds triplets to modules. All modules keep a reserve of the same size. */
  #change(gains) {
    const before = this.tuner;
    this.#ranks = this.#ranks.map((rank, k) => rank + gains[k]);
    this.#begun = true;
    this.tuner = this.#grown();
    const changes = before.modules.map((module, k) => {
      const kept = Math.min(module.rank, this.tuner.modules[k].rank);
      const added = this.tuner.modules[k].rank - kept;
      return { kept: upTo(kept), added: upTo(added).map((i) => this.#newTriplet(module, kept + i)) };
    });
    return changedTriplets(before, this.tuner, changes);
  }

  /**
   * Makes a triplet with random factors.
   *
   * @param number index of the triplet in its module
   */
  #newTriplet({ path, inFeatures, outFeatures }, number) {
    const { draw, config } = this.#method;
    const factor = (what, length) =>
      Array.from(draw(`${path} ${what} ${number}`, 0, length), (value) => value * INITIAL_STD);
    return {
      a: factor('row', inFeatures),
      b: factor('column', outFeatures),
      lambda: config.advance_learn ? RESERVE_LAMBDA : 0,
    };
  }

  /** Builds the tuner at the current ranks. */
  #grown() {
    const reserve = this.#reserve;
    const { settings, modules, saved } = this.#at(this.#ranks);
    if (this.settled) return new AdaLoraTuner(settings, modules, saved);
    const whole = modules.map((module) => ({ ...module, rank: module.rank + reserve }));
    const isLast = this.#method.config.score_batches === 'last';
    return new GrowingTuner(settings, whole, saved, reserve, isLast);
  }

  /** Builds a tuner with these ranks. Each module has the scale of its rank. */
  #at(ranks) {
    const { tuner, config } = this.#method;
    const modules = tuner.modules.map((module, k) => {
      const rank = ranks[k];
      const scale = adaLoraScale({ lora_alpha: adaLoraAlpha(config, rank), init_r: rank });
      return { ...module, rank, scale };
    });
    return tuner.withModules(modules);
  }
}

function upTo(count) {
  return Array.from({ length: count }, (_, i) => i);
}

/** IncreLoRA (Zhang et al., 2023, arXiv 2308.12043): ranks grow where the increments matter most. */
export const increLora = tripletMethod({
  method: 'increlora',
  title: 'IncreLoRA',
  tags: ['adalora', 'increlora'],
  config: increLoraConfigSchema,
  averages: 0,
  start(model, config, totalSteps, seed = 0) {
    const { init_r, target_r } = config;
    const tuner = AdaLoraTuner.create(model, config);
    const growth = planGrowth(config, tuner.modules.length, totalSteps);
    const { totalStep: total_step, ...phases } = growth.schedule;
    const complete = withTargets(model, config, 'many');
    return new IncreLoraRun({
      tuner,
      config,
      growth,
      draw: seeded(seed),
      store: ({ modules, layout }, values, baseModel) =>
        storeTriplets(
          { model, modules, layout, values, baseModel, config: complete },
          { ...phases, total_step, target_r: Math.max(init_r, target_r) },
        ),
    });
  },
  known: ({ init_r: _, target_r: __, ...start }) => start,
  variants: ({ advance_learn, last_round, score_batches }) =>
    [
      advance_learn === false ? 'without advance learning' : [],
      last_round === 'whole' ? 'whole last round' : [],
      score_batches === 'last' ? 'scores of last micro-batches' : [],
    ].flat(),
  words: {
    summary: ({ init_r, target_r }) =>
      target_r === undefined ? undefined : `rank ${init_r} to ${target_r} on average`,
    budgetKeys: ['init_r', 'target_r', 'lora_alpha'],
  },
});

defineMethod('increlora', increLora, import.meta);
