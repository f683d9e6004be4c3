import { InvalidFile } from '../../support/user-error.ts';

interface JsonLimits {
  /** Maximum nesting of arrays and objects. */
  depth: number;
  /** Maximum number of arrays, objects, keys and commas. Each adds at most one value. */
  values: number;
}

const DAMAGED = 'The file is damaged. Download it again.';

/**
 * Parses untrusted JSON after checking its limits. A limit on the length alone is not enough, because every
 * three bytes of `[],` make an object. Duplicate keys are rejected, because another reader may use the other
 * value.
 *
 * @param where the file's name in messages
 * @throws UserError
 */
export function parseBoundedJson(bytes: Uint8Array, limits: JsonLimits, where: string): unknown {
  const keys = checkJsonSize(bytes, limits, where);
  const value = parse(bytes, where);
  if (keys === countKeys(value)) return value;
  throw new InvalidFile({ where, fault: 'has the same key twice in one object', hint: DAMAGED });
}

const BYTE = { quote: 0x22, backslash: 0x5c, comma: 0x2c, colon: 0x3a };
const ARRAY = { begin: 0x5b, end: 0x5d };
const OBJECT = { begin: 0x7b, end: 0x7d };

/**
 * Checks JSON against its limits before it is parsed.
 *
 * @param hint how to fix a file that exceeds the limits
 * @returns the number of keys
 * @throws UserError if a limit is exceeded
 */
export function checkJsonSize(
  bytes: Uint8Array,
  { depth, values }: JsonLimits,
  where: string,
  hint = DAMAGED,
): number {
  let [open, count, keys] = [0, 0, 0];
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case BYTE.quote:
        at = endOfText(bytes, at);
        break;
      case ARRAY.begin:
      case OBJECT.begin:
        count++;
        if (++open > depth)
          throw new InvalidFile({ where, fault: `is JSON nested deeper than ${depth} levels`, hint });
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
    if (count > values)
      throw new InvalidFile({ where, fault: `is JSON with more than ${values} values`, hint });
  }
  return keys;
}

/** The position of the quotation mark that closes the string at `start`. */
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
    throw new InvalidFile({
      where,
      fault: `is not valid JSON: ${text === undefined ? 'it is not UTF-8' : fault((error as Error).message, text)}`,
      hint: DAMAGED,
    });
  }
}

/** Describes a parse error. Only the position comes from the engine's message, because the rest quotes the file. */
function fault(message: string, text: string): string {
  if (/end of JSON input|Unterminated string/.test(message)) return 'a text that ends too early';
  const [, position] = / at position (\d+)/.exec(message) ?? [];
  if (position === undefined) return 'something else';
  return `something else in line ${text.slice(0, Number(position)).split('\n').length}`;
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const keyCount = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, item) => sum + countKeys(item), keyCount);
}

/**
 * Maximum size of a settings file. A config.json has some kilobytes. With many label names or a rank pattern,
 * it has some megabytes.
 */
export const MAX_JSON_BYTES = 16 * 2 ** 20;
/** Sections are nested a few levels deep. The longest lists are rank patterns and label names. */
const JSON_LIMITS: JsonLimits = { depth: 64, values: 4_000_000 };

/**
 * Parses a settings file of at most {@link MAX_JSON_BYTES}.
 *
 * @param where the file's name in messages
 * @throws UserError if it is not valid JSON, too deep, or has a duplicate key
 */
export function parseSmallJson(bytes: Uint8Array, where: string): unknown {
  return parseBoundedJson(bytes, JSON_LIMITS, where);
}

/** Matches a string or a number. */
const TEXT_OR_FLOAT = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Marks a string that represents a number. No string in a file begins with this character. */
const MARK = '\u0000';
const MARKED = /"\\u0000(-?\d[\d.eE+-]*)"/g;

/**
 * Changes the object in a JSON text, and keeps numbers as they are written. JavaScript would write 0.0 as 0,
 * which other languages read as an integer. `change` gets such numbers as strings, and must not alter them.
 *
 * @param text valid JSON
 */
export function editJson(
  text: string,
  change: (object: Record<string, unknown>) => Record<string, unknown>,
): string {
  const marked = text.replace(TEXT_OR_FLOAT, (token) =>
    /^[^"].*[.eE]/.test(token) ? JSON.stringify(MARK + token) : token,
  );
  return JSON.stringify(change(JSON.parse(marked)), null, 2).replace(MARKED, '$1');
}
