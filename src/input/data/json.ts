import { checkJsonSize } from '../formats/bounded-json.ts';

/** Enough for a quarter of a million SQuAD questions with answers. */
const LIMITS = { depth: 64, values: 4_000_000 };

/**
 * Checks the limits of a data file before it is parsed, if the whole file is one JSON value, such as SQuAD's.
 *
 * @throws UserError if its nesting depth or number of values exceeds the limits
 */
export function checkWholeJson(content: string, fileName: string): void {
  const hint = 'Split the file, or write its rows as JSON Lines.';
  checkJsonSize(new TextEncoder().encode(content), LIMITS, fileName, hint);
}

/** The position of the quotation mark that closes the JSON string at `start`; -1 if the string is not closed. */
export function endOfString(content: string, start: number): number {
  for (let at = content.indexOf('"', start + 1); at >= 0; at = content.indexOf('"', at + 1)) {
    let escapes = 0;
    while (content[at - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return at;
  }
  return -1;
}

/** Matches texts with a number that a double may change: one with 16 digits, or with a two-digit exponent. */
const MAY_HAVE_LONG = /\d[\d.]{15}|[eE][+-]?\d\d/;
const TEXT_OR_NUMBER = /"|-?\d[\d.eE+-]*/g;
/** A longer number counts as inexact without a check, because no double needs as many digits. */
const MAX_DIGITS = 400;

/**
 * Parses JSON like JSON.parse, but keeps a number as a string if a double would change it, such as
 * 1234567890123456789. Labels and ids may be such numbers, and rounding could make two of them equal.
 *
 * @throws SyntaxError like JSON.parse
 */
export function exactJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!MAY_HAVE_LONG.test(text)) return value;
  const quoted = withLongNumbersQuoted(text);
  return quoted === undefined ? value : JSON.parse(quoted);
}

/** The text with inexact numbers in quotes; undefined if it has none. */
function withLongNumbersQuoted(text: string): string | undefined {
  const parts: string[] = [];
  let done = 0;
  TEXT_OR_NUMBER.lastIndex = 0;
  for (let match = TEXT_OR_NUMBER.exec(text); match; match = TEXT_OR_NUMBER.exec(text)) {
    const { index } = match;
    const [token] = match;
    if (token === '"') TEXT_OR_NUMBER.lastIndex = endOfString(text, index) + 1;
    else if (!isExact(token)) {
      parts.push(text.slice(done, index), `"${token}"`);
      done = index + token.length;
    }
  }
  return done === 0 ? undefined : parts.join('') + text.slice(done);
}

/** Whether a number stays the same when it is converted to a double and printed. */
function isExact(number: string): boolean {
  if (number.length > MAX_DIGITS) return false;
  return number.length < 16 && !/e/i.test(number)
    ? true
    : decimal(number) === decimal(String(Number(number)));
}

/** Normalizes a number to its digits without leading and trailing zeros, and a power of ten. */
function decimal(number: string): string {
  const [, whole = number, fraction = '', power = '0'] =
    /^-?(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const short = digits.replace(/0+$/, '');
  return short && `${short}e${Number(power) - fraction.length + digits.length - short.length}`;
}

/** Conversations only need a depth of four. */
const MAX_DEPTH = 64;

/**
 * Parses JSON after checking its depth. Without the check, eight million brackets take six seconds and half a
 * gigabyte.
 *
 * @throws SyntaxError for invalid or too deeply nested JSON
 */
export function shallowJson(source: string, parse: (source: string) => unknown = JSON.parse): unknown {
  const tokens = /["[\]{}]/g;
  let depth = 0;
  for (let match = tokens.exec(source); match; match = tokens.exec(source)) {
    const [token] = match;
    if (token === '"') {
      const end = endOfString(source, match.index);
      if (end < 0) break;
      tokens.lastIndex = end + 1;
    } else if (token === '[' || token === '{') {
      if (++depth > MAX_DEPTH) throw new SyntaxError('too deeply nested lists or objects');
    } else depth--;
  }
  return parse(source);
}
