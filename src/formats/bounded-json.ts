import { UserError } from '../support/user-error.ts';

export interface JsonLimits {
  /** Of arrays and objects within each other. */
  depth: number;
  /** Of arrays, objects, keys and commas: each makes a value at most. */
  values: number;
}

const DAMAGED = 'The file is damaged; get it again.';

/**
 * Parses JSON whose author is not trusted. Its length alone bounds too little: of `[],` every three bytes make an object.
 * What is limited is counted before anything is made of it. An object that has a key twice is refused, as the one that
 * another reader takes may be the other one.
 *
 * @param where the file's name for messages
 * @throws UserError
 */
export function parseBoundedJson(bytes: Uint8Array, limits: JsonLimits, where: string): unknown {
  const keys = checkJsonSize(bytes, limits, where);
  const value = parse(bytes, where);
  if (keys === keysOf(value)) return value;
  throw new UserError({ where, expected: 'every key of an object once', got: 'one twice', hint: DAMAGED });
}

const BYTE = { quote: 0x22, backslash: 0x5c, comma: 0x2c, colon: 0x3a };
const ARRAY = { begin: 0x5b, end: 0x5d };
const OBJECT = { begin: 0x7b, end: 0x7d };

/**
 * Holds JSON to its limits before anything is made of it.
 *
 * @param hint what to do about a file that is beyond them
 * @returns how many keys stand in it
 * @throws UserError for what is beyond them
 */
export function checkJsonSize(
  bytes: Uint8Array,
  { depth, values }: JsonLimits,
  where: string,
  hint = DAMAGED,
): number {
  const expected = `JSON of depth ${depth} and ${values} values at most`;
  let [open, count, keys] = [0, 0, 0];
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case BYTE.quote:
        at = endOfText(bytes, at);
        break;
      case ARRAY.begin:
      case OBJECT.begin:
        count++;
        if (++open > depth) throw new UserError({ where, expected, got: `depth ${open}`, hint });
        break;
      case ARRAY.end:
      case OBJECT.end:
        open--;
        break;
      case BYTE.colon:
        keys++;
        count++;
        break;
      case BYTE.comma:
        count++;
    }
    if (count > values) throw new UserError({ where, expected, got: 'more values', hint });
  }
  return keys;
}

/** Where the closing quotation mark is. */
function endOfText(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== BYTE.quote) at += bytes[at] === BYTE.backslash ? 2 : 1;
  return at;
}

function parse(bytes: Uint8Array, where: string): unknown {
  let text: string | undefined;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return JSON.parse(text);
  } catch (error) {
    const got = text === undefined ? 'no UTF-8' : fault((error as Error).message, text);
    throw new UserError({ where, expected: 'JSON', got, hint: DAMAGED });
  }
}

/** What is wrong. The engine's own message would quote the file: where it stands is all that is taken from it. */
function fault(message: string, text: string): string {
  if (/end of JSON input|Unterminated string/.test(message)) return 'a text that ends too early';
  const [, position] = / at position (\d+)/.exec(message) ?? [];
  if (position === undefined) return 'something else';
  return `something else in line ${text.slice(0, Number(position)).split('\n').length}`;
}

function keysOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, item) => sum + keysOf(item), own);
}
