import { UserError } from '../../../support/user-error.ts';
import { excerptName } from '../excerpt.ts';
import type { PickleReader } from './pickle-reader.ts';

/** A global that may be called. `apply` returns undefined for invalid arguments. */
export class PickleFunction {
  constructor(readonly apply: (args: readonly unknown[]) => unknown) {}
}

/** A mutable list. Tuples are arrays, because they are immutable. */
export class PickleList {
  readonly items: unknown[] = [];
}

export interface PickleOptions {
  /** The globals that a pickle may use, by `module.name`. Each is a {@link PickleFunction} or a value. */
  globals: ReadonlyMap<string, unknown>;
  /** Resolves the id of an object outside the pickle; undefined if the id is invalid. */
  persistent: (id: unknown) => unknown;
  /** The file's name in messages. */
  where: string;
}

const WHY = 'A pickle can run code, so that only tensors in dictionaries are read.';

/** The state of the pickle machine: the stack of values, the stacks below the marks, and the memo. */
export class PickleMachine {
  readonly #reader: PickleReader;
  readonly #options: PickleOptions;
  readonly #memo = new Map<number, unknown>();
  readonly #marked: unknown[][] = [];
  #stack: unknown[] = [];

  constructor(reader: PickleReader, options: PickleOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    return this.popMany(1)[0];
  }

  popMany(count: number): unknown[] {
    if (this.#stack.length < count) throw this.damaged('has an operation without its arguments');
    return this.#stack.splice(this.#stack.length - count);
  }

  mark(): void {
    this.#marked.push(this.#stack);
    this.#stack = [];
  }

  popMark(): unknown[] {
    const values = this.#stack;
    const below = this.#marked.pop();
    if (!below) throw this.damaged('has an operation without its mark');
    this.#stack = below;
    return values;
  }

  memoize(index = this.#memo.size): void {
    const value = this.pop();
    this.#memo.set(index, value);
    this.push(value);
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw this.damaged(`uses the value ${index}, which it did not store`);
    this.push(this.#memo.get(index));
  }

  text(value: string | undefined): string {
    if (value === undefined) throw this.damaged('has text that is not UTF-8');
    return value;
  }

  global(module: unknown, name: unknown): void {
    // Only strings are joined. In nested tuples, each level may contain the previous one twice. Joining them
    // would give a text of exponential length.
    if (typeof module !== 'string' || typeof name !== 'string') throw this.refused('names no global');
    const path = `${module}.${name}`;
    const value = this.#options.globals.get(path);
    if (!value) throw this.refused(`uses the global ${excerptName(path)}`);
    this.push(value);
  }

  reduce(): void {
    const [called, args] = this.popMany(2);
    if (!(called instanceof PickleFunction)) throw this.refused('calls a value that is not a function');
    const value = Array.isArray(args) ? called.apply(args) : undefined;
    if (value === undefined) throw this.damaged('calls a function with the wrong arguments');
    this.push(value);
  }

  persistent(): void {
    const value = this.#options.persistent(this.pop());
    if (value === undefined) throw this.damaged('describes a storage in an unknown way');
    this.push(value);
  }

  setItems(items: readonly unknown[]): void {
    const target = this.pop();
    if (!(target instanceof Map) || items.length % 2 !== 0)
      throw this.damaged('has items without a dictionary');
    for (let i = 0; i < items.length; i += 2) {
      if (typeof items[i] !== 'string' && typeof items[i] !== 'number')
        throw this.refused('has a key that is neither text nor number');
      target.set(items[i], items[i + 1]);
    }
    this.push(target);
  }

  append(items: readonly unknown[]): void {
    const target = this.pop();
    if (!(target instanceof PickleList)) throw this.damaged('has items without a list');
    for (const item of items) target.items.push(item);
    this.push(target);
  }

  /**
   * Ignores attributes of a dictionary. torch.save stores `_metadata` as such an attribute, which does not
   * describe tensors.
   */
  build(): void {
    const [target] = this.popMany(2);
    if (!(target instanceof Map)) throw this.refused('sets attributes of a value that is not a dictionary');
    this.push(target);
  }

  result(): unknown {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#marked.length > 0) throw this.damaged('has more than one value');
    return value;
  }

  refused(fault: string): UserError {
    return this.#error(fault, WHY);
  }

  damaged(fault: string): UserError {
    return this.#error(fault, 'torch.save does not write this: the file is damaged. Download it again.');
  }

  #error(fault: string, hint: string): UserError {
    const { where } = this.#options;
    return new UserError({ where, fault: `${fault} before byte ${this.#reader.at}`, hint });
  }
}
