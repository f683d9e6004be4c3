import { addUp, smallest } from '../../support/numbers.ts';
import { isObject } from '../../support/options.ts';
import { shown, UserError } from '../../support/user-error.ts';

/** How a text must be written: as JSON, or as one of several texts. */
export type ResponseFormat =
  | { type: 'json_object' }
  | { type: 'json_schema'; schema: boolean | Record<string, unknown> }
  | { type: 'choice'; choices: string[] };

/** A state of a symbol: a place in it, or what was read. */
export type At = string | number;

/** A possible continuation of a symbol: another symbol, and the state after it. Without `at`, the symbol then ends. */
interface Way {
  first: Sym;
  at?: At;
}

let symbols = 0;

/** A symbol of a grammar over bytes. A terminal reads bytes, any other symbol is a choice of ways. */
export abstract class Sym {
  readonly id = symbols++;
  /** The fewest bytes of the whole symbol. */
  fewest = Number.POSITIVE_INFINITY;
  start: At = 0;
  /** The fewest bytes from a state to the end of the symbol. */
  abstract least(at: At): number;
  ways?(at: At): Way[];
  /** The state after a byte. Undefined if the byte does not fit. */
  read?(at: At, byte: number): At | undefined;
  /** Whether a terminal may end here. */
  ends(_: At): boolean {
    return false;
  }
  /** A name for states that the same tokens of at most `longest` bytes can follow. */
  alike(at: At, _longest: number): At {
    return at;
  }
}

/** One of several words, as a trie. */
class Words extends Sym {
  readonly #nodes = [{ next: new Map<number, number>(), least: Number.POSITIVE_INFINITY }];

  constructor(words: Iterable<string>) {
    super();
    for (const word of words) {
      const bytes = new TextEncoder().encode(word);
      let node = 0;
      for (let i = 0; ; i++) {
        const { next, least } = this.#nodes[node]!;
        this.#nodes[node]!.least = Math.min(least, bytes.length - i);
        if (i === bytes.length) break;
        const place = next.get(bytes[i]!) ?? this.#nodes.length;
        if (place === this.#nodes.length)
          this.#nodes.push({ next: new Map(), least: Number.POSITIVE_INFINITY });
        next.set(bytes[i]!, place);
        node = place;
      }
    }
  }

  override least(at: At) {
    return this.#nodes[at as number]!.least;
  }

  override read(at: At, byte: number) {
    return this.#nodes[at as number]!.next.get(byte);
  }

  override ends(at: At) {
    return this.#nodes[at as number]!.least === 0;
  }
}

/** The places in a string. The others are before one to three bytes of a character, some with limits. */
const [BEFORE, INSIDE, ESCAPE, AFTER] = [0, 1, 2, 3];
/** For each place in a character: the bytes that follow, and the place after them. The last byte completes it. */
const FOLLOWING: Readonly<Record<number, readonly [from: number, to: number, place: number]>> = {
  4: [0x80, 0xbf, INSIDE],
  5: [0x80, 0xbf, 4],
  6: [0x80, 0xbf, 5],
  7: [0xa0, 0xbf, 4],
  8: [0x80, 0x9f, 4],
  9: [0x90, 0xbf, 5],
  10: [0x80, 0x8f, 5],
};
/** The bytes that complete a character, by place. */
const NEEDED = [0, 0, 1, 0, 1, 2, 3, 2, 2, 3, 3];
const PLACES = 16;

/** The place after the first byte of a character of several bytes. Overlong forms and surrogates are left out. */
function placeAfter(byte: number): number | undefined {
  if (byte >= 0xc2 && byte <= 0xdf) return 4;
  if (byte >= 0xe0 && byte <= 0xef) return byte === 0xe0 ? 7 : byte === 0xed ? 8 : 5;
  if (byte >= 0xf0 && byte <= 0xf4) return byte === 0xf0 ? 9 : byte === 0xf4 ? 10 : 6;
  return undefined;
}

/** A JSON string. Control characters are written by their short escapes only. */
class Text extends Sym {
  readonly #min: number;
  readonly #max: number;

  constructor(min = 0, max = Number.POSITIVE_INFINITY) {
    super();
    this.#min = min;
    this.#max = max;
    if (max < min) this.start = -1;
  }

