import { type Environment, Interpreter } from '@huggingface/jinja';
import { UserError } from '../../support/user-error.ts';

interface RuntimeValue {
  value: unknown;
}

// Its types lie where TypeScript does not look for them.
const PlainInterpreter = Interpreter as unknown as new (
  environment: Environment,
) => {
  run(program: unknown): RuntimeValue;
  evaluate(statement: unknown, environment: Environment): RuntimeValue;
};

/** More than any model reads. What a template makes on its way may be cut into single characters, of a hundred bytes each. */
const MAX_CHARACTERS = 2 ** 22;
/** Of lists and what lies in them. */
const MAX_VALUES = 2 ** 20;
/** Some dozens a message; each may add to a text that is only joined in the end. */
const MAX_STEPS = 2 ** 20;

/** An interpreter of Jinja for hostile templates: with a limit to what they make, on their way too, and to their steps. */
export class LimitedInterpreter extends PlainInterpreter {
  readonly #where: string;
  readonly #values = new WeakMap<object, number>();
  #steps = 0;

  /** @param where the template's place, for messages */
  constructor(environment: Environment, where: string) {
    super(environment);
    this.#where = where;
  }

  /** @throws UserError beyond a limit */
  override evaluate(statement: unknown, environment: Environment): RuntimeValue {
    this.#check(++this.#steps, MAX_STEPS, 'steps to a text');
    const made = super.evaluate(statement, environment);
    if (typeof made.value === 'string') this.#check(made.value.length, MAX_CHARACTERS, 'characters of text');
    else this.#check(this.#count(made.value), MAX_VALUES, 'values in a list');
    return made;
  }

  /** The values in a list, and in those in it: as often as they occur, for so often they may be written. */
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
    throw new UserError({ where: this.#where, expected: `at most ${most} ${what}`, got: `${count}` });
  }
}
