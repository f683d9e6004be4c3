import { UserError } from '../../support/user-error.ts';
import { knownOpcode, type Opcode, refusedOpcode } from './opcodes.ts';
import { PickleEnd, PickleReader } from './pickle-reader.ts';

/** A global that may be called: what it makes of its arguments, undefined where they are not right. */
export class PickleFunction {
  constructor(readonly apply: (args: readonly unknown[]) => unknown) {}
}

export interface PickleOptions {
  /** All there is of the world, by `module.name`: a {@link PickleFunction}, or a value. */
  globals: ReadonlyMap<string, unknown>;
  /** What an id of something kept outside the pickle stands for; undefined where it is not right. */
  persistent: (id: unknown) => unknown;
  /** The file's name for messages. */
  where: string;
}

/**
 * Every operation takes a byte at least and makes a value of at most some 200, so that this bounds memory. A tensor
 * takes some 30.
 */
const MAX_OPERATIONS = 2 ** 20;
const MAX_PROTOCOL = 5;

const WHY = 'A pickle can run code, so that only tensors in dictionaries are read.';

/**
 * The value of a pickle that holds data alone: dictionaries (a Map), tuples (an array), texts, numbers, booleans, None
 * (null), and what the given globals make. Nothing of the pickle is executed: whatever operation or global is not
 * needed for that is refused by its name.
 *
 * @throws UserError
 */
export function unpickle(bytes: Uint8Array, options: PickleOptions): unknown {
  const reader = new PickleReader(bytes);
  const machine = new Machine(reader, options);
  try {
    for (let count = 0; count < MAX_OPERATIONS; count++) {
      const byte = reader.uint8();
      const opcode = knownOpcode(byte);
      if (opcode === undefined) throw machine.refused(`the operation ${refusedOpcode(byte)}`);
      if (opcode === 'STOP') return machine.result();
      OPERATIONS[opcode](machine, reader);
    }
  } catch (error) {
    if (error instanceof PickleEnd) throw machine.damaged('its end before STOP');
    throw error;
  }
  throw machine.damaged(`more than ${MAX_OPERATIONS} operations`);
}

/** The stack of values, those under the marks, and the memo. */
class Machine {
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

  global(module: unknown, name: unknown): void {
    const path = `${module}.${name}`;
    const value = typeof module === 'string' && typeof name === 'string' && this.#options.globals.get(path);
    if (!value) throw this.refused(`the global ${excerpt(path)}`);
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

  /** Attributes of a dictionary, which torch.save keeps beside its items (`_metadata`), say nothing of tensors. */
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
    return this.#error('a pickle as torch.save writes it', got, 'The file is damaged; get it again.');
  }

  #error(expected: string, got: string, hint: string): UserError {
    const { where } = this.#options;
    return new UserError({ where, expected, got: `${got} (before byte ${this.#reader.at})`, hint });
  }
}

const OPERATIONS: Record<Exclude<Opcode, 'STOP'>, (machine: Machine, reader: PickleReader) => void> = {
  PROTO(machine, reader) {
    const protocol = reader.uint8();
    if (protocol > MAX_PROTOCOL) throw machine.refused(`protocol ${protocol}`);
  },
  FRAME: (_, reader) => reader.skip(8),
  MARK: (machine) => machine.mark(),
  NONE: (machine) => machine.push(null),
  NEWTRUE: (machine) => machine.push(true),
  NEWFALSE: (machine) => machine.push(false),
  BININT: (machine, reader) => machine.push(reader.int32()),
  BININT1: (machine, reader) => machine.push(reader.uint8()),
  BININT2: (machine, reader) => machine.push(reader.uint16()),
  LONG1(machine, reader) {
    const value = reader.long(reader.uint8());
    if (value === undefined) throw machine.refused('a number beyond 2^53');
    machine.push(value);
  },
  BINFLOAT: (machine, reader) => machine.push(reader.float64()),
  BINUNICODE: (machine, reader) => machine.push(reader.text(reader.uint32())),
  SHORT_BINUNICODE: (machine, reader) => machine.push(reader.text(reader.uint8())),
  EMPTY_DICT: (machine) => machine.push(new Map()),
  SETITEM: (machine) => machine.setItems(machine.popMany(2)),
  SETITEMS: (machine) => machine.setItems(machine.popMark()),
  EMPTY_TUPLE: (machine) => machine.push([]),
  TUPLE: (machine) => machine.push(machine.popMark()),
  TUPLE1: (machine) => machine.push(machine.popMany(1)),
  TUPLE2: (machine) => machine.push(machine.popMany(2)),
  TUPLE3: (machine) => machine.push(machine.popMany(3)),
  BINPUT: (machine, reader) => machine.memoize(reader.uint8()),
  LONG_BINPUT: (machine, reader) => machine.memoize(reader.uint32()),
  MEMOIZE: (machine) => machine.memoize(),
  BINGET: (machine, reader) => machine.recall(reader.uint8()),
  LONG_BINGET: (machine, reader) => machine.recall(reader.uint32()),
  GLOBAL: (machine, reader) => machine.global(reader.line(), reader.line()),
  STACK_GLOBAL(machine) {
    const [module, name] = machine.popMany(2);
    machine.global(module, name);
  },
  REDUCE: (machine) => machine.reduce(),
  BUILD: (machine) => machine.build(),
  BINPERSID: (machine) => machine.persistent(),
};

/** A name from the file as it may stand in a message. */
function excerpt(name: string): string {
  const text = JSON.stringify(name).slice(1, -1);
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}
