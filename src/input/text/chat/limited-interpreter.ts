import { type Environment, Interpreter, type RuntimeValue } from '@huggingface/jinja';
import { InvalidFile } from '../../../support/user-error.ts';

/**
 * Maximum number of characters in a text, more than any model reads. Intermediate text may be split into single
 * characters, which take a hundred bytes each.
 */
const MAX_CHARACTERS = 2 ** 22;
/** Maximum number of values in a list, including nested lists. */
const MAX_VALUES = 2 ** 20;
/**
 * Maximum number of steps: about 3 seconds. A message needs some dozens. Each step may add to a text that is only joined
 * at the end.
 */
const MAX_STEPS = 2 ** 20;
/** The number of characters, or of values in a list, on which work takes a step. */
const READ_IN_A_STEP = 64;

/**
 * A Jinja interpreter for hostile templates. It limits their steps and the size of all values, also of intermediate
 * values.
 */
export class LimitedInterpreter extends Interpreter {
  readonly #where: string;
  readonly #values = new WeakMap<object, number>();
  /** The expressions of loops. Each of their values takes a step, even if the loop's body is empty. */
  readonly #looped = new WeakSet<object>();
  #steps = 0;

  /** @param where the template's file, for messages */
  constructor(environment: Environment, where: string) {
    super(environment);
    this.#where = where;
  }

  /**
   * @throws UserError if a limit is exceeded
   */
  override evaluate(statement: unknown, environment: Environment): RuntimeValue {
    this.#step(1);
    const node = Object(statement) as { type?: string; iterable?: { lhs?: object } };
    if (node.type === 'For') this.#looped.add(node.iterable!.lhs ?? node.iterable!);
    const made = super.evaluate(statement, environment);
    const isNew = Array.isArray(made.value) && !this.#values.has(made.value);
    const size = typeof made.value === 'string' ? made.value.length : this.#count(made.value);
    if (typeof made.value === 'string') this.#check(size, MAX_CHARACTERS, 'characters of text');
    else this.#check(size, MAX_VALUES, 'values in a list');
    this.#step(isNew || this.#looped.has(node) ? size : size / READ_IN_A_STEP);
    return made;
  }

  #step(count: number): void {
    this.#steps += Math.floor(count);
    this.#check(this.#steps, MAX_STEPS, 'steps to a text');
  }

  /**
   * Counts the values in a list and its nested lists. A list that occurs several times counts each time, because each
   * occurrence may be printed.
   */
  #count(list: unknown): number {
    if (!Array.isArray(list)) return 1;
    const known = this.#values.get(list);
    if (known !== undefined) return known;
    const count = list.reduce<number>((sum, { value }: RuntimeValue) => sum + this.#count(value), 1);
    this.#values.set(list, count);
    return count;
  }

  #check(count: number, most: number, what: string): void {
    if (count <= most) return;
    throw new InvalidFile({
      where: this.#where,
      fault: `made ${count} ${what}, more than the maximum of ${most}`,
    });
  }
}
