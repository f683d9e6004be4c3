import { InvalidFile, type UserError } from '../../../support/user-error.ts';
import { excerptName } from '../excerpt.ts';

/**
 * The pickle opcodes (from Python's pickletools) that are needed for a dictionary of tensors and a list of
 * storages.
 */
const OPCODES = {
  PROTO: 0x80,
  FRAME: 0x95,
  STOP: 0x2e,
  MARK: 0x28,
  NONE: 0x4e,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  BININT: 0x4a,
  BININT1: 0x4b,
  BININT2: 0x4d,
  LONG1: 0x8a,
  BINFLOAT: 0x47,
  BINUNICODE: 0x58,
  SHORT_BINUNICODE: 0x8c,
  EMPTY_DICT: 0x7d,
  SETITEM: 0x73,
  SETITEMS: 0x75,
  EMPTY_LIST: 0x5d,
  APPEND: 0x61,
  APPENDS: 0x65,
  EMPTY_TUPLE: 0x29,
  TUPLE: 0x74,
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  BINPUT: 0x71,
  LONG_BINPUT: 0x72,
  MEMOIZE: 0x94,
  BINGET: 0x68,
  LONG_BINGET: 0x6a,
  GLOBAL: 0x63,
  STACK_GLOBAL: 0x93,
  REDUCE: 0x52,
  BUILD: 0x62,
  BINPERSID: 0x51,
} as const;

export type Opcode = keyof typeof OPCODES;

/** Names of rejected opcodes, for the error message. */
const REFUSED: Readonly<Record<number, string>> = {
  105: 'INST',
  111: 'OBJ',
  129: 'NEWOBJ',
  146: 'NEWOBJ_EX',
  80: 'PERSID',
  130: 'EXT1',
  131: 'EXT2',
  132: 'EXT4',
  48: 'POP',
  49: 'POP_MARK',
  50: 'DUP',
  73: 'INT',
  76: 'LONG',
  139: 'LONG4',
  70: 'FLOAT',
  83: 'STRING',
  84: 'BINSTRING',
  85: 'SHORT_BINSTRING',
  86: 'UNICODE',
  141: 'BINUNICODE8',
  66: 'BINBYTES',
  67: 'SHORT_BINBYTES',
  142: 'BINBYTES8',
  150: 'BYTEARRAY8',
  151: 'NEXT_BUFFER',
  152: 'READONLY_BUFFER',
  108: 'LIST',
  100: 'DICT',
  143: 'EMPTY_SET',
  144: 'ADDITEMS',
  145: 'FROZENSET',
  112: 'PUT',
  103: 'GET',
};

const KNOWN = new Map<number, Opcode>(Object.entries(OPCODES).map(([name, byte]) => [byte, name as Opcode]));

/** The opcode of a byte; undefined if it is not supported. */
export function knownOpcode(byte: number): Opcode | undefined {
  return KNOWN.get(byte);
}

export function refusedOpcode(byte: number): string {
  return REFUSED[byte] ?? `0x${byte.toString(16).padStart(2, '0')}`;
}

/** Reads consecutive pickles: opcodes and arguments, in order. Throws a {@link PickleEnd} at the end of the bytes. */
export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  skip(count: number): void {
    this.#advance(count);
  }

  /** Reads a UTF-8 text of `length` bytes; undefined if it is not valid UTF-8. */
  text(length: number): string | undefined {
    const start = this.#advance(length);
    try {
      return this.#decoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      return undefined;
    }
  }

  /** Reads up to and including a line feed. */
  line(): string | undefined {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleEnd();
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  /** Reads a little-endian two's complement number. Undefined if it is longer than 8 bytes, or not a safe integer. */
  long(length: number): number | undefined {
    const start = this.#advance(length);
    if (length > 8) return undefined;
    let value = 0n;
    for (let i = 0; i < length; i++) value |= BigInt(this.#bytes[start + i]!) << BigInt(8 * i);
    const number = Number(BigInt.asIntN(8 * length, value));
    return Number.isSafeInteger(number) ? number : undefined;
  }

  #advance(count: number): number {
    const start = this.at;
    if (start + count > this.#bytes.length) throw new PickleEnd();
    this.at += count;
    return start;
  }
}

/** Thrown if a pickle ends too early. */
export class PickleEnd extends Error {}

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
    return new InvalidFile({ where, fault: `${fault} before byte ${this.#reader.at}`, hint });
  }
}
