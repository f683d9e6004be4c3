import { UserError } from '../../support/user-error.ts';
import { excerptName } from '../excerpt.ts';
import type { PickleReader } from './pickle-reader.ts';

/** A global that may be called. It returns undefined for invalid arguments. */
export class PickleFunction {
  constructor(readonly apply: (args: readonly unknown[]) => unknown) {}
}

/** A list. Tuples are arrays, which are never changed. */
export class PickleList {
  readonly items: unknown[] = [];
}

export interface PickleOptions {
  /** Every global that a pickle may name, by `module.name`: a {@link PickleFunction} or a value. */
  globals: ReadonlyMap<string, unknown>;
  /** Resolves the id of an object outside the pickle; undefined if the id is invalid. */
  persistent: (id: unknown) => unknown;
  /** The file's name for messages. */
  where: string;
}

const WHY = 'A pickle can run code, so that only tensors in dictionaries are read.';

/** The stack of values, the stacks below the marks, and the memo. */
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
    if (this.#stack.length < count) throw this.damaged('an operation without its arguments');
    return this.#stack.splice(this.#stack.length - count);
  }

  mark(): void {
    this.#marked.push(this.#stack);
    this.#stack = [];
  }

  popMark(): unknown[] {
    const values = this.#stack;
    const below = this.#marked.pop();
    if (!below) throw this.damaged('an operation without its mark');
    this.#stack = below;
    return values;
  }

  memoize(index = this.#memo.size): void {
    const value = this.pop();
    this.#memo.set(index, value);
    this.push(value);
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw this.damaged(`a value ${index} that was not kept`);
    this.push(this.#memo.get(index));
  }

  text(value: string | undefined): string {
    if (value === undefined) throw this.damaged('a text that is no UTF-8');
    return value;
  }

  global(module: unknown, name: unknown): void {
    // Only strings are joined: the text of nested tuples that each contain the last one twice would grow
    // exponentially.
    if (typeof module !== 'string' || typeof name !== 'string') throw this.refused('a global without a name');
    const path = `${module}.${name}`;
    const value = this.#options.globals.get(path);
    if (!value) throw this.refused(`the global ${excerptName(path)}`);
    this.push(value);
  }

  reduce(): void {
    const [called, args] = this.popMany(2);
    if (!(called instanceof PickleFunction)) throw this.refused('a call of something that is no function');
    const value = Array.isArray(args) ? called.apply(args) : undefined;
    if (value === undefined) throw this.damaged('a call with other arguments than torch.save gives');
    this.push(value);
  }

  persistent(): void {
    const value = this.#options.persistent(this.pop());
    if (value === undefined)
      throw this.damaged('a storage that is described in another way than torch.save does');
    this.push(value);
  }

  setItems(items: readonly unknown[]): void {
    const target = this.pop();
    if (!(target instanceof Map) || items.length % 2 !== 0) throw this.damaged('items of no dictionary');
    for (let i = 0; i < items.length; i += 2) {
      if (typeof items[i] !== 'string' && typeof items[i] !== 'number')
        throw this.refused('a key that is neither text nor number');
      target.set(items[i], items[i + 1]);
    }
    this.push(target);
  }

  append(items: readonly unknown[]): void {
    const target = this.pop();
    if (!(target instanceof PickleList)) throw this.damaged('items of no list');
    for (const item of items) target.items.push(item);
    this.push(target);
  }

  /** Attributes of a dictionary, which torch.save keeps beside its items (`_metadata`), do not describe tensors. */
  build(): void {
    const [target] = this.popMany(2);
    if (!(target instanceof Map)) throw this.refused('attributes of something that is no dictionary');
    this.push(target);
  }

  result(): unknown {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#marked.length > 0) throw this.damaged('more than one value');
    return value;
  }

  refused(got: string): UserError {
    return this.#error('nothing but tensors in dictionaries', got, WHY);
  }

  damaged(got: string): UserError {
    return this.#error('a pickle as torch.save writes it', got, 'The file is damaged. Download it again.');
  }

  #error(expected: string, got: string, hint: string): UserError {
    const { where } = this.#options;
    return new UserError({ where, expected, got: `${got} (before byte ${this.#reader.at})`, hint });
  }
}