  override least(at: At) {
    if (at === -1) return Number.POSITIVE_INFINITY;
    const [count, place] = split(at);
    if (place === AFTER) return 0;
    const needed = NEEDED[place]!;
    const rest = Math.max(0, this.#min - count - Math.sign(needed));
    return needed + rest + (place === BEFORE ? 2 : 1);
  }

  override read(at: At, byte: number) {
    const [count, place] = split(at);
    const go = (next: number, characters = count) => characters * PLACES + next;
    // Without a maximum, all counts from the minimum on are one state.
    const more = this.#max === Number.POSITIVE_INFINITY ? Math.min(count + 1, this.#min) : count + 1;
    if (place === AFTER) return undefined;
    if (place === BEFORE) return byte === 0x22 ? go(INSIDE) : undefined;
    if (place === ESCAPE)
      return '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? go(INSIDE, more) : undefined;
    if (place !== INSIDE) {
      const [from, to, next] = FOLLOWING[place]!;
      if (byte < from || byte > to) return undefined;
      return next === INSIDE ? go(INSIDE, more) : go(next);
    }
    if (byte === 0x22) return count >= this.#min ? go(AFTER) : undefined;
    if (count >= this.#max || byte < 0x20) return undefined;
    if (byte === 0x5c) return go(ESCAPE);
    if (byte < 0x7f) return go(INSIDE, more);
    const next = placeAfter(byte);
    return next === undefined ? undefined : go(next);
  }

  override ends(at: At) {
    return split(at)[1] === AFTER;
  }

  override alike(at: At, longest: number) {
    const [count, place] = split(at);
    return count >= this.#min && this.#max - count > longest ? `*${place}` : at;
  }
}

function split(at: At): [count: number, place: number] {
  return [Math.floor((at as number) / PLACES), (at as number) % PLACES];
}

/** Digits of a number. Every decimal number with 15 digits has a float of its own. */
const MAX_DIGITS = 15;
const MAX_FRACTION = 6;

/** A number without an exponent, within bounds. Its state is its text. */
class Decimal extends Sym {
  override start: At = '';
  readonly #places: number;
  /** The bounds of the magnitude in units of the last place, by sign and number of decimal places. */
  readonly #bounds: Record<'+' | '-', [low: number, high: number][]>;

  constructor(
    isWhole: boolean,
    isAbove: (value: number) => boolean,
    isBelow: (value: number) => boolean,
    near: number[],
  ) {
    super();
    this.#places = isWhole ? 0 : MAX_FRACTION;
    const [low, high] = near as [number, number];
    const units = (from: number, to: number, sign: number) =>
      Array.from({ length: this.#places + 1 }, (_, places): [number, number] => {
        const unit = 10 ** places;
        const fits = (count: number) => {
          const value = (sign * count) / unit;
          return isAbove(value) && isBelow(value);
        };
        // No number is written as -0.
        let [first, last] = [
          Math.max(sign < 0 ? 1 : 0, Math.round(from * unit) - 1),
          Math.round(to * unit) + 1,
        ];
        for (let i = 0; i < 3 && !fits(first); i++) first++;
        for (let i = 0; i < 3 && !fits(last); i++) last--;
        return [first, last];
      });
    this.#bounds = { '+': units(Math.max(0, low), high, 1), '-': units(Math.max(0, -high), -low, -1) };
  }

  override least(at: At): number {
    const text = at as string;
    const isNegative = text.startsWith('-');
    const body = isNegative ? text.slice(1) : text;
    if (body === '') {
      const signs = isNegative ? ['-'] : ['', '-'];
      const firsts = signs.flatMap((sign) => [...'0123456789'].map((digit) => sign + digit));
      return smallest(firsts.map((first) => first.length - text.length + this.least(first)));
    }
    if (!/^(0|[1-9]\d*)(\.\d*)?$/.test(body)) return Number.POSITIVE_INFINITY;
    const point = body.indexOf('.');
    const digits = body.replace('.', '');
    const written = point < 0 ? 0 : digits.length - point;
    const wholes = point >= 0 || body === '0' ? 0 : MAX_DIGITS - digits.length;
    let best = Number.POSITIVE_INFINITY;
    for (let whole = 0; whole <= wholes; whole++)
      for (let places = Math.max(written, point < 0 ? 0 : 1); places <= this.#places; places++) {
        const added = whole + places - written;
        if (digits.length + added > MAX_DIGITS) break;
        const [low, high] = this.#bounds[isNegative ? '-' : '+'][places]!;
        const first = Number(digits) * 10 ** added;
        if (Math.max(low, first) > Math.min(high, first + 10 ** added - 1)) continue;
        best = Math.min(best, added + Number(point < 0 && places > 0));
      }
    return best;
  }

  override read(at: At, byte: number) {
    const text = at + String.fromCharCode(byte);
    return /^-?[\d.]*$/.test(text) && this.least(text) < Number.POSITIVE_INFINITY ? text : undefined;
  }

  override ends(at: At) {
    return at !== '' && at !== '-' && this.least(at) === 0;
  }
}

/** One of several symbols. */
class Either extends Sym {
  readonly options: Sym[];

  constructor(options: Sym[]) {
    super();
    this.options = options;
  }

  override least() {
    return smallest(this.options.map(({ fewest }) => fewest));
  }

  override ways() {
    return this.options.map((first) => ({ first }));
  }
}

/** Symbols one after another. */
class Series extends Sym {
  readonly #parts: readonly Sym[];

  constructor(parts: readonly Sym[]) {
    super();
    this.#parts = parts;
  }

  override least(at: At) {
    return addUp(this.#parts.slice(at as number), ({ fewest }) => fewest);
  }

  override ways(at: At) {
    const next = (at as number) + 1;
    const first = this.#parts[at as number]!;
    return [next < this.#parts.length ? { first, at: next } : { first }];
  }
}

const COMMA = ready(new Words([',', ', ']));
const COLON = ready(new Words([':', ': ']));

function ready<S extends Sym>(sym: S): S {
  sym.fewest = sym.least(sym.start);
  return sym;
}

interface ItemsParts {
  /** The symbols of the first items. */
  firsts?: readonly Sym[];
  item?: Sym | undefined;
  min?: number | undefined;
  max?: number | undefined;
}

/** Items between brackets, separated by commas. A state is twice the number of items, odd after a comma. */
class Items extends Sym {
  override start: At = -1;
  readonly #open: Sym;
  readonly #close: Sym;
  readonly #parts: { firsts: readonly Sym[]; item: Sym | undefined; min: number; max: number };

  constructor(
    [open, close]: string,
    { firsts = [], item, min = 0, max = Number.POSITIVE_INFINITY }: ItemsParts,
  ) {
    super();
    this.#open = ready(new Words([open!]));
    this.#close = ready(new Words([close!]));
    this.#parts = { firsts, item, min, max: item ? max : Math.min(max, firsts.length) };
  }

  override least(at: At): number {
    if (at === -1) return 1 + this.least(0);
    const { firsts, item, min, max } = this.#parts;
    if (min > max) return Number.POSITIVE_INFINITY;
    const count = (at as number) >> 1;
    const isDue = (at as number) % 2 === 1;
    const wanted = Math.max(min, count + Number(isDue));
    const named = firsts.slice(count, wanted);
    const others = wanted - Math.max(count, Math.min(wanted, firsts.length));
    const commas = Math.max(0, wanted - count - Number(isDue || count === 0));
    return addUp(named, ({ fewest }) => fewest) + (others > 0 ? others * item!.fewest : 0) + commas + 1;
  }

  override ways(at: At): Way[] {
    if (at === -1) return [{ first: this.#open, at: 0 }];
    const { firsts, item, min, max } = this.#parts;
    const count = (at as number) >> 1;
    const isDue = (at as number) % 2 === 1;
    // Without a maximum, all counts from the minimum on are one state.
    const next =
      max === Number.POSITIVE_INFINITY ? Math.min(count + 1, Math.max(min, firsts.length, 1)) : count + 1;
    const closing = count >= min && !isDue ? [{ first: this.#close }] : [];
    if (count >= max && !isDue) return closing;
    if (count > 0 && !isDue) return [...closing, { first: COMMA, at: count * 2 + 1 }];
    return [...closing, { first: (firsts[count] ?? item)!, at: next * 2 }];
  }
}

interface Entry {
  key: string;
  value: Sym;
  isRequired: boolean;
}

/** The places of an object at an entry: after another entry, at the first entry, or before the value. */
const [LATER, FIRST, VALUE] = [0, 1, 2];

/** An object with known keys, in their order. */
class Entries extends Sym {
  override start: At = -1;
  readonly #open = ready(new Words(['{']));
  readonly #close = ready(new Words(['}']));
  readonly #entries: readonly (Entry & { keys: readonly [later: Sym, first: Sym] })[];

  constructor(entries: readonly Entry[]) {
    super();
    this.#entries = entries.map((entry) => {
      const key = JSON.stringify(entry.key);
      const keys = (starts: string[]) =>
        ready(new Words(starts.flatMap((start) => [`${start}${key}:`, `${start}${key}: `])));
      return { ...entry, keys: [keys([',', ', ']), keys([''])] };
    });
  }

  override least(at: At): number {
    if (at === -1) return 1 + this.least(FIRST);
    const place = (at as number) % 3;
    let sum = 1;
    for (let i = Math.floor((at as number) / 3), now = place; i < this.#entries.length; i++) {
      const { keys, value, isRequired } = this.#entries[i]!;
      if (now !== VALUE && !isRequired) continue;
      sum += value.fewest + (now === VALUE ? 0 : keys[now as 0 | 1].fewest);
      now = LATER;
    }
    return sum;
  }

  override ways(at: At): Way[] {
    if (at === -1) return [{ first: this.#open, at: FIRST }];
    const from = Math.floor((at as number) / 3);
    const place = (at as number) % 3;
    if (place === VALUE) return [{ first: this.#entries[from]!.value, at: (from + 1) * 3 + LATER }];
    const ways: Way[] = [];
    for (let i = from; i < this.#entries.length; i++) {
      const { keys, isRequired } = this.#entries[i]!;
      ways.push({ first: keys[place as 0 | 1], at: i * 3 + VALUE });
      if (isRequired) return ways;
    }
    return [...ways, { first: this.#close }];
  }
}

/** Limits of a schema. They are far above those of real ones, and bound the time and memory of a request. */
const MAX_CHARACTERS = 65_536;
const MAX_DEPTH = 64;
const MAX_EXCLUSIVE = 256;

const NOTES = ['$schema', '$id', '$comment', 'title', 'description', 'default', 'examples', 'deprecated'];
const EVERYWHERE = new Set([...NOTES, 'readOnly', 'writeOnly', '$defs', 'definitions', 'type']);
const COMBINING = ['enum', 'const', 'anyOf', 'oneOf', 'allOf', '$ref'] as const;
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties', 'propertyNames'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: [],
  null: [],
};
const TYPES = Object.keys(KEYWORDS);

type Schema = Record<string, unknown>;

function refused(path: string, fault: string): UserError {
  return new UserError({ where: `the schema at ${path}`, fault, code: 'invalid_argument' });
}

/** A format as text. */
export function nameFormat(format: ResponseFormat): string {
  try {
    return JSON.stringify(format);
  } catch {
    throw refused('#', `is nested more than ${MAX_DEPTH} deep`);
  }
}

/**
 * The grammar of a format.
 *
 * @throws UserError for a schema that cannot be kept, with the reason
 */
export function compileFormat(format: ResponseFormat): Sym {
  if (format.type === 'choice') return ready(new Words(format.choices));
  const schema = format.type === 'json_object' ? { type: 'object' } : format.schema;
  if (nameFormat(format).length > MAX_CHARACTERS)
    throw refused('#', `has more than ${MAX_CHARACTERS} characters`);
  return new SchemaReader(schema).root();
}

class SchemaReader {
  readonly #schema: unknown;
  readonly #all: Sym[] = [];
  readonly #references = new Map<string, Either>();
  #anything: Either | undefined;

  constructor(schema: unknown) {
    this.#schema = schema;
  }

  root(): Sym {
    const root = this.#sym(this.#schema, '#', 0);
    // A symbol has its fewest bytes when those of its parts are known. Recursive ones need several rounds.
    for (let isOver = false; !isOver; ) {
      isOver = true;
      for (const sym of this.#all) {
        const least = sym.least(sym.start);
        if (least >= sym.fewest) continue;
        sym.fewest = least;
        isOver = false;
      }
    }
    if (root.fewest === Number.POSITIVE_INFINITY) throw refused('#', 'fits no finite value');
    return root;
  }

  #add<S extends Sym>(sym: S): S {
    this.#all.push(sym);
    return sym;
  }

  #words(values: readonly unknown[]): Sym {
    return this.#add(new Words(values.map((value) => JSON.stringify(value))));
  }

  #either(options: Sym[]): Sym {
    return options.length === 1 ? options[0]! : this.#add(new Either(options));
  }

  #sym(schema: unknown, path: string, depth: number): Sym {
    if (depth > MAX_DEPTH) throw refused('#', `is nested more than ${MAX_DEPTH} deep`);
    if (schema === true) return this.#any();
    if (schema === false) return this.#either([this.#add(new Either([]))]);
    if (!isObject(schema)) throw refused(path, `must be an object or a boolean, got ${shown(schema)}`);
    const combining = COMBINING.filter((key) => schema[key] !== undefined);
    const inner = (value: unknown, key: string) => this.#sym(value, `${path}/${key}`, depth + 1);
    const key = combining[0];
    if (key === undefined) return this.#typed(schema, path, inner);
    const isList = key === 'enum' || key === 'const';
    const others = Object.keys(schema).filter(
      (name) => name !== key && (!EVERYWHERE.has(name) || (name === 'type' && !isList)),
    );
    if (others.length > 0)
      throw refused(path, `combines ${key} with ${others.join(', ')}, which is not supported`);
    const value = schema[key];
    if (isList) {
      if (key === 'enum' && (!Array.isArray(value) || value.length === 0))
        throw refused(`${path}/enum`, 'must be a list of values');
      const types = readTypes(schema, path);
      return this.#words(
        (key === 'const' ? [value] : (value as unknown[])).filter((one) =>
          types.some((type) => hasType(one, type)),
        ),
      );
    }
    if (key === '$ref') return this.#reference(value, path, depth);
    if (!Array.isArray(value) || value.length === 0)
      throw refused(`${path}/${key}`, 'must be a list of schemas');
    if (key === 'allOf' && value.length > 1)
      throw refused(path, 'has an allOf of several schemas, which is not supported');
    if (key === 'oneOf' && value.length > MAX_EXCLUSIVE)
      throw refused(path, `has a oneOf of more than ${MAX_EXCLUSIVE} schemas`);
    const clash = key === 'oneOf' && value.some((a, i) => value.slice(0, i).some((b) => !differ(a, b)));
    if (clash)
      throw refused(
        path,
        'has a oneOf whose schemas may fit the same value; give each a property with a const, or use anyOf',
      );
    return this.#either(value.map((one, i) => inner(one, `${key}/${i}`)));
  }

  #typed(schema: Schema, path: string, inner: (value: unknown, key: string) => Sym): Sym {
    const types = readTypes(schema, path);
    const known = new Set(types.flatMap((type) => KEYWORDS[type]!));
    const unknown = Object.keys(schema).find((key) => !EVERYWHERE.has(key) && !known.has(key));
    if (unknown !== undefined) throw refused(path, `has the keyword ${unknown}, which cannot be kept`);
    const { type } = schema;
    if (type === undefined && !Object.keys(schema).some((key) => known.has(key))) return this.#any();
    return this.#either(
      types
        .filter((one) => one !== 'integer' || !types.includes('number'))
        .map((one) => this.#ofType(one, schema, path, inner)),
    );
  }

  #ofType(type: string, schema: Schema, path: string, inner: (value: unknown, key: string) => Sym): Sym {
    const count = (key: string) => {
      const value = schema[key];
      if (value === undefined || (Number.isInteger(value) && (value as number) >= 0))
        return value as number | undefined;
      throw refused(`${path}/${key}`, `must be a whole number from 0, got ${shown(value)}`);
    };
    if (type === 'null') return this.#words([null]);
    if (type === 'boolean') return this.#words([true, false]);
    if (type === 'string') return this.#add(new Text(count('minLength'), count('maxLength')));
    if (type === 'array') {
      const { items, prefixItems = [] } = schema;
      if (!Array.isArray(prefixItems)) throw refused(`${path}/prefixItems`, 'must be a list of schemas');
      const firsts = prefixItems.map((one, i) => inner(one, `prefixItems/${i}`));
      const item = items === false ? undefined : items === undefined ? this.#any() : inner(items, 'items');
      return this.#add(new Items('[]', { firsts, item, min: count('minItems'), max: count('maxItems') }));
    }
    if (type === 'object') return this.#object(schema, path, inner);
    return this.#add(readNumber(type === 'integer', schema, path));
  }

  /** An object. Keys that are not in `properties` are written only if there are no properties. */
  #object(schema: Schema, path: string, inner: (value: unknown, key: string) => Sym): Sym {
    const { properties = {}, required = [], additionalProperties: more = true, propertyNames } = schema;
    if (!isObject(properties)) throw refused(`${path}/properties`, 'must be an object');
    if (!Array.isArray(required) || required.some((key) => typeof key !== 'string'))
      throw refused(`${path}/required`, 'must be a list of keys');
    const names = [...new Set([...Object.keys(properties), ...(required as string[])])];
    const others =
      more === false ? undefined : () => (more === true ? this.#any() : inner(more, 'additionalProperties'));
    if (names.length === 0 && others) {
      const key = propertyNames === undefined ? this.#add(new Text()) : inner(propertyNames, 'propertyNames');
      if (isObject(propertyNames) && !allowsStringsOnly(propertyNames))
        throw refused(`${path}/propertyNames`, 'must be of type string, or have an enum of strings');
      return this.#add(new Items('{}', { item: this.#add(new Series([key, COLON, others()])) }));
    }
    const entries = names.map((key) => ({
      key,
      value: Object.hasOwn(properties, key)
        ? inner(properties[key], `properties/${key}`)
        : (others?.() ?? this.#add(new Either([]))),
      isRequired: required.includes(key),
    }));
    return this.#add(new Entries(entries));
  }

  #reference(reference: unknown, path: string, depth: number): Sym {
    if (typeof reference !== 'string' || !/^#(\/|$)/.test(reference))
      throw refused(
        path,
        `refers to ${shown(reference)}; only references into the schema itself are supported`,
      );
    const known = this.#references.get(reference);
    if (known) return known;
    const made = this.#add(new Either([]));
    this.#references.set(reference, made);
    const names = reference
      .split('/')
      .slice(1)
      .map((name) => decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~'));
    let target: unknown = this.#schema;
    for (const name of names)
      target = Object.hasOwn(Object(target), name) ? (target as Schema)[name] : undefined;
    if (target === undefined) throw refused(path, `refers to ${reference}, which does not exist`);
    made.options.push(this.#sym(target, reference, depth + 1));
    return made;
  }

  /** Any JSON value. */
  #any(): Sym {
    if (this.#anything) return this.#anything;
    const value = this.#add(new Either([]));
    this.#anything = value;
    const entry = this.#add(new Series([this.#add(new Text()), COLON, value]));
    value.options.push(
      this.#words([true, false, null]),
      this.#add(new Text()),
      this.#add(readNumber(false, {}, '')),
      this.#add(new Items('[]', { item: value })),
      this.#add(new Items('{}', { item: entry })),
    );
    return value;
  }
}

function readTypes(schema: Schema, path: string): string[] {
  const types = schema.type === undefined ? TYPES : [schema.type].flat();
  const wrong = types.find((type) => !TYPES.includes(type as string));
  if (wrong === undefined && types.length > 0) return types as string[];
  throw refused(
    `${path}/type`,
    `must be one of ${TYPES.join(', ')}, or a list of them, got ${shown(schema.type)}`,
  );
}

function readNumber(isWhole: boolean, schema: Schema, path: string): Sym {
  const bound = (key: string, otherwise: number) => {
    const value = schema[key] ?? otherwise;
    if (typeof value === 'number') return value;
    throw refused(`${path}/${key}`, `must be a number, got ${shown(value)}`);
  };
  const most = 10 ** MAX_DIGITS;
  const [low, high] = [bound('minimum', -most), bound('maximum', most)];
  const [above, below] = [bound('exclusiveMinimum', -2 * most), bound('exclusiveMaximum', 2 * most)];
  return new Decimal(
    isWhole,
    (value) => value >= low && value > above,
    (value) => value <= high && value < below,
    [Math.max(low, above), Math.min(high, below)],
  );
}

function hasType(value: unknown, type: string): boolean {
  if (value === null || Array.isArray(value)) return type === (value === null ? 'null' : 'array');
  return type === typeof value || (type === 'integer' && Number.isInteger(value));
}

function allowsStringsOnly({ type, enum: values }: Schema): boolean {
  return type === 'string' || (Array.isArray(values) && values.every((value) => typeof value === 'string'));
}

/** Whether no value can fit both schemas: they have other types or constants, or a required property that differs. */
function differ(a: unknown, b: unknown): boolean {
  if (!isObject(a) || !isObject(b)) return a === false || b === false;
  const values = ({ const: one, enum: several }: Schema) =>
    (one === undefined ? several : [one]) as unknown[] | undefined;
  const [left, right] = [values(a), values(b)];
  if (left && right) {
    const texts = new Set(left.map((value) => JSON.stringify(value)));
    return !right.some((value) => texts.has(JSON.stringify(value)));
  }
  const types = ({ type }: Schema) =>
    [type ?? TYPES].flat().flatMap((one) => (one === 'number' ? ['number', 'integer'] : one));
  if (!types(a).some((type) => types(b).includes(type))) return true;
  const keys = (schema: Schema) => (Array.isArray(schema.required) ? schema.required : []) as string[];
  const propertyOf = ({ properties }: Schema, key: string) => Object(properties)[key] ?? true;
  return (
    [a, b].every(({ type }) => type === 'object') &&
    keys(a).some((key) => keys(b).includes(key) && differ(propertyOf(a, key), propertyOf(b, key)))
  );
}
