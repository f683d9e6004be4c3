import type { Cost } from './allocate.ts';
import type { BudgetUnit } from './budget-config.ts';

/** A budget in each unit. */
export interface BudgetForms {
  /** As a mean rank. */
  rank: number;
  /** As a number of triplets or doublets. */
  components: number;
  parameters: number;
  bytes: number;
}

/** Converts between ranks and their cost in each unit. */
export class BudgetCosts {
  readonly of: Readonly<Record<BudgetUnit, Cost>>;
  readonly #modules: number;

  /** @param fileBytes the size of the adapter's tensor file, which cannot be computed from the other units */
  constructor(modules: readonly { inFeatures: number; outFeatures: number }[], fileBytes: Cost) {
    this.#modules = modules.length;
    this.of = {
      components: (ranks) => ranks.reduce((a, b) => a + b, 0),
      parameters: (ranks) =>
        ranks.reduce((sum, rank, k) => sum + rank * (modules[k]!.inFeatures + modules[k]!.outFeatures), 0),
      bytes: fileBytes,
    };
  }

  /** The cost if every module has the same rank. */
  everywhere(unit: BudgetUnit, rank: number): number {
    return this.of[unit](new Array<number>(this.#modules).fill(rank));
  }

  /** The largest cost of a single component, over all modules. */
  ofOne(unit: BudgetUnit): number {
    const alone = (k: number) => Array.from({ length: this.#modules }, (_, i) => Number(i === k));
    return Math.max(...Array.from({ length: this.#modules }, (_, k) => this.of[unit](alone(k))));
  }

  /**
   * The rank, not rounded, at which all modules together have this cost. Costs are linear in the rank, except for some
   * digits in the file's header.
   */
  rankFor(unit: BudgetUnit, amount: number): number {
    return 1 + (amount - this.everywhere(unit, 1)) / this.#perRank(unit);
  }

  /** Converts a mean rank to all units, as if every module had this rank. */
  forms(rank: number): BudgetForms {
    const at = (unit: BudgetUnit) => Math.round(this.everywhere(unit, 1) + (rank - 1) * this.#perRank(unit));
    return { rank, components: at('components'), parameters: at('parameters'), bytes: at('bytes') };
  }

  #perRank(unit: BudgetUnit): number {
    return this.everywhere(unit, 2) - this.everywhere(unit, 1);
  }
}
